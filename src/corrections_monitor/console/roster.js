// The duty roster at work: hand-over (交班), stand-in (替班), rotation (轮值), gaps (空岗), and what was noted.
import { ask, field, need, options } from "./ask.js";
import { get, post, query } from "./api.js";
import { fill, h } from "./dom.js";
import { shortTime, time } from "./format.js";
import { t, word } from "./i18n.js";
import { answerers, may, officeName, officeOptions, officerName, session } from "./names.js";

const DAY_MS = 86_400_000;
const minute = (value) => time(value).slice(0, 16);
const typed = (value) => minute(value).replace(" ", "T");
/** A row's end as an instant: a bare day is included. */
const end = (value) => (value.includes("T") ? new Date(value) : new Date(`${value}T00:00:00`).setDate(new Date(`${value}T00:00:00`).getDate() + 1));
const begin = (value) => new Date(value.includes("T") ? value : `${value}T00:00:00`);
const note = () => h("textarea#d-note", { rows: "3", maxlength: "500" });
const colleagues = (office, but = "") => answerers(office).filter(([id]) => id !== but);

/** The rest of one's own present turn goes to a colleague. */
export function handOver(turn, done) {
  const to = h("select#d-to", options(colleagues(turn.office_id, session.officer_id)));
  const at = h("input#d-at", { type: "datetime-local" });
  const text = note();
  ask(t("roster.handover"), [
    h("p", `${officeName(turn.office_id)} · ${t("offices.until", { time: turn.to ? minute(end(turn.to)) : "—" })}`),
    field(t("roster.to"), to), field(t("roster.at"), at), field(t("roster.note"), text)],
  t("roster.handover"), async () => {
    await post("/duty/handover", { to: to.value, office_id: turn.office_id, note: text.value.trim(), ...(at.value && { at: at.value }) });
    done();
    return t("roster.handed", { name: officerName(to.value) });
  });
}

/** Somebody else for a span of an officer's turn. */
export function standIn(turn, done) {
  const other = h("select#d-other", options(colleagues(turn.office_id, turn.officer_id)));
  const from = h("input#d-from", { type: "datetime-local", value: typed(Math.max(Date.now(), turn.from ? begin(turn.from) : 0)) });
  const to = h("input#d-until", { type: "datetime-local", value: turn.to ? typed(end(turn.to)) : "" });
  const text = note();
  ask(`${t("roster.stand-in")}：${officerName(turn.officer_id)}`, [
    h("p", officeName(turn.office_id)), field(t("roster.other"), other), field(t("cases.from"), from), field(t("cases.to"), to), field(t("roster.note"), text)],
  t("roster.stand-in"), async () => {
    need(from.value && to.value, t("roster.times"));
    await post("/duty/stand-in", { office_id: turn.office_id, officer_id: turn.officer_id, other_id: other.value, from: from.value, to: to.value, note: text.value.trim() });
    done();
    return t("cases.saved");
  });
}

