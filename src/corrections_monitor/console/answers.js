// Acknowledge in one click; resolve in two: the button, then the finding.
import { post } from "./api.js";
import { h } from "./dom.js";
import { toast } from "./frame.js";
import { t, word } from "./i18n.js";
import { take } from "./live.js";
import { may } from "./names.js";

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

async function answered(alert, verb, body, said) {
  try {
    take(await post(`/alerts/${encodeURIComponent(alert.alert_id)}/${verb}`, body));
    toast(t(said, { name: alert.person_name || "" }));
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
