// A track, which opens only for a reason that is logged; then replayed with speed and accuracy.
import { get, query } from "./api.js";
import { fill, h, select } from "./dom.js";
import { day, time } from "./format.js";
import { t } from "./i18n.js";
import { line as plot } from "./plot.js";
import { colour, isOffices, L, newMap, zoneLayer } from "./maps.js";

const RATES = [["30", "30×"], ["120", "120×"], ["600", "600×"]];
const FRAME_MS = 100;
const GAP_MS = 10 * 60_000;

export function trackCard(person, zones, signal) {
  const today = day(Date.now());
  const from = h("input#track-from", { type: "datetime-local", value: `${today}T00:00` });
  const to = h("input#track-to", { type: "datetime-local", value: `${today}T23:59` });
  const reason = h("input#track-reason", { required: true, maxlength: "500" });
  const place = h("div");
  const fault = h("p.fault", { role: "alert" });
  const path = `/people/${encodeURIComponent(person.person_id)}/track`;
  const asked = (format) => ({ from: from.value, to: to.value, reason: reason.value.trim(), format });
  const form = h("form.filters", { onsubmit: async (event) => {
    event.preventDefault();
    fill(fault, reason.value.trim() ? "" : t("track.reason.missing"));
    if (!reason.value.trim()) return reason.focus();
    fill(place, t("loading"));
    try {
      const track = await get(path, asked("geojson"), signal);
      const links = ["geojson", "gpx", "csv"].map((f) => [h("a", { href: "api/v1" + path + query(asked(f)), download: "" }, f.toUpperCase()), " "]);
      showTrack(place, track.features, zones, links, signal);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      fill(place);
      fill(fault, problem.message);
    }
  } },
  h("label.field", h("span", t("from")), from), h("label.field", h("span", t("to")), to),
  h("label.field", h("span", t("track.reason")), reason), h("button.primary#track-open", t("track.open")));
  form.noValidate = true;
  return h("section.card", h("h2", t("track.title")), form, fault, place);
}

function showTrack(place, features, zones, links, signal) {
  const fixes = features.map((f) => ({ ...f.properties, at: new Date(f.properties.t).getTime(), latlng: [f.geometry.coordinates[1], f.geometry.coordinates[0]] }));
  if (!fixes.length) return fill(place, t("track.empty"));
  const holder = h("div.track-map", { role: "region", "aria-label": t("track.title") });
  const slider = h("input#track-slider", { type: "range", min: "0", max: String(fixes.length - 1), value: "0", "aria-label": t("track.position") });
  const reading = h("p.reading", { "aria-live": "off" });
  let rate = 120;
  let playing = 0;
  const curves = [["track.speed", (f) => (f.spd === null ? null : f.spd * 3.6), { unit: "km/h", digits: 1 }], ["track.accuracy", (f) => f.acc, { unit: "m" }]]
    .map(([label, value, how]) => plot(t(label), fixes.map((f) => [f.at, value(f)]), { ...how, gap: GAP_MS }));
  const play = h("button", { onclick: () => (playing ? pause() : begin()) }, t("track.play"));
  fill(place, h("p", t("track.count", { n: fixes.length }), " · ", t("violations.export"), " ", links), holder,
    h("div.replay", play, slider, select("track-rate", t("track.rate"), RATES, "120", (value) => { rate = Number(value); })), reading, curves.map((c) => c.element));
  const map = newMap(holder, signal);
  for (const zone of zones) zoneLayer(zone, isOffices(zone))?.addTo(map);
  const line = L.polyline(pieces(fixes), { color: colour("strong"), weight: 3, opacity: 0.7 }).addTo(map);
  const error = L.circle(fixes[0].latlng, { radius: fixes[0].acc || 1, color: colour("major"), weight: 1, fillOpacity: 0.15 }).addTo(map);
  const here = L.circleMarker(fixes[0].latlng, { radius: 7, color: colour("card"), weight: 2, fillColor: colour("critical"), fillOpacity: 1 }).addTo(map);
  map.fitBounds(line.getBounds().pad(0.1), { maxZoom: 17 });

  function stand(i) {
    const fix = fixes[i];
    slider.value = String(i);
    slider.setAttribute("aria-valuetext", time(fix.t));
    here.setLatLng(fix.latlng);
    error.setLatLng(fix.latlng).setRadius(fix.acc || 1);
    for (const curve of curves) curve.mark(fix.at);
    if (!map.getBounds().contains(fix.latlng)) map.panTo(fix.latlng, { animate: false });
    fill(reading, [time(fix.t), `${t("track.speed")} ${fix.spd === null ? "–" : (fix.spd * 3.6).toFixed(1) + " km/h"}`,
      `${t("track.accuracy")} ${fix.acc === null ? "–" : Math.round(fix.acc) + " m"}`, `${t("track.source")} ${fix.src}`, `${t("track.device")} ${fix.device_id}`].join(" · "));
  }
  function begin() {
    let i = Number(slider.value) >= fixes.length - 1 ? 0 : Number(slider.value);
    let now = fixes[i].at;
    fill(play, t("track.pause"));
    playing = setInterval(() => {
      now += FRAME_MS * rate;
      // Where nothing was heard for long there is nothing to wait for.
      if (fixes[i + 1] && fixes[i + 1].at - fixes[i].at > GAP_MS) now = Math.max(now, fixes[i + 1].at);
      while (i + 1 < fixes.length && fixes[i + 1].at <= now) i++;
      stand(i);
      if (i === fixes.length - 1) pause();
    }, FRAME_MS);
  }
  function pause() {
    clearInterval(playing);
    playing = 0;
    fill(play, t("track.play"));
  }
  slider.addEventListener("input", () => { pause(); stand(Number(slider.value)); });
  signal.addEventListener("abort", pause);
  stand(0);
}

/** The line broken where nothing was heard for long: a straight line there would be an invention. */
function pieces(fixes) {
  const lines = [[]];
  fixes.forEach((fix, i) => {
    if (i && fix.at - fixes[i - 1].at > GAP_MS) lines.push([]);
    lines[lines.length - 1].push(fix.latlng);
  });
  return lines;
}
