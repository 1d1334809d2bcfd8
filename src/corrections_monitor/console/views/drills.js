// 演练: order one for chosen officers, and see how fast it was told, acknowledged and resolved.
import { ask, field, need, options } from "../ask.js";
import { get, post } from "../api.js";
import { fill, h, table } from "../dom.js";
import { shortTime, time } from "../format.js";
import { t, word } from "../i18n.js";
import { answerersOf, may, officeName, officeOptions, officerName, session } from "../names.js";
import { address, go } from "../route.js";

const READ_AGAIN_MS = 3_000;
const KINDS = ["zone.exit", "strap.cut", "curfew", "zone.enter", "contact.near", "silence.device", "sos"];

export function show(main, start, signal) {
  const body = h("div");
  fill(main, h("div.head", h("h1", t("nav.drills")), may.manage() ? h("button.primary#drill-new", { onclick: order }, t("drill.new")) : null), h("p.hint", t("drill.hint")), body);
  const draw = () => (start.item ? one(start.item) : list());
  async function read() {
    try {
      fill(body, await draw());
    } catch (fault) {
      if (fault.name !== "AbortError") fill(body, h("p.fault", { role: "alert" }, fault.message));
    }
  }
  async function list() {
    const { items } = await get("/drills", {}, signal);
    if (!items.length) return h("p", t("drill.none"));
    return table(t("nav.drills"), [t("drill.at"), t("violations.kind"), t("violations.severity"), t("drill.reason").split(/[（(]/)[0], t("drill.by"), [t("drill.officers")], [t("drill.answered")]],
      h("tbody", items.map((d) => h("tr", { "data-drill": d.drill_id }, h("td.nowrap", h("a", { href: address("drills", d.drill_id) }, time(d.ordered_at).slice(0, 16))), h("td", word("kind", d.kind)), h("td", word("severity", d.severity)),
        h("td", d.reason), h("td", officerName(d.ordered_by)), h("td.number", { "data-label": t("drill.officers") }, String(d.officers)), h("td.number", { "data-label": t("drill.answered") }, String(d.acknowledged))))), "stacked");
  }
  async function one(id) {
    const drill = await get(`/drills/${encodeURIComponent(id)}`, {}, signal);
    return [h("p", h("a", { href: address("drills") }, `← ${t("drill.back")}`)),
      h("h2", `${word("kind", drill.kind)} · ${drill.reason}`), h("p", `${time(drill.ordered_at)} · ${officerName(drill.ordered_by)} · ${t("offices.until", { time: shortTime(drill.ends_at) })}`),
      table(t("nav.drills"), [t("cases.officer"), t("office"), t("violations.state"), [t("alert.pages")], [t("drill.paged")], [t("drill.acknowledged")], [t("drill.resolved")]],
        h("tbody", drill.officers.map((o) => h("tr", { "data-officer": o.officer_id }, h("td", h("strong", o.name || o.officer_id)), h("td", officeName(o.office_id)),
          h("td", o.state ? h("a", { href: address("board", "", { alert: o.alert_id }) }, word("alertstate", o.state)) : t("drill.state.none")), h("td.number", { "data-label": t("alert.pages") }, String(o.pages)),
          [o.paged_after_s, o.acknowledged_after_s, o.resolved_after_s].map((s, i) => h("td.number", { "data-label": t("drill." + ["paged", "acknowledged", "resolved"][i]) }, took(s)))))), "stacked")];
  }
  read();
  const reading = setInterval(read, READ_AGAIN_MS);
  signal.addEventListener("abort", () => clearInterval(reading));
}

const took = (s) => (s === null ? t("drill.not") : s < 60 ? `${s.toFixed(1)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`);

function order() {
  const office = h("select#dr-office", options(officeOptions(), session.office_id));
  const chosen = new Set();
  const people = h("div.pick", { role: "group", "aria-label": t("drill.officers") });
  const paint = () => fill(people, answerersOf(office.value).map(([id, name]) => h("button.chip", { type: "button", "data-officer": id, "aria-pressed": String(chosen.has(id)),
    onclick: () => { if (!chosen.delete(id)) chosen.add(id); paint(); } }, name)),
    h("p.hint", chosen.size ? t("drill.chosen", { names: [...chosen].map(officerName).join("、") }) : ""));
  office.addEventListener("change", paint);
  const kind = h("select#dr-kind", options(KINDS.map((k) => [k, word("kind", k)])));
  const severity = h("select#dr-severity", options(["critical", "major"].map((s) => [s, word("severity", s)])));
  const minutes = h("input#dr-minutes", { type: "number", min: "1", max: "1440", value: "60" });
  const reason = h("input#dr-reason", { maxlength: "500" });
  paint();
  ask(t("drill.new"), [field(t("office"), office), h("p.hint", t("drill.officers")), people, h("div.row", field(t("violations.kind"), kind), field(t("violations.severity"), severity), field(t("drill.minutes"), minutes)), field(t("drill.reason"), reason)],
    t("drill.new"), async () => {
      need(chosen.size && reason.value.trim(), t("drill.missing"));
      const drill = await post("/drills", { officers: [...chosen], kind: kind.value, severity: severity.value, minutes: Number(minutes.value), reason: reason.value.trim() });
      go("drills", drill.drill_id);
      return t("drill.ordered", { n: chosen.size });
    });
}
