// A table that grows a page at a time, by its cursor.
import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { t } from "./i18n.js";

const PAGE_ITEMS = 100;

/** Reads the first page into ``body`` (tbody) and offers the others; row(item) → tr; ``heard`` gets the first page. */
export function pages(path, values, row, { body, foot }, signal, heard = () => {}) {
  let shown = 0;
  async function read(cursor) {
    fill(foot, t("loading"));
    try {
      const page = await get(path, { ...values, limit: PAGE_ITEMS, cursor }, signal);
      if (!cursor) heard(page);
      body.append(...page.items.map(row));
      shown += page.items.length;
      const text = shown ? t(page.next ? "violations.shown.more" : "violations.shown", { n: shown }) : t("none");
      fill(foot, h("span", { role: "status" }, text), page.next ? h("button#more", { onclick: () => read(page.next) }, t("more")) : null);
    } catch (fault) {
      if (fault.name === "AbortError") return;
      fill(foot, h("span.fault", { role: "alert" }, fault.message), h("button", { onclick: () => read(cursor) }, t("retry")));
    }
  }
  fill(body);
  return read(null);
}
