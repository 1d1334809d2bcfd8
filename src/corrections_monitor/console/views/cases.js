// 值班与区域: who is on duty, orders, leaves, suspensions, devices, and the zones on a map.
import { all } from "../api.js";
import { openForm } from "../case_form.js";
import { isStanding, TABLES } from "../case_tables.js";
import { fill, h, select, table } from "../dom.js";
import { t } from "../i18n.js";
import { officeOptions, session } from "../names.js";
import { handOver, holds, isMine, rosterNotes, rotate, standIn } from "../roster.js";
import { address, amend } from "../route.js";
import { showZones } from "../zones.js";

const TABS = ["duty", "orders", "leaves", "suspensions", "devices", "zones"];
const SHOWN_MAX = 500;

export function show(main, start, signal) {
  let { item, values } = start;
  const name = TABS.includes(item) ? item : "duty";
  const tabs = h("nav.tabs", { "aria-label": t("nav.cases") }, TABS.map((tab) =>
    h("a", { href: address("cases", tab, { office: values.office, person: values.person }), "aria-current": tab === name ? "page" : null }, t("cases." + tab))));
  const place = h("div");
  fill(main, h("h1", t("nav.cases")), tabs, place);
  if (name === "zones") return showZones(place, start, signal);
  const spec = TABLES[name];
  const filters = h("div.filters");
  const note = h("p.counts", { role: "status" });
  const body = h("tbody");
  const isDuty = name === "duty";
  const beside = h("div.cards.roster", { hidden: !isDuty });
  const notes = isDuty ? rosterNotes(beside, signal) : null;
  const acts = isDuty || spec.may();
  fill(place, filters, beside, note, table(t("cases." + name), [...spec.columns.map(([head]) => t(head)), ...(acts ? [""] : [])], body, isDuty ? "stacked" : ""));
  const change = (changed) => amend("cases", name, { ...values, ...changed });
  let reading = new AbortController();
  let found = [];
  signal.addEventListener("abort", () => reading.abort());

  function paint() {
    fill(filters, select("k-office", t("office"), [["", t("all")], ...officeOptions()], values.office || "", (office) => change({ office })),
      isDuty ? null : h("label.field", h("span", t("violations.person")), h("input", { id: "k-person", type: "search", value: values.person || "", onchange: (e) => change({ person: e.target.value.trim() }) })),
      h("label.check", h("input#k-old", { type: "checkbox", checked: values.old === "yes", onchange: (e) => change({ old: e.target.checked ? "yes" : "" }) }), " ", t("cases.old")),
      spec.may() ? h("button.primary#k-new", { onclick: () => edit(null) }, t("cases.new")) : null,
      isDuty && spec.may() ? h("button#k-rotate", { onclick: () => rotate(values.office || session.office_id, read) }, t("roster.rotation")) : null);
    const wanted = found.filter((row) => values.old === "yes" || isStanding(row)).sort(bySoonestEnd);
    const shown = wanted.slice(0, SHOWN_MAX);
    fill(body, shown.map(line));
    fill(note, shown.length < wanted.length ? t("cases.shown", { n: shown.length, all: wanted.length }) : wanted.length ? t("violations.shown", { n: wanted.length }) : t("none"));
  }

  const line = (row) => h("tr", { "data-row": row.id }, spec.columns.map(([, show_]) => h("td", show_(row))),
    acts ? h("td", h("div.do", isDuty ? turnButtons(row) : null, spec.may() ? h("button", { onclick: () => edit(row.id) }, t("cases.edit")) : null)) : null);

  const turnButtons = (row) => [
    isMine(row) && holds(row) ? h("button.primary", { "data-do": "handover", onclick: () => handOver(row, read) }, t("roster.handover")) : null,
    isStanding(row) && (spec.may() || isMine(row)) ? h("button", { "data-do": "stand-in", onclick: () => standIn(row, read) }, t("roster.stand-in")) : null];

  const edit = (id) => openForm(name, spec, id, { person_id: values.person || "", office_id: values.office || session.office_id }, read);

  async function read() {
    reading.abort();
    reading = new AbortController();
    notes?.read(values);
    try {
      found = await all("/" + name, { office: values.office, person: values.person }, (n) => fill(note, t("loaded", { n })), reading.signal);
      paint();
    } catch (fault) {
      if (fault.name !== "AbortError") fill(note, h("span.fault", { role: "alert" }, fault.message), h("button", { onclick: read }, t("retry")));
    }
  }
  paint();
  fill(note, t("loading"));
  read();
  return (next) => {
    if (next.item !== item) return false;
    const isOther = next.values.office !== values.office || next.values.person !== values.person;
    values = next.values;
    paint();
    if (isOther) read();
    return true;
  };
}

/** What ends soonest first; what never ends last. */
const bySoonestEnd = (a, b) => (a.to || "9999") < (b.to || "9999") ? -1 : (a.to || "9999") > (b.to || "9999") ? 1 : a.id < b.id ? -1 : 1;
