// The way in.  The code of a second factor may always be given; the server looks at it where there is one.
import { get, post } from "./api.js";
import { fill, h } from "./dom.js";
import { setLanguage, t } from "./i18n.js";
import { wake } from "./sound.js";

export function showLogin(body, message, entered, redraw, goElsewhere) {
  const fault = h("p.fault#login-fault", { role: "alert" }, message);
  const submit = h("button.primary", { type: "submit" }, t("login.submit"));
  const input = (name, type, autocomplete, extra = {}) => h("label.field", h("span", t("login." + name)),
    h("input", { id: name, name, type, autocomplete, ...extra }));
  const elsewhere = h("button#oidc", { type: "button", hidden: true, onclick: goElsewhere }, t("login.oidc"));
  get("/session/oidc/open").then(({ open }) => { elsewhere.hidden = !open; }).catch(() => {});
  const form = h("form.login", { onsubmit: async (event) => {
    event.preventDefault();
    submit.disabled = true;
    wake();
    const given = Object.fromEntries(new FormData(form));
    if (!given.otp) delete given.otp;
    try {
      entered(await post("/session", given));
    } catch (problem) {
      fill(fault, problem.message);
      submit.disabled = false;
      form.elements[problem.problem.type?.endsWith("second-factor-needed") ? "otp" : "password"].focus();
    }
  } },
  h("h1", t("app")),
  input("username", "text", "username", { required: true, autocapitalize: "none", spellcheck: "false" }),
  input("password", "password", "current-password", { required: true }),
  input("otp", "text", "one-time-code", { inputmode: "numeric", maxlength: "20" }),
  fault, submit, elsewhere,
  h("button.quiet#language", { type: "button", onclick: () => { setLanguage(t.language === "en" ? "zh" : "en"); redraw(); } }, t("language.other")));
  fill(body, h("main.sole", form));
  form.elements.username.focus();
}
