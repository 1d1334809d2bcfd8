// One person whole (一人一档): order and its end, devices, zones and hours, leaves, what is open, what was.
import { all, get } from "./api.js";
import { facts, fill, h } from "./dom.js";
import { age, day, daysLeft, isNow, lastDay, shortTime, time } from "./format.js";
import { holdNote } from "./hold.js";
import { t, word } from "./i18n.js";
import { minorNote } from "./minor.js";
import { may, officeName, officerName, offices } from "./names.js";
import { pages } from "./pager.js";
import { address } from "./route.js";
import { scheduleText, weekStrip } from "./schedule.js";
import { trackCard } from "./track.js";
import { videoButton } from "./video.js";

/** ``reason``: why the file of a minor is opened. */
export async function showFile(main, id, signal, reason = "") {
  fill(main, h("p", t("loading")));
  try {
    const person = await get(`/people/${encodeURIComponent(id)}`, reason ? { reason } : {}, signal);
    const zones = await zonesOf(person, signal);
    if (signal.aborted) return;
    const again = () => showFile(main, id, signal);
    const note = [minorNote(person, Boolean(reason), (why) => showFile(main, id, signal, why), again), holdNote(person, again)];
    draw(main, person, zones, signal, note);
  } catch (fault) {
    if (fault.name !== "AbortError") fill(main, h("p.fault", { role: "alert" }, fault.message), back());
  }
}

/** Own zones, those of their offices upwards as far as one sees, and those that leaves name. */
async function zonesOf(person, signal) {
  const chain = [];
  for (let office = person.office_id; office; office = offices.get(office)?.parent_id) chain.push(office);
  const found = await Promise.all([person.person_id, ...chain, "*"].map((who) => all("/zones", { person: who }, () => {}, signal)));
  const named = person.leaves.filter(isNow).flatMap((leave) => leave.zone_ids);
  const more = await Promise.all(named.map((zone) => get(`/zones/${encodeURIComponent(zone)}`, {}, signal).catch(() => null)));
  return [...found.flat(), ...more.filter(Boolean)];
}

const back = () => h("p.no-print", h("a", { href: address("people") }, "← ", t("person.back")));

function draw(main, person, zones, signal, note) {
  const body = h("tbody");
  const foot = h("div.more");
  fill(main, back(), h("div.title", h("h1", `${person.name} `, h("small", person.person_id)), person.category !== "protected" ? videoButton(person.person_id, openAlert(person)) : null), note,
    h("div.file", h("div", identity(person), order(person), devices(person), zoneCard(person, zones), absences(person)),
      h("div", person.category !== "protected" && may.locate() ? trackCard(person, zones, signal) : null, openCard(person),
        h("section.card", h("h2", t("person.history")),
          h("div.scroll", { tabindex: "0", role: "region", "aria-label": t("person.history") }, h("table", h("thead", h("tr", ["violations.kind", "violations.started", "violations.ended", "violations.reason"].map((k) => h("th", { scope: "col" }, t(k))))), body)), foot))));
  pages("/violations", { person: person.person_id }, past, { body, foot }, signal);
}

/** Where a note on this person belongs: an alert of theirs that is still open. */
const openAlert = (person) => {
  const found = person.open_episodes.find((e) => e.alert_id);
  return found ? { alert_id: found.alert_id, person_name: person.name } : null;
};

const identity = (p) => h("section.card", facts([
  [t("people.category"), word("category", p.category)],
  [t("people.state"), p.level ? word("level", p.level) : null],
  [t("office"), officeName(p.office_id)],
  [t("people.officer"), p.officer_name],
  [t("person.term"), p.from || p.to ? `${day(p.from)} – ${lastDay(p.to)}` : null],
  [t("people.contact"), p.last_contact ? `${time(p.last_contact)}（${age(p.last_contact)}）` : t("census.never")],
]));

function order(person) {
  if (person.category === "protected") return null;
  const current = person.orders.filter(isNow).sort((a, b) => new Date(b.to) - new Date(a.to))[0];
  return h("section.card", h("h2", t("person.order"), " ", h("small", edit(person, "orders"))),
    current ? facts([
      [t("person.ends"), h("strong", { class: daysLeft(current.to) <= 14 ? "fault" : "" }, t("person.until", { day: lastDay(current.to), n: daysLeft(current.to) }))],
      [t("person.ground"), t("person.ground.text", { n: current.ground.split(".")[1] })],
      [t("person.approved"), `${officerName(current.approved_by)} ${current.approved_on}`],
    ]) : h("p.fault", t("person.order.none")),
    person.orders.length > 1 || !current ? h("details", h("summary", `${t("person.orders")} (${person.orders.length})`),
      h("ul.plain", person.orders.map((o) => h("li", `${day(o.from)} – ${lastDay(o.to)} · ${o.order_id}`)))) : null);
}

const devices = (person) => h("section.card", h("h2", t("person.devices")), h("ul.plain", person.devices.map((d) =>
  h("li", h("strong", word("device", d.kind)), ` ${d.device_id} · ${t("person.every", { n: d.report_every_s })}`,
    d.battery_pct !== undefined && d.battery_pct !== null ? ` · ${t("person.battery")} ${d.battery_pct}%` : "", isNow(d) ? null : h("span.tag", `${day(d.from)} – ${lastDay(d.to)}`)))));

/** The way from a file to the table where it is changed. */
const edit = (person, table) => h("a.no-print", { href: address("cases", table, { person: person.person_id }), "data-edit": table }, t(may.edit() ? "cases.edit" : "cases.look"));

const zoneCard = (person, zones) => h("section.card", h("h2", t("person.zones"), " ", h("small", edit(person, "zones"))), h("ul.plain", zones.map(({ properties: p }) =>
  h("li", { class: p.kind }, h("strong", p.name), ` · ${word("zonekind", p.kind)} · ${scheduleText(p.schedule)}`, p.schedule ? weekStrip(p.schedule) : null))));

function absences(person) {
  const span = (row) => `${time(row.from).slice(0, 16)} – ${time(row.to).slice(0, 16)}`;
  const now = (row) => (isNow(row) ? h("span.tag", t("now")) : null);
  return [
    h("section.card", h("h2", t("person.leaves"), " ", h("small", edit(person, "leaves"))), h("ul.plain", person.leaves.map((l) =>
      h("li", span(l), " · ", l.zone_ids.length ? l.zone_ids.join("、") : t("person.anywhere"), now(l))))),
    person.suspensions.length ? h("section.card", h("h2", t("person.suspensions")), h("ul.plain", person.suspensions.map((s) =>
      h("li", span(s), " · ", s.reason, now(s))))) : null,
  ];
}

const openCard = (person) => person.open_episodes.length ? h("section.card", h("h2", t("person.open")), h("ul.plain", person.open_episodes.map((e) =>
  h("li", h("span", { class: `badge ${e.severity}` }, word("severity", e.severity)), " ",
    e.alert_id ? h("a", { href: address("board", "", { alert: e.alert_id }) }, word("kind", e.kind)) : word("kind", e.kind), ` · ${shortTime(e.started_at)} · ${age(e.started_at)}`)))) : null;

const past = (e) => h("tr", h("td.nowrap", h("a", { href: address("board", "", { alert: e.alert_id }) }, word("kind", e.kind))),
  h("td.nowrap", shortTime(e.started_at)), h("td.nowrap", e.ended_at ? shortTime(e.ended_at) : t("violations.ongoing")), h("td", e.reason));
