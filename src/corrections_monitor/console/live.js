// What changes, as it changes: the unresolved alerts kept whole, and positions passed on.
//
// The stream holds no past, so after every (re)connection the list is read anew, all pages of it; what the
// stream says meanwhile is put on top.  A slow reading once a minute catches what a silent network lost.
import { all, get } from "./api.js";
import { session } from "./names.js";
import { listen } from "./stream.js";

const READ_AGAIN_MS = 60_000;
const RECONNECT_MS = 3_000;
const READY_EVERY_MS = 15_000;
const UNRESOLVED = "open,acknowledged";

export const alerts = new Map();
export const status = { connected: false, blind: "", loaded: false };
const heard = new EventTarget();
let source = null;
let isOpen = false;
let meanwhile = null;
let timers = [];
let reconnecting = 0;
let readingAgain = 0;

/** Listen to "alerts" (detail: {arrived: […]}), "position" (detail: the position) or "status". */
export function on(name, told, signal) {
  heard.addEventListener(name, (event) => told(event.detail), { signal });
}
const tell = (name, detail) => heard.dispatchEvent(new CustomEvent(name, { detail }));

export function start() {
  stop();
  connect();
  timers = [setInterval(read, READ_AGAIN_MS), setInterval(askReady, READY_EVERY_MS)];
  askReady();
}

export function stop() {
  source?.close();
  source = null;
  isOpen = false;
  clearTimeout(reconnecting);
  clearTimeout(readingAgain);
  meanwhile = null;
  timers.forEach(clearInterval);
  timers = [];
  alerts.clear();
  status.loaded = false;
}

function connect() {
  source = listen(session.officer_id, (what, data) => HEARD[what](data));
}

const HEARD = {
  open() { isOpen = true; say({ connected: true }); read(); },
  interrupted() { isOpen = false; say({ connected: false }); },
  async ended() {
    isOpen = false;
    say({ connected: false });
    source?.close();
    source = null;
    // Whether the session ended, the server says; and whether somebody else has logged in by another window.
    const who = await get("/session").catch(() => null);
    if (who && who.officer_id !== session.officer_id) return void location.reload();
    if (timers.length) reconnecting = setTimeout(connect, RECONNECT_MS);
  },
  alert: (text) => take(JSON.parse(text)),
  position: (text) => tell("position", JSON.parse(text)),
};

// A page that is kept for the way back would keep its connection as well, and there are few.
addEventListener("pagehide", () => { source?.close(); source = null; });
addEventListener("pageshow", (event) => { if (event.persisted && timers.length) start(); });

/** An alert as it now is, from the stream or from one's own answer. */
export function take(alert) {
  meanwhile?.set(alert.alert_id, alert);
  const before = alerts.get(alert.alert_id);
  put(alert);
  tell("alerts", { arrived: isNews(alert, before) ? [alert] : [], changed: alert });
}

function put(alert) {
  if (alert.state === "resolved") alerts.delete(alert.alert_id);
  else alerts.set(alert.alert_id, alert);
}

const RANK = { info: 0, minor: 1, major: 2, critical: 3 };
const isNews = (alert, before) =>
  alert.state === "open" && (!before || RANK[alert.severity] > RANK[before.severity]);

async function read() {
  if (meanwhile) return;
  clearTimeout(readingAgain);
  const mine = source;
  meanwhile = new Map();
  try {
    const found = await all("/alerts", { state: UNRESOLVED });
    // Somebody else may have logged in since.
    if (mine !== source) return;
    const before = new Map(alerts);
    alerts.clear();
    found.forEach(put);
    meanwhile.forEach(put);
    const arrived = status.loaded ? [...alerts.values()].filter((a) => isNews(a, before.get(a.alert_id))) : [];
    status.loaded = true;
    tell("alerts", { arrived });
    say({ connected: isOpen });
  } catch {
    say({ connected: false });
    if (timers.length) readingAgain = setTimeout(read, RECONNECT_MS);
  } finally {
    meanwhile = null;
  }
}

async function askReady() {
  const answer = await fetch("readyz").catch(() => null);
  const reason = answer && answer.status === 503 ? (await answer.json().catch(() => ({}))).reason || "503" : "";
  say({ blind: reason });
}

function say(change) {
  Object.assign(status, change);
  tell("status", status);
}
