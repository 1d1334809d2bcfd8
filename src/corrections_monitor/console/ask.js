// A question in a dialog: what is to be filled in, the button that does it, and what the server made of it.
import { fill, h } from "./dom.js";
import { toast } from "./frame.js";
import { t } from "./i18n.js";

/** ``act`` gives what to say when it is done; null keeps the dialog open.  ``changed`` hears of every input. */
export function ask(title, inside, verb, act, changed = () => {}) {
  if (document.querySelector("dialog[open]")) return null;
  const fault = h("p.fault", { role: "alert" });
  const button = h("button.primary#ask-do", verb);
  const form = h("form", { novalidate: true, oninput: () => changed(), onsubmit: submit }, inside, fault,
    h("div.do", button, h("button.quiet", { type: "button", onclick: () => dialog.close() }, t("alert.cancel"))));
  const dialog = h("dialog.form", { "aria-label": title, onclose: () => dialog.remove() }, h("h2", title), form);

  async function submit(event) {
    event.preventDefault();
    fill(fault);
    button.disabled = true;
    try {
      const said = await act();
      if (said !== null) {
        dialog.close();
        toast(said);
      }
    } catch (problem) {
      fill(fault, problem.message);
    } finally {
      button.disabled = false;
    }
  }
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("input, select, textarea")?.focus();
  return { dialog, button };
}

/** Throws the sentence unless it holds: what is missing is not even sent. */
export function need(holds, sentence) {
  if (!holds) throw new Error(sentence);
}

/** A labelled input, select or textarea. */
export const field = (label, input) => h("label.field", h("span", label), input);

export const options = (pairs, chosen = "") => pairs.map(([key, text]) => h("option", { value: key, selected: key === chosen }, text));
