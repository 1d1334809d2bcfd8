// One alert whole: what happened, on what evidence, who was told, who did what.
import { answerButtons, followButtons } from "./answers.js";
import { get } from "./api.js";
import { facts, fill, h } from "./dom.js";
import { shortTime, time } from "./format.js";
import { t, word } from "./i18n.js";
import { evidenceMap } from "./evidence.js";
import { may, officeName, officerName } from "./names.js";
import { address } from "./route.js";
import { videoButton } from "./video.js";

let reading = null;
let shown = null;

export function closePanel(panel) {
  reading?.abort();
  shown?.abort();
  panel.hidden = true;
  fill(panel);
}

/** Reads and shows the alert; what was shown of the same one stays until the new is there. */
export async function showPanel(panel, id, close) {
  reading?.abort();
  reading = new AbortController();
  const isSame = panel.dataset.alert === id && !panel.hidden;
  panel.hidden = false;
  panel.dataset.alert = id;
  if (!isSame) fill(panel, bar(close), h("p", t("loading")));
  try {
    const alert = await get(`/alerts/${encodeURIComponent(id)}`, {}, reading.signal);
    const fixes = alert.episodes.flatMap((e) => e.evidence?.fixes || []).filter((f) => f.lon !== undefined);
    const place = fixes.length || alert.position ? h("div.small-map") : null;
    shown?.abort();
    shown = new AbortController();
    fill(panel, bar(close), whole(alert, place));
    if (place) evidenceMap(place, alert, fixes, shown.signal);
    if (!isSame) panel.querySelector("h2").focus();
  } catch (fault) {
    if (fault.name !== "AbortError") fill(panel, bar(close), h("p.fault", { role: "alert" }, fault.message));
  }
}

const bar = (close) => h("div.bar", h("button.quiet#close-panel", { onclick: close }, "✕ ", t("close")));

function whole(alert, place) {
  return [
    h("h2", { tabindex: "-1" }, h("span", { class: `badge ${alert.severity}` }, word("severity", alert.severity)), " ",
      alert.kinds.map((k) => word("kind", k)).join("、"), " ", alert.person_name || ""),
    h("p", alert.reason),
    h("div.do", answerButtons(alert), followButtons(alert), alert.person_id ? h("a.button", { href: address("people", alert.person_id) }, t("person.file")) : null,
      alert.position && may.locate() ? h("a.button", { href: address("map", alert.person_id) }, t("alert.map")) : null,
      alert.person_id && alert.state !== "resolved" ? videoButton(alert.person_id, alert) : null),
    facts([
      [t("violations.alert"), `${word("alertstate", alert.state)} · ${alert.alert_id}`],
      [t("office"), officeName(alert.office_id)],
      [t("alert.opened"), time(alert.opened_at)],
      [t("board.owner"), alert.acknowledged_by ? `${officerName(alert.acknowledged_by)} ${time(alert.acknowledged_at)}` : null],
      [t("alert.finding"), alert.disposition ? `${word("disposition", alert.disposition)} · ${officerName(alert.resolved_by)} ${time(alert.resolved_at)}` : null],
      [t("alert.note").split(/[（(]/)[0], alert.note],
    ]),
    place,
    h("h3", t("alert.episodes")), h("ul.plain", alert.episodes.map(episode)),
    h("h3", t("alert.timeline")), h("ol.timeline", moments(alert)),
  ];
}

function episode(found) {
  const fixes = found.evidence?.fixes || [];
  return h("li", h("strong", word("kind", found.kind)), ` ${time(found.started_at)} – ${found.ended_at ? time(found.ended_at) : t("violations.ongoing")}`,
    h("p", found.reason),
    fixes.length ? h("details", h("summary", t("alert.evidence", { n: fixes.length })), h("ul.plain", fixes.map((f) => h("li", [
      shortTime(f.t), f.lon !== undefined ? `${f.lon}, ${f.lat}` : "", f.acc ? `±${Math.round(f.acc)} m` : "",
      f.beyond_m !== undefined ? t("alert.beyond", { n: Math.round(f.beyond_m) }) : ""].filter(Boolean).join(" · "))))) : null);
}

const TOLD = { paged: "step", repeated: "repeat" };

/** What happened, in order; under what was told, to whom it went by what and what became of it. */
function moments({ timeline, pages }) {
  const sent = new Set();
  const rows = timeline.map((entry) => {
    const its = pages.filter((p) => p.purpose === TOLD[entry.what] && p.round === entry.detail.round && p.step === entry.detail.step);
    its.forEach((p) => sent.add(p));
    return [entry.at, moment(entry, its)];
  });
  // Reminders and the like are told a moment after what they follow from.
  for (const p of pages) if (!sent.has(p)) rows.push([p.due_at, h("li", h("time", shortTime(p.due_at)), h("span", h("b", word("purpose", p.purpose)), page(p)))]);
  return rows.sort(([a], [b]) => new Date(a) - new Date(b)).map(([, row]) => row);
}

function moment(entry, its) {
  const detail = entry.detail || {};
  const who = (entry.who || "").split(/[,;]\s*/).filter(Boolean).map(officerName).join("、");
  const more = [word("kind", detail.kind), detail.severity ? word("severity", detail.severity) : "", (detail.rung || "").split("+").map((r) => word("rung", r)).join("、"),
    detail.disposition ? word("disposition", detail.disposition) : "", detail.to ? `→ ${officerName(detail.to)}` : "", (detail.channels || []).join("、"), detail.note || ""].filter(Boolean).join(" · ");
  // A step above the first is an escalation; an officer hands over to an officer, a change of office to an office.
  const what = entry.what === "paged" && detail.step > 0 ? "escalated" : entry.what === "handed-over" && detail.to ? "handed-to" : entry.what;
  return h("li", { "data-what": what }, h("time", shortTime(entry.at)), h("span", h("b", word("what", what)), who && !its.length ? ` ${who}` : "", more ? h("small", more) : null, its.map(page)));
}

function page(sent) {
  return h("small.page", `${officerName(sent.officer_id)} · ${sent.channel} `, h("span", { class: `tag ${sent.state}` }, word("page", sent.state)),
    sent.handed_at ? ` ${shortTime(sent.handed_at)}` : "", sent.attempts > 1 ? ` · ${t("page.attempts", { n: sent.attempts })}` : "", sent.last_error ? ` · ${sent.last_error}` : "");
}
