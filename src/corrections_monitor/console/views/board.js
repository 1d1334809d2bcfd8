// 值班台: everything unresolved, gravest and oldest first.  A filter never hides without saying how much.
import { acknowledge, answerButtons, resolve } from "../answers.js";
import { fill, h } from "../dom.js";
import { age, shortTime } from "../format.js";
import { t, word } from "../i18n.js";
import { alerts, on, status } from "../live.js";
import { officeName, officerName } from "../names.js";
import { address, amend, go } from "../route.js";
import { boardNotes } from "../board_notes.js";
import { closePanel, showPanel } from "../panel.js";

const SEVERITIES = ["critical", "major", "minor", "info"];
const AGES_EVERY_MS = 5_000;

export function show(main, start, signal) {
  let values = start.values;
  let rows = new Map();
  const counts = h("p.counts", { role: "status" });
  const chips = h("div.chips", { role: "group", "aria-label": t("board.filter") });
  const hidden = h("p.hidden-note");
  const notes = h("div.notes");
  const list = h("ol.alerts", { "aria-label": t("board.list") });
  const panel = h("aside.panel", { hidden: true, "aria-label": t("alert.detail") });
  fill(main, h("section.board", h("div.head", h("h1", t("nav.board")), counts, chips), notes, hidden, list), panel);

  const wanted = () => (values.severity ? values.severity.split(",") : SEVERITIES);
  const openAlert = (id) => go("board", "", { ...values, alert: id });

  function paint() {
    const everything = [...alerts.values()].sort(byUrgency);
    const shown = everything.filter((a) => wanted().includes(a.severity));
    const next = new Map();
    for (const alert of shown) {
      const kept = rows.get(alert.alert_id);
      next.set(alert.alert_id, kept?.alert === alert ? kept : { alert, element: row(alert, openAlert) });
    }
    const focused = document.activeElement?.closest?.("li[data-alert]")?.dataset.alert;
    const doing = document.activeElement?.dataset?.do;
    rows = next;
    // Children are moved only where the order changed: a list under the finger must not jump.
    [...next.values()].forEach(({ element }, i) => { if (list.children[i] !== element) list.insertBefore(element, list.children[i] || null); });
    while (list.children.length > next.size) list.lastChild.remove();
    if (focused && !list.contains(document.activeElement)) {
      const again = next.get(focused)?.element;
      (again?.querySelector(`[data-do="${doing}"]`) || again || list.firstChild)?.focus?.();
    }
    mark();
    summarise(everything, shown);
  }

  function summarise(everything, shown) {
    const open = everything.filter((a) => a.state === "open").length;
    fill(counts, status.loaded ? t("board.summary", { open, acknowledged: everything.length - open }) : t("loading"));
    fill(chips, SEVERITIES.map((s) => h("button.chip", { id: "chip-" + s, class: "chip " + s, "aria-pressed": String(wanted().includes(s)), onclick: () => toggle(s) },
      `${word("severity", s)} ${everything.filter((a) => a.severity === s).length}`)));
    const away = everything.length - shown.length;
    fill(hidden, status.loaded && !shown.length ? t(away ? "board.calm.filtered" : "board.calm", { n: away }) : away ? t("board.hidden", { n: away }) : "",
      away ? h("button.quiet", { onclick: () => amend("board", "", { ...values, severity: "" }) }, t("board.filter.clear")) : null);
  }

  function toggle(severity) {
    const now = wanted();
    const next = now.includes(severity) ? now.filter((s) => s !== severity) : [...now, severity];
    const kept = next.length && next.length < SEVERITIES.length ? SEVERITIES.filter((s) => next.includes(s)).join(",") : "";
    amend("board", "", { ...values, severity: kept });
  }

  function mark() {
    for (const { alert, element } of rows.values()) element.classList.toggle("chosen", alert.alert_id === values.alert);
  }

  function paintPanel() {
    main.classList.toggle("with-panel", Boolean(values.alert));
    if (values.alert) showPanel(panel, values.alert, () => go("board", "", { ...values, alert: "" }), signal);
    else closePanel(panel);
  }

  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|TEXTAREA|SELECT/.test(event.target.tagName) || document.querySelector("dialog[open]")) return;
    const order = [...rows.keys()];
    const current = document.activeElement?.closest?.("li[data-alert]")?.dataset.alert || values.alert;
    const at = order.indexOf(current);
    const alert = alerts.get(current);
    if (event.key === "j" || event.key === "k") rows.get(order[Math.max(0, Math.min(order.length - 1, at + (event.key === "j" ? 1 : -1)))])?.element.focus();
    else if (event.key === "Enter" && event.target.matches("li[data-alert]")) openAlert(current);
    else if (event.key === "a" && alert) acknowledge(alert);
    else if (event.key === "r" && alert) { event.preventDefault(); resolve(alert); }
    else if (event.key === "Escape" && values.alert) go("board", "", { ...values, alert: "" });
  }

  on("alerts", ({ changed }) => {
    paint();
    if (changed?.alert_id === values.alert) paintPanel();
  }, signal);
  addEventListener("keydown", keys, { signal });
  boardNotes(notes, signal);
  const ticking = setInterval(() => {
    for (const { alert, element } of rows.values()) element.querySelector(".age").textContent = age(alert.opened_at);
  }, AGES_EVERY_MS);
  signal.addEventListener("abort", () => { clearInterval(ticking); closePanel(panel); });
  paint();
  paintPanel();
  return (next) => { values = next.values; paint(); paintPanel(); };
}

const isOver = (alert) => alert.episodes.length > 0 && alert.episodes.every((e) => e.ended_at);

/** Gravest first; then what nobody has acknowledged; then what still lasts; then what has waited longest. */
function byUrgency(a, b) {
  return SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    (a.state === b.state ? 0 : a.state === "open" ? -1 : 1) ||
    isOver(a) - isOver(b) || new Date(a.opened_at) - new Date(b.opened_at) || (a.alert_id < b.alert_id ? -1 : 1);
}

function row(alert, openAlert) {
  const calmed = isOver(alert);
  return h("li", { class: `alert ${alert.severity} ${alert.state}`, "data-alert": alert.alert_id, tabindex: "0", onclick: () => openAlert(alert.alert_id) },
    h("span.badge", word("severity", alert.severity)),
    h("div.what", h("strong", alert.kinds.map((k) => word("kind", k)).join("、")), " ",
      alert.person_id ? h("a", { href: address("people", alert.person_id), onclick: (e) => e.stopPropagation() }, alert.person_name || alert.person_id) : null,
      alert.drill ? h("span.tag", t("board.drill")) : null, alert.late ? h("span.tag", t("board.late")) : null, calmed ? h("span.tag", t("board.calmed")) : null,
      h("p.reason", alert.reason)),
    h("div.where", h("span", officeName(alert.office_id)),
      h("span.owner", alert.acknowledged_by ? `${t("alertstate." + alert.state)}：${officerName(alert.acknowledged_by)}` : t("board.owner.none"))),
    h("div.when", h("span.age", age(alert.opened_at)), h("time", { datetime: alert.opened_at }, shortTime(alert.opened_at))),
    h("div.do", answerButtons(alert)));
}
