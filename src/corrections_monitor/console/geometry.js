// Shapes on the ground, near enough for the eye: what counts is judged by the server.
const METRES_PER_DEGREE = 111_320;
const squeezed = (lat) => Math.cos((lat * Math.PI) / 180);

/** A line with a width, as rectangles along its pieces; [[[lat, lon] …]] as Leaflet's polygons. */
export function corridor(line, half) {
  return line.slice(1).map(([x2, y2], i) => {
    const [x1, y1] = line[i];
    const squeeze = squeezed(y1);
    const [dx, dy] = [(x2 - x1) * squeeze, y2 - y1];
    const length = Math.hypot(dx, dy) || 1;
    const [nx, ny] = [(-dy / length) * half / METRES_PER_DEGREE / squeeze, (dx / length) * half / METRES_PER_DEGREE];
    return [[[y1 + ny, x1 + nx], [y2 + ny, x2 + nx], [y2 - ny, x2 - nx], [y1 - ny, x1 - nx]]];
  });
}

const polygons = (g) => (g.type === "Polygon" ? [g.coordinates] : g.coordinates);

function isInPolygon(rings, lon, lat) {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [[xi, yi], [xj, yj]] = [ring[i], ring[j]];
      if (yi > lat !== yj > lat && lon < ((xj - xi) * (lat - yi)) / (yj - yi) + xi) inside = !inside;
    }
  }
  return inside;
}

/** Metres from a point to the pieces of a line. */
function metresToLine(line, lon, lat) {
  const squeeze = squeezed(lat);
  let least = Infinity;
  for (let i = 1; i < line.length; i++) {
    const [ax, ay, bx, by] = [(line[i - 1][0] - lon) * squeeze, line[i - 1][1] - lat, (line[i][0] - lon) * squeeze, line[i][1] - lat];
    const [dx, dy] = [bx - ax, by - ay];
    const along = Math.max(0, Math.min(1, -(ax * dx + ay * dy) / (dx * dx + dy * dy || 1)));
    least = Math.min(least, Math.hypot(ax + along * dx, ay + along * dy));
  }
  return least * METRES_PER_DEGREE;
}

/** Metres beyond a zone's edge; 0 and less inside. */
export function metresOutside({ geometry: g, properties: p }, lon, lat) {
  if (g.type === "Point") return metresToLine([g.coordinates, g.coordinates], lon, lat) - p.radius_m;
  if (g.type === "LineString") return metresToLine(g.coordinates, lon, lat) - p.width_m / 2;
  const far = Math.min(...polygons(g).flatMap((rings) => rings.map((ring) => metresToLine(ring, lon, lat))));
  return polygons(g).some((rings) => isInPolygon(rings, lon, lat)) ? -far : far;
}

/** Where a name may stand: of a grid of points within the greatest polygon, the one farthest from every edge. */
export function labelPoint(g) {
  const greatest = polygons(g).reduce((a, b) => (b[0].length > a[0].length ? b : a));
  const [xs, ys] = [greatest[0].map((p) => p[0]), greatest[0].map((p) => p[1])];
  const [west, east, south, north] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  let best = { far: -1, at: [(west + east) / 2, (south + north) / 2] };
  for (let i = 1; i < 24; i++) {
    for (let j = 1; j < 24; j++) {
      const at = [west + ((east - west) * i) / 24, south + ((north - south) * j) / 24];
      if (!isInPolygon(greatest, ...at)) continue;
      const far = Math.min(...greatest.map((ring) => metresToLine(ring, ...at)));
      if (far > best.far) best = { far, at };
    }
  }
  return best.at;
}
