// One case row in a dialog: created, changed (unless somebody else was faster), or ended.
import { get, send } from "./api.js";
import { fill, h } from "./dom.js";
import { day } from "./format.js";
import { toast } from "./frame.js";
import { t } from "./i18n.js";
import { officeOptions, officerOptions } from "./names.js";

const TYPING_MS = 250;

/** Opens the row of ``id`` (null: a new one, with what ``given`` says); ``saved`` hears when something changed. */
export async function openForm(table, spec, id, given, saved) {
  const path = `/${table}/${encodeURIComponent(id)}`;
  let standing = given;
  let tag = "";
  if (id !== null) {
    try {
      const response = await send("GET", path);
      tag = response.headers.get("ETag") || "";
      standing = await response.json();
    } catch (fault) {
      return void toast(fault.message, true);
    }
  }
  const fault = h("p.fault", { role: "alert" });
  const fields = spec.fields.map(([name, type, options]) => field(table, name, type, options || {}, standing[name] || "", id !== null && spec.key.includes(name)));
  const value = (name) => fields.find((f) => f.name === name)?.value() ?? "";
  const row = () => Object.fromEntries(fields.map((f) => [f.name, f.value()]));
  const suggest = () => {
    for (const [name, make] of Object.entries(spec.suggest || {})) {
      const target = fields.find((f) => f.name === name);
      if (id === null && !target.touched) target.set(make(row()));
    }
  };
  const why = h("input", { id: "f-why", maxlength: "500" });
  const form = h("form", { novalidate: true, oninput: suggest, onsubmit: (event) => { event.preventDefault(); save(); } },
    fields.map((f) => f.element), h("label.field", h("span", t("cases.why")), why), fault,
    h("div.do", h("button.primary#f-save", t("cases.save")),
      id !== null ? h("button#f-end", { type: "button", onclick: finish }, t(`cases.${table}.end`)) : null,
      h("button.quiet", { type: "button", onclick: () => dialog.close() }, t("alert.cancel"))));
  const title = `${t("cases." + table)} · ${id === null ? t("cases.new") : t("cases.change")}`;
  const dialog = h("dialog.form", { "aria-label": title, onclose: () => dialog.remove() }, h("h2", title), form);
  document.body.append(dialog);
  suggest();
  dialog.showModal();

  async function save() {
    say();
    const missing = fields.filter((f) => !f.optional && !f.value());
    if (missing.length) return say(missing.map((f) => [f.name, t("cases.required")]));
    if (value("from") && value("to") && value("to") < value("from")) return say([["to", t("cases.order-of-times")]]);
    const wrong = spec.fault?.(row());
    if (wrong) return say([wrong]);
    const all = row();
    const changed = Object.fromEntries(Object.entries(all).filter(([name, v]) => v !== shown(standing[name] || "") && !(id !== null && spec.key.includes(name))));
    if (id !== null && !Object.keys(changed).length) return dialog.close();
    const query = why.value.trim() ? `?why=${encodeURIComponent(why.value.trim())}` : "";
    await attempt(() => (id === null ? send("POST", `/${table}${query}`, clean(all)) : send("PATCH", path + query, changed, { headers: tag ? { "If-Match": tag } : {} })), t("cases.saved"));
  }
  async function finish() {
    if (!confirmed()) return;
    await attempt(() => send("POST", `${path}/end`, {}, { headers: tag ? { "If-Match": tag } : {} }), t("cases.ended"));
  }
  /** The first click asks, the second ends. */
  function confirmed() {
    const button = dialog.querySelector("#f-end");
    if (button.dataset.sure) return true;
    button.dataset.sure = "yes";
    button.classList.add("danger");
    fill(button, t("cases.sure"));
    return false;
  }
  async function attempt(work, done) {
    try {
      await work();
      dialog.close();
      toast(done);
      saved();
    } catch (problem) {
      say((problem.problem.errors || []).map((e) => [e.field, e.message]), problem);
    }
  }
  function say(faults = [], problem = null) {
    for (const f of fields) f.say("");
    const elsewhere = faults.filter(([name, text]) => !fields.find((f) => f.name === name)?.say(text));
    fill(fault, elsewhere.map(([name, text]) => `${name}: ${text}`).join("；") || (problem && !faults.length ? problem.message : ""));
    dialog.querySelector("[aria-invalid=true]")?.focus();
  }
}

const clean = (row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== ""));

/** What an input shows of a stored time: civil, to the minute. */
const shown = (value) => (/^\d{4}-\d\d-\d\dT/.test(value) ? value.slice(0, 16) : String(value));

function field(table, name, type, { optional = false, choices = [] }, standing, fixed) {
  const id = "f-" + name;
  const said = h("span.fault", { id: id + "-fault" });
  const common = { id, name, disabled: fixed, "aria-describedby": id + "-fault", required: !optional };
  let input;
  const extras = [];
  if (type === "choice") input = choose(common, choices.map(([key, text]) => [key, text()]), standing);
  else if (type === "office") input = choose(common, officeOptions(), standing);
  else if (type === "officer") input = choose(common, officerOptions(), standing);
  else {
    // A row that names an instant keeps it; a new one of days is given in days.
    const kind = type === "time" || standing.includes?.("T") ? "datetime-local" : { day: "date", whole: "number" }[type] || "text";
    const wide = kind === "datetime-local" && /^\d{4}-\d\d-\d\d$/.test(standing) ? "date" : kind;
    input = h("input", { ...common, type: wide, maxlength: "200", value: shown(standing) || (name === "approved_on" ? day(Date.now()) : "") });
    if (type === "person") extras.push(suggestPeople(input));
  }
  const found = { name, optional, touched: Boolean(standing), value: () => input.value.trim(), set: (text) => { input.value = text; },
    element: h("label.field", h("span", t("cases." + name)), input, extras, said),
    say(text) { fill(said, text); input.setAttribute("aria-invalid", String(Boolean(text))); return true; } };
  input.addEventListener("input", () => { found.touched = true; });
  return found;
}

const choose = (common, options, standing) => h("select", common, options.map(([key, text]) => h("option", { value: key, selected: key === standing }, text)));

/** Names of people while their number or name is typed. */
function suggestPeople(input) {
  const list = h("datalist", { id: input.id + "-list" });
  input.setAttribute("list", list.id);
  input.setAttribute("autocomplete", "off");
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const found = input.value.trim() ? await get("/people", { name: input.value.trim(), limit: 12 }).catch(() => ({ items: [] })) : { items: [] };
      fill(list, found.items.map((p) => h("option", { value: p.person_id }, p.name)));
    }, TYPING_MS);
  });
  return list;
}
