// 违规查询: the filters are the address, so a search can be kept as a bookmark and sent to a colleague.
import { get } from "../api.js";
import { fill, h, select } from "../dom.js";
import { download } from "../download.js";
import { lasted, shortTime, time } from "../format.js";
import { t, word } from "../i18n.js";
import { may, officeName, officeOptions } from "../names.js";
import { pages } from "../pager.js";
import { bars } from "../plot.js";
import { address, amend } from "../route.js";

const KINDS = ["zone.exit", "curfew", "leave.overdue", "leave.astray", "zone.enter", "contact.near", "silence.device", "silence.position", "silence.band",
  "strap.cut", "strap.loose", "case.open", "power.off", "shielded", "jammed", "separated", "spoofed", "sos", "battery.low", "battery.critical", "data.gap",
  "order.expiring", "order.lapsed", "unmonitored", "outage"];
const SEVERITIES = ["critical", "major", "minor", "info"];
const STATES = ["open", "acknowledged", "resolved"];
const FINDINGS = ["true_violation", "false_alarm", "device_fault", "authorised", "drill"];
const FILTERS = ["kind", "severity", "state", "disposition", "office", "person", "q", "from", "to"];
/** What may be counted by, and the filter that a click on one count sets. */
const GROUPS = { day: null, office_id: "office", kind: "kind", severity: "severity", person_id: "person", state: "state", disposition: "disposition" };
const COUNTS_MAX = 40;
/** [column, its name for sorting]. */
const COLUMNS = [["severity", "severity"], ["kind", "kind"], ["person", "person"], ["office", "office"], ["started", "started"], ["ended", null], ["lasted", "lasted"], ["finding", null], ["reason", null]];

export function show(main, start, signal) {
  let values = start.values;
  let reading = new AbortController();
  signal.addEventListener("abort", () => reading.abort());
  const filters = h("form.filters", { onsubmit: (event) => event.preventDefault() });
  const exports = h("div.filters.no-print");
  const counted = h("section.counted");
  const heads = h("tr");
  const body = h("tbody");
  const foot = h("div.more");
  fill(main, h("h1", t("nav.violations")), filters, exports, counted,
    h("div.scroll", { tabindex: "0", role: "region", "aria-label": t("nav.violations") }, h("table.stacked", h("thead", heads), body)), foot);

  const change = (changed) => amend("violations", "", { ...values, ...changed });
  const choices = (name, group, codes) => select("v-" + name, t("violations." + name), [["", t("all")], ...several(group, values[name]), ...codes.map((c) => [c, word(group, c)])], values[name] || "", (value) => change({ [name]: value }));
  const input = (name, label, type) => h("label.field", h("span", label), h("input", { id: "v-" + name, type, value: values[name] || "", onchange: (e) => change({ [name]: e.target.value.trim() }) }));
  const kept = () => Object.fromEntries(FILTERS.map((name) => [name, values[name]]));
  const sort = () => values.sort || "-detected";

  function paint() {
    const isFiltered = FILTERS.some((name) => values[name]);
    fill(filters, input("q", t("violations.q"), "search"), choices("kind", "kind", KINDS), choices("severity", "severity", SEVERITIES), choices("state", "alertstate", STATES), choices("disposition", "disposition", FINDINGS),
      select("v-office", t("office"), [["", t("all")], ...officeOptions()], values.office || "", (office) => change({ office })),
      input("person", t("violations.person"), "search"), input("from", t("from"), "date"), input("to", t("to"), "date"),
      isFiltered ? h("button.quiet", { type: "button", onclick: () => amend("violations", "", { by: values.by, sort: values.sort }) }, t("board.filter.clear")) : null);
    const progress = h("span.counts", { role: "status" });
    fill(exports, select("v-by", t("violations.by"), [["", t("violations.by.none")], ...Object.keys(GROUPS).map((g) => [g, t("violations.by." + g)])], values.by || "", (by) => change({ by })),
      h("span.buttons", t("violations.export"), ["csv", "geojson"].map((format) =>
        h("button", { type: "button", "data-export": format, onclick: (e) => download(e.target, progress, "/violations", { ...kept(), format }, `violations.${format}`) }, format === "csv" ? "CSV" : "GeoJSON"))), progress);
    fill(heads, COLUMNS.map(([name, key]) => h("th", { scope: "col", "aria-sort": key && sort().replace("-", "") === key ? (sort().startsWith("-") ? "descending" : "ascending") : null },
      key ? h("button.sort", { type: "button", id: "sort-" + key, onclick: () => change({ sort: sort() === "-" + key ? key : "-" + key }) }, t(head(name)), sort().replace("-", "") === key ? (sort().startsWith("-") ? " ▼" : " ▲") : "") : t(head(name)))));
    reading.abort();
    reading = new AbortController();
    count(reading.signal);
    pages("/violations", { ...kept(), sort: values.sort }, row, { body, foot }, reading.signal);
  }

  /** The same filters in numbers; a click on one narrows to it. */
  async function count(until) {
    if (!GROUPS.hasOwnProperty(values.by || "")) return fill(counted);
    try {
      const told = await get("/violations/counts", { ...kept(), by: values.by }, until);
      const name = (item) => ({ office_id: officeName, kind: (k) => word("kind", k), severity: (s) => word("severity", s), state: (s) => word("alertstate", s),
        disposition: (d) => (d ? word("disposition", d) : t("violations.unresolved")) }[values.by] || String)(item[values.by]);
      // The newest day first, else the greatest number.
      const items = values.by === "day" ? [...told.items].reverse() : [...told.items].sort((a, b) => b.episodes - a.episodes);
      const total = items.reduce((n, item) => n + item.episodes, 0);
      const goTo = (item) => (values.by === "day" ? change({ from: item.day, to: item.day, by: "" }) : item[values.by] && change({ [GROUPS[values.by]]: item[values.by], by: "" }));
      fill(counted, h("p.counts", { role: "status" }, t("violations.counted", { n: total, groups: items.length })),
        bars(items.slice(0, COUNTS_MAX).map((item) => ({ name: name(item), value: item.episodes, note: item.ongoing ? t("violations.ongoing.n", { n: item.ongoing }) : "", onclick: () => goTo(item) }))),
        items.length > COUNTS_MAX ? h("p.hint", t("cases.shown", { n: COUNTS_MAX, all: items.length })) : null);
    } catch (fault) {
      if (fault.name !== "AbortError") fill(counted, h("p.fault", { role: "alert" }, fault.message));
    }
  }
  paint();
  return (next) => { values = next.values; paint(); };
}

