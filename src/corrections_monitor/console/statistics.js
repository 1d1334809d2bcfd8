// 统计: offices side by side over a span of days, in a table and in plots; every number leads to what it counts.
import { get } from "./api.js";
import { fill, h, select, table } from "./dom.js";
import { day, lasted } from "./format.js";
import { t } from "./i18n.js";
import { officeOptions, session } from "./names.js";
import { bars } from "./plot.js";
import { address, amend } from "./route.js";

const SPANS = [7, 30, 90];
const DAY_MS = 86_400_000;
const SILENCES = "silence.device,silence.position,silence.band";
const FALSE = "false_alarm,device_fault";
const percent = (share) => (share === null ? "–" : `${Math.round(share * 100)}%`);
const span = (s) => lasted(s * 1_000);

/** Reads and shows what the values of the address ask for. */
export function statistics(place, start, signal) {
  const filters = h("div.filters");
  const note = h("p", { role: "status" });
  const body = h("div");
  fill(place, filters, note, body);
  let reading = null;
  signal.addEventListener("abort", () => reading?.abort());

  async function read(values) {
    reading?.abort();
    reading = new AbortController();
    const asked = { office: values.office || session.office_id, ...days(values) };
    paintFilters(filters, asked, values);
    fill(note, t("loading"));
    try {
      const told = await get(`/offices/${encodeURIComponent(asked.office)}/statistics`, { from: asked.from, to: asked.to }, reading.signal);
      fill(note);
      fill(body, comparison(told, asked), plots(told, asked), ...trends(told, reading.signal));
    } catch (fault) {
      if (fault.name !== "AbortError") fill(note, h("span.fault", { role: "alert" }, fault.message), h("button", { onclick: () => read(values) }, t("retry")));
    }
  }
  read(start);
  return read;
}

function days({ from, to }) {
  const last = to || day(Date.now());
  return { from: from || before(last, 30), to: last };
}

/** The first of so many days of which ``last`` is the last. */
const before = (last, n) => new Date(Date.parse(last) - (n - 1) * DAY_MS).toISOString().slice(0, 10);

function paintFilters(filters, asked, values) {
  const change = (changed) => amend("offices", "compare", { ...values, ...changed });
  const date = (name) => h("label.field", h("span", t(name)), h("input", { id: "s-" + name, type: "date", value: asked[name], onchange: (e) => change({ ...asked, [name]: e.target.value }) }));
  const today = day(Date.now());
  const lately = (n) => asked.to === today && asked.from === before(today, n);
  fill(filters, select("s-office", t("office"), officeOptions(), asked.office, (office) => change({ office })), date("from"), date("to"),
    h("span.buttons", { role: "group", "aria-label": t("stats.span") }, SPANS.map((n) => h("button.chip-plain", { id: "s-" + n, "aria-pressed": String(lately(n)), onclick: () => change({ from: before(today, n), to: today }) }, t("stats.days", { n })))),
    h("button.no-print", { onclick: () => print() }, t("print")));
}

/** The violations that a number counts. */
const those = (office, { from, to }, more = {}) => address("violations", "", { office: office.office_id, from, to, ...more });

function comparison({ offices }, asked) {
  const pair = (two) => (two ? `${span(two.median)} / ${span(two.p90)}` : "–");
  const row = (o) => h("tr", { "data-office": o.office_id, class: o.whole ? "whole" : null },
    h("td", o.whole ? h("strong", o.name) : h("a", { href: address("offices", "compare", { ...asked, office: o.office_id }) }, o.name)),
    h("td.number", String(o.people)),
    h("td.number", o.alerts ? h("a", { href: those(o, asked) }, String(o.alerts)) : "0"),
    h("td.number", String(o.paging)),
    h("td.number", o.unanswered ? h("strong.fault", String(o.unanswered)) : "0"),
    h("td.number", o.false_share ? h("a", { href: those(o, asked, { disposition: FALSE }) }, percent(o.false_share)) : percent(o.false_share), o.found ? h("small", ` / ${o.found}`) : null),
    h("td.number.nowrap", pair(o.to_answer_s)), h("td.number.nowrap", pair(o.to_resolve_s)),
    h("td.number", o.people_silent ? h("a", { href: those(o, asked, { kind: SILENCES }) }, String(o.people_silent)) : "0"),
    h("td.number", o.people_silent_now ? h("strong.fault", String(o.people_silent_now)) : "0"));
  return [table(t("nav.offices"), [t("office"), ...["people", "alerts", "paging", "unanswered", "false_share", "to_answer", "to_resolve", "silent", "silent_now"].map((name) => [t("stats." + name)])],
    h("tbody", offices.map(row)), "wide-head"), h("p.hint", t("stats.hint"))];
}

/** One picture for each quantity, the offices below in the same order in all of them. */
function plots({ offices }, asked) {
  const below = offices.filter((o) => !o.whole);
  if (!below.length) return null;
  const picture = (name, value, text, more, tail) => h("section.card", { "data-plot": name }, h("h2", t("stats." + name)), bars(below.map((o) => ({
    name: o.name, value: value(o), text: text(o), tail: tail?.(o), href: those(o, asked, more) }))));
  const timed = (name, key) => picture(name, (o) => o[key]?.median, (o) => (o[key] ? span(o[key].median) : "–"), { severity: "critical,major" }, (o) => o[key]?.p90);
  return h("div.cards.compare",
    picture("alerts", (o) => o.alerts, (o) => String(o.alerts), {}),
    picture("false_share", (o) => o.false_share, (o) => percent(o.false_share), { disposition: FALSE }),
    timed("to_answer", "to_answer_s"), timed("to_resolve", "to_resolve_s"),
    picture("silent", (o) => o.people_silent, (o) => String(o.people_silent), { kind: SILENCES }));
}

/** The whole office day by day. */
function trends({ offices, days: found }, signal) {
  const daily = found.map((d) => d.day);
  const of = (key, part) => found.map((d) => (d[key] ? d[key][part] : null));
  const figure = (title, series) => {
    const place = h("div.chart");
    import("./chart.js").then(({ byDay }) => { if (!signal.aborted) byDay(place, title, daily, series, signal); });
    return h("section.card", h("h2", `${title} · ${offices[0].name}`), place);
  };
  return [figure(t("stats.daily"), [
    { label: t("stats.alerts"), values: found.map((d) => d.alerts), ink: "info", bars: true, text: String },
    { label: t("stats.paging"), values: found.map((d) => d.paging), ink: "major", text: String }]),
  figure(t("stats.daily_answer"), [
    { label: t("stats.median"), values: of("to_answer_s", "median"), ink: "strong", text: span },
    { label: t("stats.p90"), values: of("to_answer_s", "p90"), ink: "major", dash: [6, 4], text: span }])];
}
