// What the board says beside alerts: hours ahead with nobody on call, and steps of ladders that found nobody.
import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { shortTime } from "./format.js";
import { t, word } from "./i18n.js";
import { officeName, session } from "./names.js";
import { gapRows } from "./roster.js";
import { address } from "./route.js";

const READ_EVERY_MS = 60_000;
const LATELY_MS = 86_400_000;

/** Fills ``place`` and keeps it so; empty when somebody is on call throughout and every step found somebody. */
export function boardNotes(place, signal) {
  async function read() {
    try {
      const [gaps, summary] = await Promise.all([get("/duty/gaps", {}, signal), get(`/offices/${encodeURIComponent(session.office_id)}/summary`, {}, signal)]);
      const missed = summary.steps_with_nobody.filter((s) => Date.now() - new Date(s.latest_at) < LATELY_MS);
      const open = place.querySelector("details[open]") !== null;
      fill(place, missed.length ? h("div.note.missed", { role: "alert" }, h("strong", t("board.nobody", { n: missed.length })), h("ul.plain", missed.map((s) => h("li", h("strong", officeName(s.office_id)), " · ",
        t("board.nobody.row", { rung: s.rung.split("+").map((r) => word("rung", r)).join("、"), n: s.count, time: shortTime(s.latest_at) }))))) : null,
      gaps.items.length ? h("details.note.gaps", { open }, h("summary", t("board.gaps", { n: new Set(gaps.items.map((g) => g.office_id)).size })), h("ul.plain", gapRows(gaps.items)), h("a", { href: address("cases", "duty") }, t("cases.duty"))) : null);
    } catch {
      // The next reading tells again; what stands here stays meanwhile.
    }
  }
  read();
  const reading = setInterval(read, READ_EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(reading));
}
