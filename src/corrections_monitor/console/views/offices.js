// 统计: one office and the offices right below it, side by side, as they stand now and over a span of days; who is on
// duty, who was missing; and its daily digest.
import { get } from "../api.js";
import { fill, h, select, table } from "../dom.js";
import { age, shortTime } from "../format.js";
import { showDigest } from "../digest.js";
import { showLoad } from "../load.js";
import { t, word } from "../i18n.js";
import { may, officeName, officeOptions, offices, session } from "../names.js";
import { address, amend } from "../route.js";
import { statistics } from "../statistics.js";

const PEOPLE = ["people", "under_order", "monitored", "silent", "unmonitored", "on_leave", "suspended"];
const BAD = new Set(["silent", "unmonitored"]);

const TABS = { "": now, compare: statistics, digest };

export function show(main, start, signal) {
  const tab = TABS.hasOwnProperty(start.item) ? start.item : "";
  const place = h("div");
  fill(main, h("h1", t("nav.offices")), h("nav.tabs", { "aria-label": t("nav.offices") }, Object.keys(TABS).map((item) =>
    h("a", { href: address("offices", item, { office: start.values.office }), "aria-current": item === tab ? "page" : null }, t("offices." + (item || "now"))))), place);
  const again = TABS[tab](place, start.values, signal);
  return (next) => {
    if (next.item !== start.item) return false;
    again(next.values);
    return true;
  };
}

function digest(place, values, signal) {
  const filters = h("div.filters");
  const body = h("div");
  fill(place, filters, body);
  function read({ office, day }) {
    const chosen = office || session.office_id;
    fill(filters, select("o-office", t("office"), officeOptions(), chosen, (id) => amend("offices", "digest", { office: id })));
    showDigest(body, chosen, day, (other) => amend("offices", "digest", { office, day: other }), signal);
  }
  read(values);
  return read;
}

function now(main, values, signal) {
  const note = h("p", { role: "status" });
  const body = h("tbody");
  const duty = h("section.card");
  const missing = h("section.card", { hidden: true });
  const load = h("section.card", { hidden: true });
  const filters = h("div.filters");
  fill(main, filters, note, table(t("nav.offices"),
    [t("office"), ...PEOPLE.map((p) => [t("offices." + p)]), [t("offices.open")], [t("offices.acknowledged")], t("offices.oldest"), [t("offices.false_share")], [t("offices.uninspected")]], body), duty, missing, load);

  async function read(values) {
    const chosen = values.office || session.office_id;
    fill(filters, select("o-office", t("office"), officeOptions(), chosen, (office) => amend("offices", "", { office })), h("button", { onclick: () => print() }, t("print")));
    fill(note, t("loading"));
    if (may.manage()) showLoad(load, chosen, signal);
    try {
      const below = [...offices.values()].filter((o) => o.parent_id === chosen).map((o) => o.office_id);
      const found = await Promise.all([chosen, ...below].map((id) => get(`/offices/${encodeURIComponent(id)}/summary`, {}, signal)));
      fill(note);
      fill(body, found.map((summary, i) => row(summary, i === 0)));
      fill(duty, h("h2", t("offices.duty")), found[0].on_duty.length ? null : h("p", t("roster.nobody")), h("ul.plain.duty", found[0].on_duty.map((d) => h("li", h("strong", d.name), ` · ${officeName(d.office_id)} · ${t("offices.until", { time: shortTime(d.until) })}`))));
      const steps = found[0].steps_with_nobody;
      missing.hidden = !steps.length;
      fill(missing, h("h2.fault", t("offices.nobody")), h("ul.plain", steps.map((s) => h("li", h("strong", officeName(s.office_id)), ` · ${rungs(s.rung)} · ${t("offices.nobody.row", { n: s.count, time: shortTime(s.latest_at) })}`))));
    } catch (fault) {
      if (fault.name !== "AbortError") fill(note, h("span.fault", { role: "alert" }, fault.message));
    }
  }
  read(values);
  return read;
}

const rungs = (joined) => joined.split("+").map((r) => word("rung", r)).join("、");
const share = ({ false_share: of, resolved }) => (of === null ? "–" : `${Math.round(of * 100)}% / ${resolved}`);

function row(summary, isWhole) {
  const of = (state) => summary.alerts.filter((a) => a.state === state);
  const sum = (rows) => rows.reduce((n, a) => n + a.count, 0);
  const oldest = of("open").map((a) => a.oldest_at).sort((a, b) => new Date(a) - new Date(b))[0];
  const name = summary.office.name;
  return h("tr", h("td", isWhole ? h("strong", name) : h("a", { href: address("offices", "", { office: summary.office.office_id }) }, name)),
    PEOPLE.map((p) => h("td.number", BAD.has(p) && summary.people[p] ? h("strong.fault", String(summary.people[p])) : String(summary.people[p]))),
    h("td.number", String(sum(of("open")))), h("td.number", String(sum(of("acknowledged")))), h("td.nowrap", age(oldest)),
    h("td.number", share(summary.findings)), h("td.number", summary.findings.uninspected_tampers ? h("strong.fault", String(summary.findings.uninspected_tampers)) : "0"));
}
