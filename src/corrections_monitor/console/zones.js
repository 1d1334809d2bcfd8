// Zones on the map: looked at, drawn, reshaped, with a preview of who would be outside (or inside) now.
import { all, send } from "./api.js";
import { fill, h, select } from "./dom.js";
import { toast } from "./frame.js";
import { metresOutside } from "./geometry.js";
import { t, word } from "./i18n.js";
import { colour, drawOutlines, L, newMap, zoneLayer } from "./maps.js";
import { isWithin, may, officeName, officeOptions } from "./names.js";
import { address, amend, go } from "./route.js";
import { scheduleText } from "./schedule.js";
import { Sketch } from "./sketch.js";
import { zoneForm } from "./zone_form.js";

const LISTED_MAX = 200;

export function showZones(place, start, signal) {
  let { values } = start;
  const filters = h("div.filters");
  const note = h("p.counts", { role: "status" });
  const list = h("ul.plain.zone-list");
  const side = h("div.zone-side");
  const holder = h("div.zone-map", { role: "region", "aria-label": t("cases.zones") });
  fill(place, filters, h("div.zones", side, holder));
  const map = newMap(holder, signal);
  const background = drawOutlines(map, signal);
  background.once("layeradd", () => setTimeout(() => { if (!signal.aborted && !values.zone) map.fitBounds(background.getBounds()); }));
  const drawn = L.featureGroup().addTo(map);
  let zones = [];
  let people = [];
  let editing = null;
  signal.addEventListener("abort", stopEditing);
  const change = (changed) => amend("cases", "zones", { ...values, ...changed });

  const isWanted = ({ properties: p }) => (!values.office || p.applies_to === values.office || (people.find((one) => one.person_id === p.applies_to) || {}).office_id === values.office) &&
    (!values.person || p.applies_to === values.person) && (!values.find || p.name.includes(values.find) || p.zone_id === values.find);

  function paint() {
    fill(filters, select("z-office", t("office"), [["", t("all")], ...officeOptions()], values.office || "", (office) => change({ office })),
      h("label.field", h("span", t("violations.person")), h("input#z-person", { type: "search", value: values.person || "", onchange: (e) => change({ person: e.target.value.trim() }) })),
      h("label.field", h("span", t("cases.zone.name")), h("input#z-find", { type: "search", value: values.find || "", onchange: (e) => change({ find: e.target.value.trim() }) })),
      may.edit() ? ["Point", "Polygon", "LineString"].map((shape) => h("button", { "data-new": shape, onclick: () => edit(null, shape) }, t("zone.new." + shape))) : null, note);
    if (editing) return;
    const wanted = zones.filter(isWanted);
    fill(note, t("violations.shown", { n: wanted.length }));
    fill(list, wanted.slice(0, LISTED_MAX).map(entry));
    fill(side, list);
    drawn.clearLayers();
    const chosen = zones.find((z) => z.id === values.zone);
    for (const zone of chosen ? [chosen] : wanted.slice(0, LISTED_MAX)) {
      const layer = zoneLayer(zone, false)?.addTo(drawn);
      layer?.on("click", () => change({ zone: zone.id }));
    }
    if (chosen?.geometry || values.person) drawn.getBounds().isValid() && map.fitBounds(drawn.getBounds().pad(0.4), { maxZoom: 16 });
  }

  function entry(zone) {
    const { properties: p } = zone;
    const isChosen = zone.id === values.zone;
    return h("li", { class: isChosen ? "chosen" : "", "data-zone": zone.id },
      h("a", { href: address("cases", "zones", { ...values, zone: isChosen ? "" : zone.id }) }, h("strong", p.name)),
      h("small", ` ${word("zonekind", p.kind)} · ${whose(p.applies_to)} · ${scheduleText(p.schedule)}`),
      isChosen && may.edit() ? h("div.do", h("button", { "data-do": "edit", onclick: () => edit(zone) }, t("cases.edit")), h("button", { onclick: (e) => withdraw(e.target, zone) }, t("cases.zones.end"))) : null);
  }

  const whose = (id) => (id === "*" ? t("all") : !id ? t("zone.nobody") : people.find((p) => p.person_id === id)?.name || officeName(id));

  /** Who the zone would find fault with if it held now, by everybody's last position. */
  function preview(zone) {
    const { kind, applies_to: to, buffer_m: buffer = 0 } = zone.properties;
    const concerned = people.filter((p) => p.position && (to === "*" || to === p.person_id || isWithin(p.office_id, to)));
    const away = concerned.map((p) => [p, metresOutside(zone, p.position.lon, p.position.lat) - buffer]);
    const wrong = away.filter(([, metres]) => (kind === "inclusion" ? metres > 0 : metres < 0)).map(([p, metres]) => ({ ...p, metres: Math.abs(metres) }));
    return { concerned: concerned.length, wrong: wrong.sort((a, b) => b.metres - a.metres) };
  }

  function edit(zone, shape) {
    stopEditing();
    drawn.clearLayers();
    fill(note);
    const found = h("div.preview", { role: "status" });
    const marks = L.featureGroup().addTo(map);
    const sketch = new Sketch(map, zone?.geometry || { type: shape, coordinates: [] }, zone?.properties || {}, () => weigh());
    const form = zoneForm(zone, sketch, { changed: () => weigh(), save, cancel: () => { stopEditing(); paint(); }, person: values.person, office: values.office });
    function weigh() {
      const drawnNow = form.value();
      marks.clearLayers();
      if (!sketch.isWhole()) return fill(found, t("zone.draw." + sketch.geometry.type));
      const { concerned, wrong } = preview(drawnNow);
      fill(found, h("strong", { class: wrong.length ? "fault" : "" }, t(drawnNow.properties.kind === "inclusion" ? "zone.preview.outside" : "zone.preview.inside", { n: wrong.length, all: concerned })),
        h("ul.plain", wrong.slice(0, 12).map((p) => h("li", `${p.name} ${p.person_id} · ${Math.round(p.metres)} m`))), wrong.length > 12 ? "…" : "");
      for (const p of wrong) L.circleMarker([p.position.lat, p.position.lon], { radius: 7, color: colour("critical"), weight: 3, fill: false }).bindTooltip(p.name).addTo(marks);
    }
    async function save() {
      const value = form.value();
      if (!sketch.isWhole()) return form.say([["", t("zone.draw." + sketch.geometry.type)]]);
      try {
        const headers = form.tag ? { "If-Match": form.tag } : {};
        await (zone ? send("PATCH", `/zones/${encodeURIComponent(zone.id)}${form.why()}`, value, { headers }) : send("POST", `/zones${form.why()}`, value));
        toast(t("cases.saved"));
        stopEditing();
        await read();
        go("cases", "zones", { ...values, zone: value.properties.zone_id });
      } catch (problem) {
        form.say((problem.problem?.errors || []).map((e) => [e.field, e.message]), problem);
      }
    }
    editing = { end: () => { sketch.remove(); marks.remove(); } };
    fill(side, found, form.element);
    sketch.fit();
    weigh();
  }

  function stopEditing() {
    editing?.end();
    editing = null;
  }

  async function withdraw(button, zone) {
    if (!button.dataset.sure) {
      button.dataset.sure = "yes";
      button.classList.add("danger");
      return fill(button, t("cases.sure"));
    }
    try {
      await send("POST", `/zones/${encodeURIComponent(zone.id)}/end`, {});
      toast(t("cases.ended"));
      change({ zone: "" });
      read();
    } catch (fault) {
      toast(fault.message, true);
    }
  }

  async function read() {
    fill(note, t("loading"));
    try {
      [zones, people] = await Promise.all([all("/zones", {}, (n) => fill(note, t("loaded", { n })), signal),
        all("/people", { category: "control,probation,parole,medical" }, () => {}, signal)]);
      paint();
    } catch (fault) {
      if (fault.name !== "AbortError") fill(note, h("span.fault", { role: "alert" }, fault.message), h("button", { onclick: read }, t("retry")));
    }
  }
  paint();
  read();
  return (next) => {
    if (next.item !== "zones") return false;
    values = next.values;
    if (!editing) paint();
    return true;
  };
}

