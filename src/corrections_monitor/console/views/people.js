// 人员档案: the list with its search; one person's file when the address names one.
import { fill, h, select, table } from "../dom.js";
import { age, shortTime } from "../format.js";
import { t, word } from "../i18n.js";
import { officeName, officeOptions } from "../names.js";
import { pages } from "../pager.js";
import { showFile } from "../person_file.js";
import { address, amend } from "../route.js";
import { gravest, standing } from "../standing.js";

const CATEGORIES = ["control", "probation", "parole", "medical", "protected"];
const TYPING_MS = 250;

export function show(main, start, signal) {
  if (start.item) return void showFile(main, start.item, signal);
  let { values } = start;
  let reading = new AbortController();
  let typing = 0;
  signal.addEventListener("abort", () => { reading.abort(); clearTimeout(typing); });
  const body = h("tbody");
  const foot = h("div.more");
  const change = (changed) => amend("people", "", { ...values, ...changed });
  const name = h("input#people-name", { type: "search", value: values.name || "", oninput: () => {
    clearTimeout(typing);
    typing = setTimeout(() => change({ name: name.value.trim() }), TYPING_MS);
  } });
  fill(main, h("h1", t("nav.people")),
    h("div.filters", h("label.field", h("span", t("people.name")), name),
      select("people-office", t("office"), [["", t("all")], ...officeOptions()], values.office || "", (office) => change({ office })),
      select("people-category", t("people.category"), [["", t("all")], ...CATEGORIES.map((c) => [c, word("category", c)])], values.category || "", (category) => change({ category }))),
    table(t("nav.people"), [t("person"), t("people.state"), t("people.category"), t("office"), t("people.officer"), t("people.contact")], body), foot);
  function read() {
    reading.abort();
    reading = new AbortController();
    const severities = gravest();
    pages("/people", values, (person) => row(person, severities), { body, foot }, reading.signal);
  }
  read();
  return (next) => {
    if (next.item) return false;
    values = next.values;
    read();
    return true;
  };
}

function row(person, severities) {
  const state = standing(person, severities);
  return h("tr", h("td", h("a", { href: address("people", person.person_id) }, person.name), " ", h("small", person.person_id)),
    h("td.nowrap", h("span", { class: `badge ${state}` }, t("state." + state)), " ",
      h("small", person.open_episodes.map((e) => word("kind", e.kind)).join("、"))),
    h("td.nowrap", word("category", person.category), person.level === "strict" ? h("span.tag.wrong", word("level", "strict")) : null),
    h("td", officeName(person.office_id)), h("td", person.officer_name || ""), h("td.nowrap", person.last_contact ? `${shortTime(person.last_contact)}（${age(person.last_contact)}）` : h("b.fault", t("census.never"))));
}
