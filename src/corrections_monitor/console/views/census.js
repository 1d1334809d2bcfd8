// 覆盖核对: everyone under order, those with holes first; made to be printed and signed.
import { all } from "../api.js";
import { fill, h, select, table } from "../dom.js";
import { age, day, lastDay, time } from "../format.js";
import { t, word } from "../i18n.js";
import { officeName, officeOptions, session } from "../names.js";
import { address, amend } from "../route.js";

export function show(main, start, signal) {
  let values = start.values;
  let reading = new AbortController();
  let found = [];
  signal.addEventListener("abort", () => reading.abort());
  const filters = h("div.filters");
  const note = h("p.counts", { role: "status" });
  const body = h("tbody");
  fill(main, h("h1", t("nav.census")), filters, note,
    table(t("nav.census"), [t("person"), t("census.wrong"), t("office"), t("people.officer"), t("person.devices"), t("people.contact"), t("census.order")], body));
  const change = (changed) => amend("census", "", { ...values, ...changed });

  function paint() {
    fill(filters, select("c-office", t("office"), [["", t("all")], ...officeOptions()], values.office || "", (office) => change({ office })),
      h("label.check", h("input#c-only", { type: "checkbox", checked: values.only === "holes", onchange: (e) => change({ only: e.target.checked ? "holes" : "" }) }), " ", t("census.only")),
      h("button", { onclick: () => print() }, t("print")));
    const holes = found.filter((p) => p.wrong.length);
    const shown = values.only === "holes" ? holes : [...holes, ...found.filter((p) => !p.wrong.length)];
    fill(body, shown.map(row));
    fill(note, [t("census.total", { n: found.length }), t("census.holes", { n: holes.length }), officeName(values.office || session.office_id),
      t("census.made", { time: time(Date.now()), who: session.name })].join(" · "));
  }

  async function read() {
    reading.abort();
    reading = new AbortController();
    try {
      found = await all("/census", { office: values.office }, (n) => fill(note, t("loaded", { n })), reading.signal);
      paint();
    } catch (fault) {
      if (fault.name !== "AbortError") fill(note, h("span.fault", { role: "alert" }, fault.message), h("button", { onclick: read }, t("retry")));
    }
  }
  paint();
  read();
  return (next) => {
    const isOther = next.values.office !== values.office;
    values = next.values;
    paint();
    if (isOther) read();
  };
}

const wrongWord = (code) => (code.startsWith("no-") ? word("wrong", code) : word("kind", code));

const row = (p) => h("tr", { class: p.wrong.length ? "wrong" : "" },
  h("td.nowrap", h("a", { href: address("people", p.person_id) }, p.name), " ", h("small", p.person_id), p.level === "strict" ? h("span.tag.wrong", word("level", "strict")) : null),
  h("td", p.wrong.length ? h("strong.fault", p.wrong.map(wrongWord).join("、")) : t("census.fine"),
    p.suspended ? h("span.tag", t("state.suspended")) : null, p.on_leave ? h("span.tag", t("state.leave")) : null),
  h("td", officeName(p.office_id)), h("td.nowrap", p.officer_name || ""),
  h("td", p.devices.map((d) => word("device", d.kind)).join("、")),
  h("td.nowrap", p.last_contact ? `${time(p.last_contact).slice(5, 16)}（${age(p.last_contact)}）` : t("census.never")),
  h("td.nowrap", lastDay(p.order_ends) || day(p.order_ends)));
