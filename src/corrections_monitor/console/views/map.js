// 地图: people by state, zones, live.  5,000 people are one canvas; personal zones show when zoomed in.
import { all, Fault } from "../api.js";
import { fill, h, select } from "../dom.js";
import { age, shortTime } from "../format.js";
import { t, word } from "../i18n.js";
import { on } from "../live.js";
import { drawOutlines, isOffices, L, newMap, zoneLayer } from "../maps.js";
import { isWithin, may, officeName, officeOptions, session } from "../names.js";
import { mercator, PeopleLayer, STATES, swatch } from "../points.js";
import { address, amend } from "../route.js";
import { gravest, standing } from "../standing.js";

const PERSONAL_FROM_ZOOM = 13;
const FOLLOW_ZOOM = 15;
const TRAIL_FIXES = 30;
const EVERY_STATE = STATES.map(([state]) => state);
const WEIGH_AGAIN_MS = 60_000;

export function show(main, start, signal) {
  if (!may.locate()) return void fill(main, h("h1", t("nav.map")), h("p.fault", t("problem.not-permitted")));
  let { item: chosen, values } = start;
  const people = new Map();
  let shown = [];
  let ready = false;
  const states = () => (values.state ? values.state.split(",") : EVERY_STATE);
  const change = (changed) => amend("map", chosen, { ...values, ...changed });
  const filters = h("div.filters", { role: "group", "aria-label": t("map.filters") });
  const note = h("p.counts", { role: "status" });
  const holder = h("div.big-map", { role: "region", "aria-label": t("map.label") });
  fill(main, filters, holder);
  paintFilters();
  const map = newMap(holder, signal);
  const isGcj = Boolean(session.settings.tiles && session.settings.tiles_gcj02);
  const background = drawOutlines(map, signal);
  background.on("layeradd", () => { if (!ready) fit(); });
  const personal = L.featureGroup().addTo(map);
  let zones = null;
  const layer = new PeopleLayer(() => shown, () => chosen, picked).addTo(map);

  /** Where somebody is now; the trail is what was seen since the map was opened, not a track out of the store. */
  function place(person, position) {
    person.position = position;
    if (!position) return;
    person.at = mercator(position.lon, position.lat, isGcj);
    person.trail = [...(person.trail || []), person.at].slice(-TRAIL_FIXES);
  }

  /** Who is drawn: decided when filters or alerts change, not at every frame. */
  function choose() {
    const severities = gravest();
    const wanted = new Set(states());
    const find = (values.find || "").toLowerCase();
    let nowhere = 0;
    shown = [];
    const counts = Object.fromEntries(EVERY_STATE.map((s) => [s, 0]));
    for (const person of people.values()) {
      if (values.office && !isWithin(person.office_id, values.office)) continue;
      if (find && !person.name.toLowerCase().includes(find) && person.person_id.toLowerCase() !== find) continue;
      person.state = standing(person, severities);
      counts[person.state]++;
      if (!wanted.has(person.state)) continue;
      if (person.at) shown.push(person);
      else nowhere++;
    }
    if (!ready) return;
    fill(note, `${t("map.people")} ${shown.length}${nowhere ? ` · ${t("map.nowhere")} ${nowhere}` : ""}`);
    for (const state of EVERY_STATE) fill(document.getElementById("count-" + state), String(counts[state]));
    layer.soon();
  }

  function paintFilters() {
    const flip = (state) => {
      const next = states().includes(state) ? states().filter((s) => s !== state) : [...states(), state];
      change({ state: next.length && next.length < STATES.length ? next.join(",") : "" });
    };
    const find = h("input", { id: "map-find", type: "search", value: values.find || "", oninput: (e) => change({ find: e.target.value.trim() }) });
    fill(filters, h("h1", t("nav.map")),
      h("label.field", h("span", t("map.find")), find),
      select("map-office", t("office"), [["", t("all")], ...officeOptions()], values.office || "", (office) => change({ office })),
      h("label.check", h("input", { type: "checkbox", id: "map-zones", checked: values.zones !== "off", onchange: (e) => change({ zones: e.target.checked ? "" : "off" }) }), " ", t("map.zones")),
      h("button", { onclick: fit, title: t("map.own") }, t("map.fit")), note,
      h("div.legend", EVERY_STATE.map((state) => h("label", h("input", { type: "checkbox", id: "state-" + state, checked: states().includes(state), onchange: () => flip(state) }),
        swatch(state), t("state." + state), " ", h("span.number", { id: "count-" + state })))));
  }

  function fit() {
    const at = shown.map((p) => [p.position.lat, p.position.lon]);
    const isNarrow = values.office || values.find || !background.getLayers().length;
    const bounds = isNarrow && at.length ? L.latLngBounds(at) : background.getBounds();
    if (bounds.isValid()) map.fitBounds(bounds.pad(0.02), { maxZoom: 16 });
  }

  function picked(group, at) {
    if (group.n > 1 && map.getZoom() < 18) return void map.setView(at, map.getZoom() + 2);
    const listed = [...group.ids].map((id) => people.get(id)).filter(Boolean);
    L.popup({ maxHeight: 280 }).setLatLng(at).setContent(h("div", listed.map(card))).openOn(map);
  }

  const card = (person) => h("div", h("strong", h("a", { href: address("people", person.person_id) }, `${person.name} ${person.person_id}`)),
    h("p", `${t("state." + person.state)} · ${officeName(person.office_id)}`),
    person.open_episodes.length ? h("p", person.open_episodes.map((e) => word("kind", e.kind)).join("、")) : null,
    h("p", `${shortTime(person.position?.at)}（${age(person.position?.at)}）`));

  /** Zones of single persons: read when first needed, drawn when near. */
  async function paintZones() {
    const wanted = values.zones !== "off";
    wanted ? background.addTo(map) : background.remove();
    const isNear = map.getZoom() >= PERSONAL_FROM_ZOOM;
    if (wanted && (isNear || chosen)) zones ||= await readZones();
    if (signal.aborted) return;
    personal.clearLayers();
    if (!wanted || !zones) return;
    const bounds = map.getBounds().pad(0.2);
    for (const zone of zones) {
      if (zone.properties.applies_to !== chosen && !(isNear && bounds.intersects(zone.bounds))) continue;
      zone.layer ||= zoneLayer(zone, false);
      zone.layer.addTo(personal);
    }
  }

  async function readZones() {
    const found = await all("/zones", {}, () => {}, signal).catch(() => []);
    return found.filter((z) => z.geometry && z.properties.applies_to && !isOffices(z)).map((z) => ({ ...z, bounds: reach(z) }));
  }

  function follow() {
    const at = people.get(chosen)?.position;
    if (at) map.setView([at.lat, at.lon], Math.max(map.getZoom(), FOLLOW_ZOOM));
  }

  async function read() {
    try {
      const found = await all("/people", { category: "control,probation,parole,medical" }, (n) => fill(note, t("loaded", { n })), signal);
      for (const person of found) {
        place(person, person.position);
        people.set(person.person_id, person);
      }
      ready = true;
      choose();
      fit();
      if (chosen) follow();
      paintZones();
    } catch (fault) {
      if (fault.name !== "AbortError") fill(note, h("span.fault", { role: "alert" }, fault instanceof Fault ? fault.message : String(fault)), h("button", { onclick: read }, t("retry")));
    }
  }

  map.on("moveend", () => { if (ready) paintZones(); });
  on("position", (position) => {
    const person = people.get(position.person_id);
    if (!person) return;
    const isFirst = !person.at;
    place(person, position);
    if (isFirst) choose();
    layer.soon();
  }, signal);
  on("alerts", choose, signal);
  const weighing = setInterval(choose, WEIGH_AGAIN_MS);
  signal.addEventListener("abort", () => clearInterval(weighing));
  read();
  return (next) => {
    const moved = next.item !== chosen;
    ({ item: chosen, values } = next);
    paintFilters();
    if (!ready) return;
    choose();
    if (moved) follow();
    paintZones();
  };
}

/** The box a zone lies in, without a map. */
function reach(zone) {
  const g = zone.geometry;
  return g.type === "Point" ? L.latLng(g.coordinates[1], g.coordinates[0]).toBounds(2 * zone.properties.radius_m) : L.geoJSON(g).getBounds();
}
