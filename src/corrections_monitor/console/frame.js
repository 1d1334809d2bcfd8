// What stands around every view: navigation, who is logged in, whether we are live, and what has just been done.
import { fill, h } from "./dom.js";
import { time } from "./format.js";
import { setLanguage, t, word } from "./i18n.js";
import { alerts, on, status } from "./live.js";
import { officeName, session } from "./names.js";
import { address, go, readAddress } from "./route.js";
import { play, sound, wake } from "./sound.js";

const AWAY_AFTER_MS = 5_000;
let parts = null;
let lostAt = 0;
addEventListener("pointerdown", () => { if (session.officer_id) wake().then(paintSound); }, { once: true });

/** Draws the frame; returns the <main> for the view. */
export function frame(body, views, restart, logOut) {
  const main = h("main#main", { tabindex: "-1" });
  parts = { banner: h("div#banner", { role: "alert" }), live: h("span.live"), count: h("span.count", { hidden: true }),
    sound: h("button.quiet#sound", { onclick: () => sound.toggle().then(paintSound) }),
    toast: h("div#toast", { role: "status", "aria-live": "polite" }) };
  const links = views.map((view, i) => h("a", { href: address(view), "data-view": view, title: `${i + 1}` },
    t("nav." + view), view === "board" ? parts.count : null));
  const language = h("button.quiet#language", { lang: t.language === "en" ? "zh-CN" : "en", onclick: () => {
    setLanguage(t.language === "en" ? "zh" : "en"); restart(); } }, t("language.other"));
  const theme = h("button.quiet", { onclick: switchTheme, "aria-label": t("theme"), title: t("theme") }, "◐");
  fill(body, h("a.skip", { href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, t("skip")),
    h("header", h("strong.brand", t("app")), h("nav", { "aria-label": t("nav.label") }, links),
      h("div.me", parts.live, parts.sound, theme, language, h("button.quiet", { onclick: showKeys, title: t("help"), "aria-label": t("help") }, "?"),
        h("a.who", { href: address("system", "account"), title: t("system.account") }, `${session.name} · ${word("role", session.role)}`, h("small", officeName(session.office_id))),
        h("button.quiet#logout", { onclick: logOut }, t("login.out")))),
    parts.banner, main, parts.toast);
  paintSound();
  return main;
}

function switchTheme() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("console.theme", next);
}

function paintSound() {
  if (!parts) return;
  fill(parts.sound, t(!sound.wanted ? "board.sound.off" : sound.blocked ? "board.sound.blocked" : "board.sound.on"));
  parts.sound.setAttribute("aria-pressed", String(sound.wanted && !sound.blocked));
}

/** Title, count, and the banner that says when what is shown cannot be relied on. */
export function paintStatus() {
  if (!parts || !session.officer_id) return;
  const waiting = [...alerts.values()].filter((a) => a.state === "open" && isPaging(a)).length;
  const view = readAddress().view || "board";
  document.title = `${waiting ? `(${waiting}) ` : ""}${t("nav." + view)} · ${t("app")}`;
  parts.count.hidden = !waiting;
  fill(parts.count, String(waiting));
  parts.live.className = status.connected ? "live on" : "live";
  fill(parts.live, t(status.connected ? "live.on" : "live.off"));
  const text = status.blind ? `${t("blind")} ${status.blind}` : isAway() ? t("away", { time: time(lostAt) }) : "";
  if (parts.banner.textContent !== text) fill(parts.banner, text);
}

/** Whether the server has been out of reach for longer than a reconnection takes. */
function isAway() {
  if (status.connected) lostAt = 0;
  else if (!lostAt) {
    lostAt = Date.now();
    setTimeout(paintStatus, AWAY_AFTER_MS);
  }
  return lostAt && Date.now() - lostAt >= AWAY_AFTER_MS;
}

const isPaging = (alert) => alert.severity === "critical" || alert.severity === "major";

/** Say in passing what has been done, or what went wrong. */
export function toast(text, isFault = false) {
  if (!parts) return;
  parts.toast.className = isFault ? "shown fault" : "shown";
  fill(parts.toast, text);
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { parts.toast.className = ""; }, isFault ? 8_000 : 3_500);
}

on("alerts", ({ arrived }) => {
  const grave = arrived.filter(isPaging);
  if (!grave.length) return;
  const worst = grave.find((a) => a.severity === "critical") || grave[0];
  play(worst.severity);
  toast(t("board.new", { severity: word("severity", worst.severity), kind: word("kind", worst.kinds[0]), name: worst.person_name || "" }));
});

function showKeys() {
  const keys = [["j / k", "keys.move"], ["Enter", "keys.open"], ["a", "keys.ack"], ["r", "keys.resolve"], ["Esc", "keys.close"], ["1 … 9", "keys.views"], ["?", "help"]];
  const dialog = h("dialog", { "aria-label": t("help"), onclose: () => dialog.remove() }, h("h2", t("help")),
    h("dl.facts", keys.map(([key, text]) => [h("dt", h("kbd", key)), h("dd", t(text))])),
    h("form", { method: "dialog" }, h("button", t("close"))));
  document.body.append(dialog);
  dialog.showModal();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|TEXTAREA|SELECT/.test(event.target.tagName)) return;
  if (!session.officer_id || document.querySelector("dialog[open]")) return;
  const link = document.querySelectorAll("header nav a")[Number(event.key) - 1];
  if (link) go(link.dataset.view);
  else if (event.key === "?") showKeys();
});
