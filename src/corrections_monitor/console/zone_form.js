// What a zone is besides its shape: name, kind, whom it applies to, its hours.
import { send } from "./api.js";
import { fill, h, select } from "./dom.js";
import { t, word } from "./i18n.js";
import { daysOf } from "./schedule.js";

const WEEK = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su", "PH"];

/** {element, value(), tag, why(), say(faults)}; ``zone`` null is a new one. */
export function zoneForm(zone, sketch, { changed, save, cancel, person, office }) {
  const p = zone?.properties || { zone_id: `zone-${person || office || ""}-${Math.random().toString(36).slice(2, 8)}`, name: "", kind: "inclusion", applies_to: person || office || "" };
  const text = (name, value, attributes = {}) => h("input", { id: "zf-" + name, value: value ?? "", maxlength: "200", oninput: changed, ...attributes });
  const field = (name, input) => h("label.field", h("span", t("zone." + name)), input);
  const inputs = { zone_id: text("zone_id", p.zone_id, { disabled: Boolean(zone) }), name: text("name", p.name), applies_to: text("applies_to", p.applies_to), group: text("group", p.group),
    buffer_m: text("buffer_m", p.buffer_m, { type: "number", min: "0" }) };
  let kind = p.kind;
  let windows = (p.schedule || []).map((w) => ({ ...w }));
  const hours = h("div.hours");
  const fault = h("p.fault", { role: "alert" });
  const why = h("input", { id: "zf-why", maxlength: "500" });
  const size = { Point: "radius_m", LineString: "width_m" }[sketch.type];
  const measure = size ? field(size, h("input", { id: "zf-" + size, type: "number", min: "1", value: String(sketch.size[size]), oninput: (e) => sketch.resize({ [size]: Number(e.target.value) || 1 }) })) : null;

  function paintHours() {
    fill(hours, windows.map((w, i) => h("div.window",
      h("span.days", WEEK.map((day) => h("label", h("input", { type: "checkbox", checked: daysOf(w.days).includes(day), onchange: (e) => {
        const days = WEEK.filter((d) => (d === day ? e.target.checked : daysOf(w.days).includes(d)));
        w.days = days.join(",") || day;
      } }), word("day", day)))),
      h("input", { type: "time", "aria-label": t("from"), value: w.from, onchange: (e) => { w.from = e.target.value; } }), "–",
      h("input", { type: "text", size: "5", pattern: "\\d\\d:\\d\\d", "aria-label": t("to"), value: w.to, onchange: (e) => { w.to = e.target.value.trim(); } }),
      h("button.quiet", { type: "button", "aria-label": t("zone.window.remove"), onclick: () => { windows.splice(i, 1); paintHours(); } }, "✕"))),
    windows.length ? null : h("p.hint", t("person.always")),
    h("button.quiet", { type: "button", onclick: () => { windows.push({ days: WEEK.slice(0, 7).join(","), from: "22:00", to: "06:00" }); paintHours(); } }, "+ ", t("zone.window.add")));
  }
  paintHours();

  const element = h("form.zone-form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); save(); } },
    h("h2", zone ? p.name : t("zone.new." + sketch.type)),
    field("name", inputs.name),
    select("zf-kind", t("zone.kind"), ["inclusion", "exclusion"].map((k) => [k, word("zonekind", k)]), kind, (chosen) => { kind = chosen; changed(); }),
    field("applies_to", inputs.applies_to), h("p.hint", t("zone.applies_to.hint")), measure, field("buffer_m", inputs.buffer_m), field("group", inputs.group), field("zone_id", inputs.zone_id),
    h("h3", t("zone.hours")), hours, h("label.field", h("span", t("cases.why")), why), fault,
    h("div.do", h("button.primary#zf-save", t("cases.save")), h("button.quiet", { type: "button", onclick: cancel }, t("alert.cancel"))));

  const form = {
    element, tag: "",
    why: () => (why.value.trim() ? `?why=${encodeURIComponent(why.value.trim())}` : ""),
    value() {
      const properties = { zone_id: inputs.zone_id.value.trim(), name: inputs.name.value.trim(), kind, applies_to: inputs.applies_to.value.trim(),
        group: kind === "inclusion" ? inputs.group.value.trim() || null : null, buffer_m: Number(inputs.buffer_m.value) || 0, schedule: windows.length ? windows : null };
      if (size) properties[size] = sketch.size[size];
      return { type: "Feature", properties, geometry: sketch.geometry };
    },
    say(faults, problem) { fill(fault, faults.map(([name, message]) => (name ? `${name}: ${message}` : message)).join("；") || problem?.message || ""); },
  };
  // Somebody else may change it meanwhile: what is saved is what was looked at.
  if (zone) send("GET", `/zones/${encodeURIComponent(zone.id)}`).then((response) => { form.tag = response.headers.get("ETag") || ""; }).catch(() => {});
  return form;
}
