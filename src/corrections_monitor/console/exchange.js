// 名册交换: what came from the management system, what it would change, and the word of a person on it.
import { get, send } from "./api.js";
import { ask, field, need } from "./ask.js";
import { fill, h, table } from "./dom.js";
import { time } from "./format.js";
import { t, word } from "./i18n.js";
import { officerName } from "./names.js";
import { pages } from "./pager.js";
import { amend } from "./route.js";

const PARTS = ["gone", "changed", "new"];
const READ_AGAIN_MS = 5_000;

export function exchange(place, first, signal) {
  let reading = new AbortController();
  let { id } = first;
  signal.addEventListener("abort", () => reading.abort());
  const last = h("p.counts", { role: "status" });
  const body = h("tbody");
  const foot = h("div.more");
  const one = h("div");
  fill(place, h("p.hint", t("exchange.hint")), last,
    table(t("system.exchange"), [t("exchange.came"), t("exchange.state"), t("exchange.difference"), [t("exchange.holes")], [t("exchange.faults")], t("exchange.decided"), ""], body), foot, one);

  function list() {
    reading.abort();
    reading = new AbortController();
    pages("/roster", {}, row, { body, foot }, reading.signal, (page) => fill(last, page.last ? t("exchange.last", { at: time(page.last.at), outcome: word("came", page.last.outcome), next: time(page.last.next_at) }) : t("exchange.never")));
  }
  const row = (x) => h("tr", { "data-exchange": String(x.id) }, h("td.nowrap", time(x.came_at)), h("td.nowrap", h("span", { class: x.state === "pending" || x.state === "faulty" ? "tag wrong" : "tag" }, word("came", x.state))),
    h("td", inNumbers(x.counts)), h("td.number", String(x.holes || "")), h("td.number", String(x.faults || "")),
    h("td", x.decided_by ? `${officerName(x.decided_by)} ${x.reason || ""}` : ""), h("td", h("button", { "aria-expanded": String(String(x.id) === id), onclick: () => amend("system", "exchange", { id: String(x.id) }) }, t("exchange.look"))));

  async function open() {
    if (!id) return void fill(one);
    try {
      const found = await get(`/roster/${encodeURIComponent(id)}`, {}, signal);
      fill(one, whole(found));
      // What is confirmed is applied by the daemon within seconds.
      if (found.state === "confirmed") setTimeout(() => { if (!signal.aborted) { list(); open(); } }, READ_AGAIN_MS);
    } catch (fault) {
      if (fault.name !== "AbortError") fill(one, h("p.fault", { role: "alert" }, fault.message));
    }
  }

  const whole = (x) => h("section.card#exchange-one", h("h2", t("exchange.one", { at: time(x.came_at) }), " ", h("small", word("came", x.state))),
    h("p.hint", x.source),
    x.state === "pending" ? h("div.do", h("button.primary#exchange-confirm", { onclick: () => decide(x, "confirm") }, t("exchange.confirm")), h("button#exchange-refuse", { onclick: () => decide(x, "refuse") }, t("exchange.refuse"))) : null,
    x.holes.length ? h("section", h("h3.fault", t("exchange.would")), h("ul.plain.holes", x.holes.map(hole))) : null,
    x.faults.length ? h("section", h("h3.fault", t("exchange.faults")), h("ul.plain", x.faults.map((fault) => h("li", h("code", fault))))) : null,
    Object.entries(x.difference).map(([name, parts]) => h("details", { open: true }, h("summary", `${t("cases." + name)}（${inNumbers({ [name]: numbers(parts) }, false)}）`),
      PARTS.map((part) => (parts[part].count ? rows(part, parts[part]) : null)))),
    Object.keys(x.difference).length || x.faults.length ? null : h("p", t("exchange.same")));

  const hole = (o) => h("li", h("strong", word("hole", o.kind)), ` ${o.name} `, h("small", o.subject === "*" ? "" : o.subject), " ",
    o.before || o.after ? `${o.before} → ${o.after}` : [time(o.from).slice(0, 16), o.to ? ` – ${time(o.to).slice(0, 16)}` : ` ${t("exchange.on")}`]);

  const rows = (part, { count, rows: shown }) => h("ul.plain", { "data-part": part }, shown.map((r) =>
    h("li", h("span", { class: part === "gone" ? "tag wrong" : "tag" }, t("exchange." + part)), " ", h("strong", r.name), " ", h("small", r.key),
      Object.entries(r.columns || {}).map(([column, [was, becomes]]) => h("div", `${word("cases", column)}：`, h("del", was || "—"), " → ", h("ins", becomes || "—"))))),
    count > shown.length ? h("li", t("exchange.more", { n: count - shown.length })) : null);

  function decide(x, what) {
    const why = h("textarea#exchange-why", { rows: "2", maxlength: "500" });
    ask(t("exchange." + what), [h("p", t("exchange." + what + ".means", { n: x.holes.length })), field(t("exchange.why"), why)], t("exchange." + what), async () => {
      need(why.value.trim(), t("exchange.why.missing"));
      await send("POST", `/roster/${x.id}/${what}`, { reason: why.value.trim() });
      list();
      open();
      return t("exchange.done." + what);
    });
  }

  list();
  open();
  return (values) => {
    id = values.id;
    list();
    open();
  };
}

const numbers = (parts) => Object.fromEntries(PARTS.map((part) => [part, parts[part].count]));

/** 人员 +1 ~2 −3、… */
const inNumbers = (counts, named = true) => Object.entries(counts).map(([name, n]) =>
  [named ? t("cases." + name) : "", n.new ? `+${n.new}` : "", n.changed ? `~${n.changed}` : "", n.gone ? `−${n.gone}` : ""].filter(Boolean).join(" ")).join("、");
