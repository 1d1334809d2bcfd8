// One's own account: the second factor, and where one is logged in.
import { get, post, query, send } from "./api.js";
import { fill, h, select, table } from "./dom.js";
import { time } from "./format.js";
import { toast } from "./frame.js";
import { t } from "./i18n.js";
import { may, officeName, officeOptions, session } from "./names.js";
import { svg } from "./plot.js";
import { amend } from "./route.js";
import { encode } from "./vendor/uqr/uqr.js";

const QUIET_MODULES = 2;

export function account(place, values, signal) {
  const own = h("div");
  const others = may.accounts() ? h("div.others") : null;
  fill(place, own, others);
  ownAccount(own, signal);
  if (!others) return undefined;
  return allSessions(others, values, signal);
}

/** Who is logged in anywhere in one's offices, and the way to end it: one session, an officer's, or all. */
function allSessions(place, start, signal) {
  const filters = h("div.filters");
  const body = h("tbody");
  const note = h("p.counts", { role: "status" });
  let values = start;
  fill(place, h("h2", t("account.all")), filters, note, table(t("account.all"), [t("system.actor"), t("office"), t("account.opened"), t("account.expires"), t("account.address"), t("account.factor"), ""], body, "stacked"));
  const office = () => values.office || session.office_id;

  async function read() {
    const everyone = h("button.danger", { id: "end-all", onclick: (e) => surely(e.target, () => end("/sessions" + query({ office: office() }))) }, t("account.end-all"));
    fill(filters, select("u-office", t("office"), officeOptions(), office(), (id) => amend("system", "account", { ...values, office: id })), everyone);
    try {
      const { items } = await get("/sessions", { office: office() }, signal);
      everyone.disabled = !items.some((s) => !s.current);
      fill(note, t("account.count", { n: items.length, people: new Set(items.map((s) => s.officer_id)).size }));
      fill(body, items.map(row));
    } catch (problem) {
      if (problem.name !== "AbortError") fill(note, h("span.fault", { role: "alert" }, problem.message));
    }
  }
  const row = (s) => h("tr", { "data-session": s.session_id }, h("td", h("strong", s.name), " ", h("small", s.officer_id)), h("td", officeName(s.office_id)), h("td.nowrap", time(s.opened_at)), h("td.nowrap", time(s.expires_at)),
    h("td", s.address), h("td", t(s.second_factor ? "account.yes" : "account.no")),
    h("td.wide", s.current ? h("span.tag", t("account.this")) : h("div.do", h("button", { onclick: () => end(`/sessions/${s.session_id}`) }, t("account.end")), h("button", { onclick: (e) => surely(e.target, () => end("/sessions" + query({ officer: s.officer_id }))) }, t("account.end-officer")))));

  async function end(path) {
    try {
      await send("DELETE", path);
      toast(t("account.done"));
    } catch (problem) {
      toast(problem.message, true);
    }
    read();
  }
  read();
  return (next) => { values = next; read(); };
}

/** What hits many asks for a second click. */
function surely(button, act) {
  if (button.dataset.sure) return act();
  button.dataset.sure = "yes";
  button.classList.add("danger");
  return fill(button, t("cases.sure"));
}

function ownAccount(place, signal) {
  const factor = h("section.card");
  const body = h("tbody");
  const fault = h("p.fault", { role: "alert" });
  fill(place, fault, factor, table(t("account.sessions"), [t("account.opened"), t("account.expires"), t("account.address"), t("account.factor"), ""], body));
  async function read() {
    try {
      const { items } = await get("/sessions", {}, signal);
      fill(body, items.map((s) => h("tr", h("td.nowrap", time(s.opened_at)), h("td.nowrap", time(s.expires_at)), h("td", s.address), h("td", t(s.second_factor ? "account.yes" : "account.no")),
        h("td", s.current ? h("span.tag", t("account.this")) : h("button", { onclick: () => end(s.session_id) }, t("account.end"))))));
      if (items.find((s) => s.current)?.second_factor) fill(factor, h("h2", t("account.factor")), h("p", `✓ ${t("account.bound")}`));
      else fill(factor, enrolment(read));
    } catch (problem) {
      if (problem.name !== "AbortError") fill(fault, problem.message);
    }
  }
  async function end(id) {
    try {
      await send("DELETE", `/sessions/${id}`);
      toast(t("account.done"));
      read();
    } catch (problem) {
      toast(problem.message, true);
    }
  }
  read();
}

/** The way to a second factor: a secret to scan or type, confirmed by its first code; then ``enrolled``. */
export function enrolment(enrolled) {
  const fault = h("p.fault", { role: "alert" });
  const place = h("div");
  const begin = h("button.primary#factor-begin", { type: "button", onclick: async () => {
    fill(fault);
    try {
      const { secret, uri } = await post("/session/factor", {});
      const code = h("input#factor-code", { inputmode: "numeric", maxlength: "6", autocomplete: "one-time-code" });
      fill(place, qrCode(uri), h("p.hint", t("account.scan")), h("p", h("code#factor-secret", secret.match(/.{1,4}/g).join(" "))),
        h("form", { onsubmit: (event) => { event.preventDefault(); confirm(code); } },
          h("label.field", h("span", t("account.code")), code), h("div.do", h("button.primary#factor-confirm", t("account.confirm")))));
      code.focus();
    } catch (problem) {
      fill(fault, problem.message);
    }
  } }, t("account.begin"));
  async function confirm(code) {
    try {
      await send("PUT", "/session/factor", { otp: code.value.trim() });
      enrolled();
    } catch (problem) {
      fill(fault, (problem.problem?.errors || []).map((e) => e.message).join("；") || problem.message);
      code.select();
    }
  }
  fill(place, begin);
  return [h("h2", t("account.factor")), h("p", t("account.why")), fault, place];
}

/** Drawn here: the secret goes to no other program. */
function qrCode(text) {
  const { data, size } = encode(text, { border: QUIET_MODULES });
  const dark = data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return h("div.qr", svg("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": t("account.qr") }, svg("path", { d: dark })));
}
