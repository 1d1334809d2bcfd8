// 未成年人档案: guarded separately; opened by few, for a reason that is logged.
import { get, send } from "./api.js";
import { ask, field, need, options } from "./ask.js";
import { h } from "./dom.js";
import { toast } from "./frame.js";
import { t } from "./i18n.js";
import { may, officerOptions } from "./names.js";

/** What stands above a minor's file; ``open`` is given the reason.  Of others, the way to guard it. */
export function minorNote(person, isOpen, open, again) {
  if (person.category === "protected") return null;
  if (!person.minor) return may.manage() ? h("p.no-print", h("button#minor-guard", { onclick: () => guard(person, again) }, t("minor.guard"))) : null;
  const why = h("input#minor-why", { type: "text", maxlength: "500", required: true });
  return h("section.card.minor", { "aria-label": t("minor.title") }, h("p", h("strong", t("minor.title")), " ", t("minor.hint")),
    isOpen ? h("p", t("minor.opened")) : h("form.filters", { onsubmit: (event) => { event.preventDefault(); if (why.value.trim()) open(why.value.trim()); } },
      field(t("minor.why"), why), h("button#minor-open", t("minor.open"))),
    may.manage() ? h("div.do.no-print", h("button", { onclick: () => guard(person, again) }, t("minor.officers")), h("button#minor-lift", { onclick: () => lift(person, again) }, t("minor.lift"))) : null);
}

async function guard(person, again) {
  // Who is named stays named until taken out.
  let named = [];
  try {
    if (person.minor) named = (await get("/minors")).items.find((m) => m.person_id === person.person_id)?.officers || [];
  } catch (fault) {
    return toast(fault.message, true);
  }
  const why = h("textarea#minor-reason", { rows: "2", maxlength: "500" });
  const officers = h("select#minor-officers", { multiple: true, size: "6" }, options(officerOptions()));
  for (const option of officers.options) option.selected = named.includes(option.value);
  ask(t("minor.guard"), [h("p", t("minor.hint")), field(t("minor.officers"), officers), field(t("exchange.why"), why)], t("minor.guard"), async () => {
    need(why.value.trim(), t("exchange.why.missing"));
    await send("PUT", `/minors/${encodeURIComponent(person.person_id)}`, { reason: why.value.trim(), officers: [...officers.selectedOptions].map((o) => o.value) });
    again();
    return t("minor.done");
  });
}

function lift(person, again) {
  const why = h("textarea#minor-reason", { rows: "2", maxlength: "500" });
  ask(t("minor.lift"), [h("p", t("minor.lift.means")), field(t("exchange.why"), why)], t("minor.lift"), async () => {
    need(why.value.trim(), t("exchange.why.missing"));
    await send("POST", `/minors/${encodeURIComponent(person.person_id)}/lift`, { reason: why.value.trim() });
    again();
    return t("minor.lifted");
  });
}
