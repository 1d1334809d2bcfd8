// What decided an alert, on a map: the fixes in their order with their doubt, the zone, the last position.
import { get } from "./api.js";
import { shortTime } from "./format.js";
import { t } from "./i18n.js";
import { colour, drawOutlines, L, newMap, zoneLayer } from "./maps.js";

export function evidenceMap(element, alert, fixes, signal) {
  const map = newMap(element, signal);
  drawOutlines(map, signal);
  const layers = L.featureGroup().addTo(map);
  fixes.forEach((fix, i) => {
    const at = [fix.lat, fix.lon];
    if (fix.acc) L.circle(at, { radius: fix.acc, color: colour("strong"), weight: 1, fillOpacity: 0.08, interactive: false }).addTo(layers);
    const said = [`${t("alert.fix", { n: i + 1 })} ${shortTime(fix.t)}`, fix.acc ? `±${Math.round(fix.acc)} m` : ""].join(" ");
    const mark = L.circleMarker(at, { radius: 6, color: colour("card"), weight: 1.5, fillColor: colour("critical"), fillOpacity: 1 }).addTo(layers);
    // Two or three are told apart by number; more would cover each other.
    mark.bindTooltip(fixes.length <= 3 ? String(i + 1) : said, { permanent: fixes.length <= 3, direction: "right", className: "fix-number" });
  });
  if (alert.position) {
    const here = L.circleMarker([alert.position.lat, alert.position.lon], { radius: 8, color: colour("strong"), weight: 3, fill: false })
      .bindTooltip(t("alert.position.at", { time: shortTime(alert.position.at) }), { permanent: true, direction: "bottom", className: "fix-number" });
    here.addTo(fixes.length ? map : layers);
  }
  const fit = () => { if (layers.getBounds().isValid()) map.fitBounds(layers.getBounds().pad(0.3), { maxZoom: 16 }); };
  fit();
  for (const id of new Set(alert.episodes.map((e) => e.zone_id).filter(Boolean))) {
    get(`/zones/${encodeURIComponent(id)}`, {}, signal).then((zone) => {
      if (signal.aborted) return;
      const drawn = zoneLayer(zone, false);
      if (!drawn) return;
      // A home is shown whole; of a county the border nearby says more.
      const isSmall = drawn.addTo(map).getBounds().getNorthEast().distanceTo(drawn.getBounds().getSouthWest()) < 8_000;
      if (isSmall && fixes.length) { drawn.addTo(layers); fit(); }
    }).catch(() => {});
  }
}
