// 证据保全: of whom nothing may be deleted, for a reason that is logged; in a person's file and as a list.
import { get, send } from "./api.js";
import { ask, field, need } from "./ask.js";
import { fill, h, table } from "./dom.js";
import { time } from "./format.js";
import { t } from "./i18n.js";
import { may, officerName } from "./names.js";
import { address } from "./route.js";

/** What stands above a held person's file; of others, the way to hold them.  ``again`` draws the file anew. */
export function holdNote(person, again) {
  if (person.category === "protected" || (!person.hold && !may.manage())) return null;
  if (!person.hold) return h("p.no-print", h("button#hold-set", { onclick: () => change(person.person_id, false, again) }, t("hold.set")));
  return h("section.card.minor", { "aria-label": t("hold.title") }, h("p", h("strong", t("hold.title")), " ", t("hold.hint")), h("p", said(person.hold)),
    may.manage() ? h("div.do.no-print", h("button#hold-lift", { onclick: () => change(person.person_id, true, again) }, t("hold.lift"))) : null);
}

const said = (hold) => `${hold.reason} · ${officerName(hold.held_by)} · ${time(hold.held_at)}`;

function change(id, lifts, again) {
  const [verb, means, done] = lifts ? [t("hold.lift"), t("hold.lift.means"), t("hold.lifted")] : [t("hold.set"), t("hold.hint"), t("hold.done")];
  const why = h("textarea#hold-reason", { rows: "2", maxlength: "500" });
  ask(verb, [h("p", means), field(t("exchange.why"), why)], verb, async () => {
    need(why.value.trim(), t("exchange.why.missing"));
    await send(lifts ? "POST" : "PUT", `/holds/${encodeURIComponent(id)}${lifts ? "/lift" : ""}`, { reason: why.value.trim() });
    again();
    return done;
  });
}

/** Everyone held, as a part of 系统. */
export function holds(place, _values, signal) {
  async function list() {
    try {
      const { items } = await get("/holds", {}, signal);
      const row = (held) => h("tr", { "data-held": held.person_id }, h("td", h("a", { href: address("people", held.person_id) }, held.person_name), h("br"), h("small", held.person_id)),
        h("td", held.reason), h("td.nowrap", officerName(held.held_by)), h("td.nowrap", time(held.held_at)),
        h("td", may.manage() ? h("button.quiet", { onclick: () => change(held.person_id, true, list) }, t("hold.lift")) : null));
      fill(place, h("p.hint", t("hold.list")), items.length ? table(t("hold.title"), [t("person"), t("hold.why"), t("hold.by"), t("hold.at"), ""], h("tbody", items.map(row)), "stacked") : h("p", t("hold.none")));
    } catch (fault) {
      if (fault.name !== "AbortError") fill(place, h("p.fault", { role: "alert" }, fault.message));
    }
  }
  list();
}
