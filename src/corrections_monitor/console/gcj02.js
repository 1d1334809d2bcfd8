// GCJ-02, the offset that the tiles of most Chinese providers are drawn in, as in geofence/crs.py.
// Everything in the console stays WGS-84; only the map's projection knows of it.
const A = 6378245;
const EE = 0.00669342162296594323;
const RAD = Math.PI / 180;

const waves = (x) => (20 * Math.sin(6 * x * Math.PI) + 20 * Math.sin(2 * x * Math.PI)) * 2 / 3;

function offset(lon, lat) {
  const [x, y] = [lon - 105, lat - 35];
  const north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x)) + waves(x) +
    (20 * Math.sin(y * Math.PI) + 40 * Math.sin(y / 3 * Math.PI)) * 2 / 3 + (160 * Math.sin(y / 12 * Math.PI) + 320 * Math.sin(y * Math.PI / 30)) * 2 / 3;
  const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x)) + waves(x) +
    (20 * Math.sin(x * Math.PI) + 40 * Math.sin(x / 3 * Math.PI)) * 2 / 3 + (150 * Math.sin(x / 12 * Math.PI) + 300 * Math.sin(x / 30 * Math.PI)) * 2 / 3;
  const sin = Math.sin(lat * RAD);
  const m = 1 - EE * sin * sin;
  return [east / (A / Math.sqrt(m) * Math.cos(lat * RAD) * RAD), north / (A * (1 - EE) / (m * Math.sqrt(m)) * RAD)];
}

const isOutside = (lon, lat) => lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271;

/** WGS-84 [lon, lat] → GCJ-02; outside China nothing is moved. */
export function toGcj(lon, lat) {
  if (isOutside(lon, lat)) return [lon, lat];
  const [east, north] = offset(lon, lat);
  return [lon + east, lat + north];
}

/** GCJ-02 [lon, lat] → WGS-84, by going back until the way there fits. */
export function fromGcj(lon, lat) {
  let [x, y] = [lon, lat];
  for (let i = 0; i < 10; i++) {
    const [gx, gy] = toGcj(x, y);
    x += lon - gx;
    y += lat - gy;
    if (Math.abs(lon - gx) + Math.abs(lat - gy) < 1e-10) break;
  }
  return [x, y];
}

/** Leaflet's coordinate system for tiles in GCJ-02: shifted on the way to the screen and back. */
export function gcjSystem(L) {
  const plain = L.Projection.SphericalMercator;
  return L.extend({}, L.CRS.EPSG3857, { code: "GCJ-02", projection: L.extend({}, plain, {
    project(at) { const [lon, lat] = toGcj(at.lng, at.lat); return plain.project(L.latLng(lat, lon)); },
    unproject(point) { const at = plain.unproject(point); const [lon, lat] = fromGcj(at.lng, at.lat); return L.latLng(lat, lon); },
  }) });
}
