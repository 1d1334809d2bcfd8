// 视频点名: opens the bureau's conference with the person; how it went is noted on the alert's timeline.
import { addNote } from "./answers.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { may, session } from "./names.js";

const OUTCOMES = ["present", "absent", "other"];

/** The button, where the site names a conference and this officer answers alerts; ``alert`` null: nothing to note on. */
export function videoButton(personId, alert) {
  const template = session.settings?.video_call;
  if (!template || !may.answer()) return null;
  const filled = { person_id: personId, officer_id: session.officer_id };
  const url = template.replace(/\{(person_id|officer_id)\}/g, (_, name) => encodeURIComponent(filled[name]));
  return h("button", { "data-do": "video", onclick: () => {
    window.open(url, "_blank", "noopener");
    if (alert) askOutcome(alert);
  } }, t("video.call"));
}

function askOutcome(alert) {
  const note = h("textarea#video-note", { rows: "2", maxlength: "1000" });
  const say = async (outcome) => {
    dialog.close();
    await addNote(alert, [t("video.call"), t("video." + outcome), note.value.trim()].filter(Boolean).join(" · "));
  };
  const dialog = h("dialog", { "aria-label": t("video.outcome"), onclose: () => dialog.remove() }, h("h2", t("video.outcome")),
    h("label.field", h("span", t("video.note")), note),
    h("div.findings", OUTCOMES.map((o) => h("button.primary", { "data-outcome": o, onclick: () => say(o) }, t("video." + o)))),
    h("button.quiet", { onclick: () => dialog.close() }, t("alert.cancel")));
  document.body.append(dialog);
  dialog.showModal();
}
