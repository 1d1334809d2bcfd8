// 系统: whether anybody monitors, what waits, what could not be used, who did what; one's own account.
import { account } from "../account.js";
import { get } from "../api.js";
import { facts, fill, h, table } from "../dom.js";
import { exchange } from "../exchange.js";
import { age, lasted, time } from "../format.js";
import { holds } from "../hold.js";
import { t, word } from "../i18n.js";
import { may, officerName } from "../names.js";
import { pages } from "../pager.js";
import { address, amend } from "../route.js";

const READ_AGAIN_MS = 10_000;
const FALLING_BEHIND_MS = 10_000;

export function show(main, start, signal) {
  let { item, values } = start;
  const parts = ["health", ...(may.manage() ? ["exchange"] : []), ...(may.inspect() ? ["quarantine"] : []), ...(may.audit() ? ["holds", "audit"] : []), "account"];
  const name = parts.includes(item) ? item : "health";
  const place = h("div");
  fill(main, h("h1", t("nav.system")),
    h("nav.tabs", { "aria-label": t("nav.system") }, parts.map((part) => h("a", { href: address("system", part), "aria-current": part === name ? "page" : null }, t("system." + part)))), place);
  const draw = { health, exchange, quarantine, holds, audit, account }[name];
  const again = draw(place, values, signal);
  return (next) => {
    if (next.item !== item) return false;
    values = next.values;
    again?.(values);
    return true;
  };
}

function health(place, _values, signal) {
  const body = h("div.cards");
  fill(place, body);
  async function read() {
    try {
      const told = await get("/system", {}, signal);
      fill(body, sight(told), waiting(told));
    } catch (fault) {
      if (fault.name !== "AbortError") fill(body, h("p.fault", { role: "alert" }, fault.message));
    }
  }
  read();
  const reading = setInterval(read, READ_AGAIN_MS);
  signal.addEventListener("abort", () => clearInterval(reading));
}

function sight({ ready, reason, monitor, now }) {
  const isBehind = monitor && monitor.lag_ms > FALLING_BEHIND_MS;
  return h("section.card", h("h2", t("system.sight")),
    // Where no daemon ever ran nobody is blind, but nobody sees either.
    monitor || !ready ? h("p", { class: ready ? "verdict good" : "verdict fault", role: "status" }, ready ? `✓ ${t("system.ready")}` : `✕ ${t("blind")} ${reason}`) : null,
    monitor ? facts([
      [t("system.committed"), h("span", { class: isBehind ? "fault" : "" }, `${time(monitor.committed_at)}（${lasted(monitor.lag_ms)}）`)],
      [t("system.queue"), String(monitor.waiting_messages)],
      [t("offices.monitored"), String(monitor.monitored)],
      [t("offices.silent"), String(monitor.silent)],
      [t("system.now"), time(now)],
    ]) : h("p.verdict.fault", `✕ ${t("system.never")}`));
}

const waiting = ({ unanswered, pages: due, quarantined }) => h("section.card", h("h2", t("system.waits")), facts([
  ...Object.entries(unanswered).reverse().map(([severity, { count, oldest_at }]) =>
    [`${t("offices.open")} ${word("severity", severity)}`, t("system.count-oldest", { n: count, age: age(oldest_at) })]),
  [t("system.pages"), h("span", { class: due.overdue ? "fault" : "" }, t("system.pages.due", { n: due.due, late: due.overdue }))],
  [t("system.quarantine"), String(quarantined)],
]));

function quarantine(place, first, signal) {
  let reading = new AbortController();
  signal.addEventListener("abort", () => reading.abort());
  const body = h("tbody");
  const foot = h("div.more");
  const filters = h("div.filters");
  const reasons = h("div.chips");
  fill(place, h("p.hint", t("system.quarantine.hint")), filters, reasons,
    table(t("system.quarantine"), [t("system.arrived"), t("cases.device_id"), t("system.reason"), t("system.detail"), t("system.topic"), t("system.payload")], body, "stacked"), foot);
  function paint(values) {
    const change = (changed) => amend("system", "quarantine", { ...values, ...changed });
    fill(filters, h("label.field", h("span", t("cases.device_id")), h("input#q-device", { type: "search", value: values.device || "", onchange: (e) => change({ device: e.target.value.trim() }) })));
    reading.abort();
    reading = new AbortController();
    const chip = (r) => h("button.chip", { "aria-pressed": String(values.reason === r.reason), title: time(r.newest_at),
      onclick: () => change({ reason: values.reason === r.reason ? "" : r.reason }) }, `${word("reject", r.reason)} ${r.count}`);
    pages("/quarantine", { reason: values.reason, device: values.device }, (q) => h("tr", h("td.nowrap", time(q.arrived_at)), h("td.nowrap", q.device_id || "—"), h("td.nowrap", word("reject", q.reason)),
      h("td", q.detail || ""), h("td", q.topic), h("td.wide", q.payload ? h("details", h("summary", t("system.payload")), h("code", q.payload)) : "")), { body, foot }, reading.signal, (page) => fill(reasons, page.reasons.map(chip)));
  }
  paint(first);
  return paint;
}

function audit(place, first, signal) {
  let reading = new AbortController();
  signal.addEventListener("abort", () => reading.abort());
  const body = h("tbody");
  const foot = h("div.more");
  const filters = h("div.filters");
  fill(place, filters, table(t("system.audit"), [t("system.at"), t("system.actor"), t("system.action"), t("system.target"), t("system.detail")], body, "stacked"), foot);
  function paint(values) {
    const change = (changed) => amend("system", "audit", { ...values, ...changed });
    const input = (name, type = "search") => h("label.field", h("span", t(["from", "to"].includes(name) ? name : "system." + name)), h("input", { id: "a-" + name, type, value: values[name] || "", onchange: (e) => change({ [name]: e.target.value.trim() }) }));
    fill(filters, input("actor"), input("action"), input("target"), input("from", "date"), input("to", "date"));
    reading.abort();
    reading = new AbortController();
    pages("/audit", values, (a) => h("tr", h("td.nowrap", time(a.at)), h("td.nowrap", officerName(a.actor)), h("td.nowrap", word("action", a.action)), h("td.nowrap", a.target || ""),
      h("td.wide", h("span.detail", a.detail?.reason || a.detail?.why || ""), " ", h("details", h("summary", `#${a.seq}`), h("code", JSON.stringify(a.detail)), h("br"), h("small", a.hash)))), { body, foot }, reading.signal);
  }
  paint(first);
  return paint;
}
