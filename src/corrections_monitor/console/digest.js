// 每日简报: an office's digest as it was sent, day by day.
import { get } from "./api.js";
import { facts, fill, h, select, table } from "./dom.js";
import { age, shortTime, time } from "./format.js";
import { t, word } from "./i18n.js";
import { officerName } from "./names.js";
import { address } from "./route.js";

/** Reads and shows; ``day`` is one of those that there are, by default the newest. */
export async function showDigest(place, officeId, day, choose, signal) {
  try {
    const { items } = await get(`/offices/${encodeURIComponent(officeId)}/digests`, {}, signal);
    if (!items.length) return fill(place, h("p", t("digest.none")));
    const shown = items.find((d) => d.day === day) || items[0];
    fill(place, h("div.filters", select("g-day", t("digest.day"), items.map((d) => [d.day, d.day]), shown.day, choose), h("button", { onclick: () => print() }, t("print"))),
      h("h2", `${shown.office_name} · ${shown.day}`, shown.late ? h("span.tag.wrong", t("digest.late")) : null), h("p.hint", t("digest.made", { time: time(shown.made_at) })), parts(shown));
  } catch (fault) {
    if (fault.name !== "AbortError") fill(place, h("p.fault", { role: "alert" }, fault.message));
  }
}

function parts(d) {
  const people = (rows) => h("ul.plain", rows.map((p) => h("li", h("a", { href: address("people", p.person_id) }, p.person_name || p.person_id), p.to ? ` ${time(p.to).slice(0, 10)}` : "")));
  return h("div.cards",
    h("section.card", h("h3", t("digest.open")), facts([
      [t("offices.open"), String(d.open)], [t("offices.acknowledged"), String(d.acknowledged)], [t("digest.under_1d"), String(d.by_age.under_1d)],
      [t("digest.1d_to_3d"), String(d.by_age["1d_to_3d"])], [t("digest.over_3d"), d.by_age.over_3d ? h("strong.fault", String(d.by_age.over_3d)) : "0"]])),
    h("section.card", h("h3", t("digest.owners")), d.owners.length ? table(t("digest.owners"), [t("cases.officer"), [t("digest.alerts")], t("offices.oldest")],
      h("tbody", d.owners.map((o) => h("tr", h("td", o.officer_id ? o.name || officerName(o.officer_id) : h("strong.fault", t("digest.nobody"))), h("td.number", String(o.alerts)), h("td", age(o.oldest_at))))))
      : h("p", t("digest.calm"))),
    h("section.card", h("h3", t("digest.minor")), Object.keys(d.minor).length ? facts(Object.entries(d.minor).map(([kind, n]) => [word("kind", kind), String(n)])) : h("p", t("digest.nothing"))),
    h("section.card", h("h3", t("digest.expiring")), d.expiring.length ? people(d.expiring) : h("p", t("digest.nothing"))),
    h("section.card", h("h3", t("digest.census")), facts([[t("offices.unmonitored"), d.unmonitored.length ? people(d.unmonitored) : "0"], [t("offices.silent"), String(d.silent)]])),
    h("section.card", h("h3", t("roster.gaps")), d.gaps.length ? h("ul.plain", d.gaps.map((g) => h("li", h("strong", g.office_name), ` ${shortTime(g.from)} – ${shortTime(g.to)}`))) : h("p", t("digest.nothing"))));
}
