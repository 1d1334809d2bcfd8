// Acknowledge in one click; resolve in two: the button, then the finding.
import { post } from "./api.js";
import { ask, field, need, options } from "./ask.js";
import { h } from "./dom.js";
import { toast } from "./frame.js";
import { t, word } from "./i18n.js";
import { take } from "./live.js";
import { answerers, may, session } from "./names.js";

const FINDINGS = ["true_violation", "false_alarm", "device_fault", "authorised", "drill"];

export async function acknowledge(alert) {
  if (alert.state !== "open" || !may.answer()) return;
  await answered(alert, "ack", {}, "alert.done.ack");
}

export function resolve(alert) {
  if (alert.state === "resolved" || !may.answer() || document.querySelector("dialog[open]")) return;
  const note = h("textarea#note", { rows: "3", maxlength: "2000" });
  const title = t("alert.resolve.title", { name: alert.person_name || "", kind: alert.kinds.map((k) => word("kind", k)).join("、") });
  // Of a tamper the device itself is to be looked at; left unticked it counts as not inspected.
  const inspected = alert.cause === "tamper" ? h("input#inspected", { type: "checkbox" }) : null;
  const choose = async (disposition) => {
    dialog.close();
    const given = note.value.trim() || t("note." + disposition);
    await answered(alert, "resolve", { disposition, note: given, ...(inspected && { inspected: inspected.checked }) }, "alert.done.resolve");
  };
  const dialog = h("dialog.resolve", { "aria-label": title, onclose: () => dialog.remove() },
    h("h2", title), h("p", alert.reason),
    h("label.field", h("span", t("alert.note")), note),
    inspected && h("label.check", inspected, " ", t("alert.inspected")),
    h("p.hint", t("alert.resolve.choose")),
    h("div.findings", FINDINGS.map((d) => h("button.primary", { "data-finding": d, onclick: () => choose(d) }, word("disposition", d)))),
    h("button.quiet", { onclick: () => dialog.close() }, t("alert.cancel")));
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("[data-finding]").focus();
}

/** A line on the alert's timeline. */
export const addNote = (alert, note) => answered(alert, "notes", { note }, "alert.done.note");

async function given(alert, verb, body, said) {
  take(await post(`/alerts/${encodeURIComponent(alert.alert_id)}/${verb}`, body));
  return t(said, { name: alert.person_name || "" });
}

async function answered(...what) {
  try {
    toast(await given(...what));
  } catch (fault) {
    toast(fault.message, true);
  }
}

/** The buttons that fit the alert's state and this officer's role. */
export function answerButtons(alert) {
  if (!may.answer() || alert.state === "resolved") return [];
  return [
    alert.state === "open" ? h("button.primary", { "data-do": "ack", onclick: (e) => { e.stopPropagation(); acknowledge(alert); } }, t("alert.ack")) : null,
    h("button", { "data-do": "resolve", onclick: (e) => { e.stopPropagation(); resolve(alert); } }, t("alert.resolve")),
  ];
}

/** What follows an answer: a note on what is being done, and handing the alert over to a colleague. */
export function followButtons(alert) {
  if (!may.answer() || alert.state === "resolved") return [];
  return [
    h("button", { "data-do": "note", onclick: () => askNote(alert) }, t("alert.note.add")),
    alert.state === "acknowledged" ? h("button", { "data-do": "handover", onclick: () => askHandOver(alert) }, t("alert.handover")) : null,
  ];
}

function askNote(alert) {
  const text = h("textarea#ask-note", { rows: "3", maxlength: "2000" });
  ask(t("alert.note.add"), [field(t("alert.note.text"), text)], t("cases.save"), async () => {
    need(text.value.trim(), t("cases.required"));
    return given(alert, "notes", { note: text.value.trim() }, "alert.done.note");
  });
}

function askHandOver(alert) {
  const to = h("select#ask-to", options(answerers(alert.office_id).filter(([id]) => id !== (alert.acknowledged_by || session.officer_id))));
  const text = h("textarea#ask-note", { rows: "3", maxlength: "2000" });
  ask(t("alert.handover"), [field(t("alert.handover.to"), to), field(t("roster.note"), text)], t("alert.handover"),
    () => given(alert, "handover", { officer_id: to.value, note: text.value.trim() || null }, "alert.done.handover"));
}