/** An address may name several where the list offers one at a time. */
const several = (group, value) => (value?.includes(",") ? [[value, value.split(",").map((c) => word(group, c)).join("、")]] : []);

const head = (name) => ({ person: "person", office: "office", finding: "violations.disposition" }[name] || "violations." + name);

function row(e) {
  const evidence = may.locate() ? h("button.quiet", { "data-do": "evidence", title: t("evidence.make"), onclick: (event) => download(event.target, null, `/violations/${encodeURIComponent(e.episode_id)}/evidence`, {}, `evidence-${e.episode_id}.pdf`) }, t("evidence.short")) : null;
  return h("tr", { "data-episode": e.episode_id },
    h("td", h("span", { class: `badge ${e.severity}` }, word("severity", e.severity))),
    h("td.nowrap", h("a", { href: address("board", "", { alert: e.alert_id }) }, word("kind", e.kind)), e.late ? h("span.tag", t("board.late")) : null),
    h("td.nowrap", e.person_id ? h("a", { href: address("people", e.person_id) }, e.person_name || e.person_id) : "", " ", h("small", e.person_id || "")),
    h("td.office", officeName(e.office_id)), h("td.nowrap", { title: time(e.started_at) }, shortTime(e.started_at)),
    h("td.nowrap", { title: time(e.ended_at) }, e.ended_at ? shortTime(e.ended_at) : h("b", t("violations.ongoing"))),
    h("td.nowrap", lasted((e.ended_at ? new Date(e.ended_at) : Date.now()) - new Date(e.started_at))),
    h("td.nowrap", e.disposition ? word("disposition", e.disposition) : word("alertstate", e.state)),
    h("td.wide", e.reason, " ", evidence));
}
