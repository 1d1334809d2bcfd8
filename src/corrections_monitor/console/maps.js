// Leaflet maps: tiles if the site has them, zones, and the outlines of the offices behind everything.
import { all } from "./api.js";
import { gcjSystem } from "./gcj02.js";
import { corridor, labelPoint } from "./geometry.js";
import { offices, session } from "./names.js";

export const L = window.L;
// A redrawing may be due when its map is already gone; Leaflet's own stumbles over that.
const Canvas = L.Canvas.extend({ _redraw() { if (this._ctx) L.Canvas.prototype._redraw.call(this); } });
let system = null;
let outlines = null;

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

/** A map that fits its element, also when that changes, and is removed with the signal. */
export function newMap(element, signal) {
  const settings = session.settings || {};
  system ||= settings.tiles && settings.tiles_gcj02 ? gcjSystem(L) : L.CRS.EPSG3857;
  const map = L.map(element, { crs: system, renderer: new Canvas(), zoomAnimation: false, fadeAnimation: false, zoomSnap: 0.25, zoomDelta: 1, maxZoom: 19, minZoom: 4 });
  map.attributionControl.setPrefix("Leaflet");
  L.control.scale({ imperial: false, maxWidth: 6.5 * parseFloat(getComputedStyle(document.documentElement).fontSize) }).addTo(map);
  if (settings.tiles) L.tileLayer(settings.tiles, { attribution: settings.tiles_notice || "", maxZoom: 19, subdomains: "01234567" }).addTo(map);
  map.setView([35, 105], 4);
  const resized = new ResizeObserver(() => map.invalidateSize());
  resized.observe(element);
  signal?.addEventListener("abort", () => { resized.disconnect(); map.remove(); });
  return map;
}

/** Zones that offices stay within: the outline of a county is the map where there are no tiles. */
export const isOffices = (zone) => zone.properties.kind === "inclusion" && offices.has(zone.properties.applies_to) && Boolean(zone.geometry?.type.endsWith("Polygon"));

/** The outlines of one's cities and counties, read once a session: what gives a map without tiles its place. */
export function drawOutlines(map, signal) {
  const whose = [...offices.values()].filter((o) => o.level !== "station").map((o) => o.office_id);
  const own = offices.get(session.office_id);
  if (own?.level === "station") whose.push(own.parent_id, own.office_id);
  outlines ||= Promise.all(whose.filter(Boolean).map((id) => all("/zones", { person: id }))).then((found) => found.flat().filter((z) => z.properties.kind === "inclusion" && z.geometry?.type.endsWith("Polygon")));
  const layer = L.featureGroup().addTo(map);
  outlines.then((zones) => {
    if (signal?.aborted) return;
    for (const zone of zones) zoneLayer(zone, true).addTo(layer);
    layer.bringToBack();
  }).catch(() => { outlines = null; });
  return layer;
}

/** Who logs in next sees other offices. */
export function forgetOutlines() { outlines = null; }

/** A zone as a Leaflet layer, or null where its shape may not be seen. */
export function zoneLayer(zone, isBackground = isOffices(zone)) {
  const { properties: p, geometry: g } = zone;
  if (!g) return null;
  const exclusion = p.kind === "exclusion";
  const ink = exclusion ? colour("critical") : isBackground ? colour("soft") : colour("good");
  const style = { color: ink, weight: isBackground ? 1.5 : 2, fillColor: isBackground ? colour("card") : ink, dashArray: exclusion ? "6 4" : null,
    fillOpacity: isBackground ? (session.settings?.tiles ? 0 : 1) : 0.12, interactive: !isBackground };
  const layer = shapeLayer(g, p, style);
  const name = document.createElement("span");
  name.append(p.name);
  if (isBackground) {
    const [lon, lat] = labelPoint(g);
    const label = L.tooltip({ permanent: true, direction: "center", className: "zone-name", interactive: false }).setLatLng([lat, lon]).setContent(name);
    return L.featureGroup([layer, label]);
  }
  layer.bindTooltip(name, { sticky: true });
  return layer;
}

/** The shape alone. */
export function shapeLayer(g, { radius_m, width_m }, style) {
  if (g.type === "Point") return L.circle([g.coordinates[1], g.coordinates[0]], { ...style, radius: radius_m });
  if (g.type === "LineString") return L.polygon(corridor(g.coordinates, width_m / 2), style);
  return L.geoJSON(g, { style: () => style, interactive: style.interactive });
}