/** Officers one after another: shown as the rows it would write, then written as it was shown. */
export function rotate(officeId, done) {
  const office = h("select#d-office", options(officeOptions(), officeId));
  const people = h("div.pick", { role: "group", "aria-label": t("roster.officers") });
  const order = [];
  const every = h("select#d-every", options([["day", t("roster.every.day")], ["week", t("roster.every.week")]], "week"));
  const from = h("input#d-first", { type: "date", value: minute(Date.now() + DAY_MS).slice(0, 10) });
  const to = h("input#d-last", { type: "date", value: minute(Date.now() + 28 * DAY_MS).slice(0, 10) });
  const at = h("input#d-hour", { type: "time", value: "08:30" });
  const text = note();
  const plan = h("div#d-plan", { "aria-live": "polite" });
  let seen = null;

  const asked = () => ({ office_id: office.value, officers: [...order], every: every.value, from: from.value, to: to.value, at: at.value });
  const paint = () => fill(people, answerers(office.value).map(([id, name]) => {
    const place = order.indexOf(id) + 1;
    return h("button.chip", { type: "button", "aria-pressed": String(place > 0), "data-officer": id, onclick: () => { if (place) order.splice(place - 1, 1); else order.push(id); stale(); paint(); } },
      place ? `${place}. ${name}` : name);
  }));
  /** What was shown is no longer what would be written. */
  function stale() {
    seen = null;
    fill(plan);
    if (opened) fill(opened.button, t("roster.preview"));
  }
  office.addEventListener("change", () => { order.length = 0; paint(); });
  paint();
  const opened = ask(t("roster.rotation"), [field(t("office"), office), h("p.hint", t("roster.officers")), people,
    h("div.row", field(t("roster.every"), every), field(t("roster.first"), from), field(t("roster.last"), to), field(t("roster.hour"), at)), field(t("cases.why"), text), plan],
  t("roster.preview"), async () => {
    need(order.length, t("roster.officers"));
    if (seen) {
      await post("/duty/rotation", { ...asked(), plan: seen.plan, note: text.value.trim() });
      done();
      return t("roster.applied", { n: seen.written.length });
    }
    seen = await post("/duty/rotation", asked());
    fill(plan, h("h3", t("roster.plan", { n: seen.written.length, gone: seen.withdrawn.length })),
      h("ul.plain.turns", seen.written.map((r) => h("li", `${minute(begin(r.from))} – ${r.to ? minute(end(r.to)) : "—"} `, h("strong", officerName(r.officer_id))))));
    if (seen.written.length + seen.withdrawn.length) fill(opened.button, t("roster.apply"));
    else seen = null;
    return null;
  }, () => { if (document.activeElement !== text) stale(); });
}

/** Hours ahead with nobody on call, as list items. */
export const gapRows = (gaps) => gaps.map((g) => h("li", { "data-gap": g.office_id }, h("strong", officeName(g.office_id)),
  ` ${g.has_roster ? `${shortTime(g.from)} – ${shortTime(g.to)}` : t("roster.none")} · `,
  g.instead ? t("roster.instead", { rung: word("rung", g.instead) }) : h("b.fault", t("roster.instead.nobody"))));

/** Gaps and notes under the roster; {read(values)}. */
export function rosterNotes(place, signal) {
  async function read({ office }) {
    try {
      const [gaps, log] = await Promise.all([get("/duty/gaps" + query({ office }), {}, signal), get("/duty/log" + query({ office }), {}, signal)]);
      fill(place, h("section.card", { tabindex: "0", "aria-label": t("roster.gaps") }, h("h2", t("roster.gaps")), gaps.items.length ? h("ul.plain", gapRows(gaps.items)) : h("p", t("roster.gaps.none"))),
        h("section.card", { tabindex: "0", "aria-label": t("roster.log") }, h("h2", t("roster.log")), log.items.length ? h("ol.timeline", log.items.map(entry)) : h("p", t("roster.log.none"))));
    } catch (fault) {
      if (fault.name !== "AbortError") fill(place, h("p.fault", { role: "alert" }, fault.message));
    }
  }
  return { read };
}

function entry(row) {
  const who = row.officers ? row.officers.map(officerName).join("、") : `${officerName(row.officer_id)} → ${officerName(row.other_id)}`;
  const span = [row.from, row.to].filter(Boolean).map((v) => (v.includes("T") ? minute(v) : v)).join(" – ");
  return h("li", h("time", shortTime(row.at)), h("span", h("b", word("action", row.action)), ` ${officeName(row.office_id)} · ${who}`,
    h("small", [span, row.by === row.officer_id ? "" : officerName(row.by), row.note].filter(Boolean).join(" · "))));
}

/** Whether one may give this turn away. */
export const isMine = (turn) => turn.officer_id === session.officer_id && may.answer();

/** Whether the turn holds now. */
export const holds = (turn) => (!turn.from || begin(turn.from) <= Date.now()) && (!turn.to || Date.now() < end(turn.to));
