// The start: who is there, in which language, and which view the address names.
import { enrolment } from "./account.js";
import { get, send, whenLoggedOut } from "./api.js";
import { fill, h } from "./dom.js";
import { setZone } from "./format.js";
import { preferLanguage, setLanguage, t } from "./i18n.js";
import * as live from "./live.js";
import { showLogin } from "./login.js";
import { forgetOutlines } from "./maps.js";
import { learnNames, session } from "./names.js";
import { frame, paintStatus } from "./frame.js";
import { readAddress } from "./route.js";
import * as board from "./views/board.js";
import * as cases from "./views/cases.js";
import * as census from "./views/census.js";
import * as drills from "./views/drills.js";
import * as map from "./views/map.js";
import * as offices from "./views/offices.js";
import * as people from "./views/people.js";
import * as system from "./views/system.js";
import * as violations from "./views/violations.js";

const VIEWS = { board, map, people, violations, census, offices, cases, drills, system };
const ENTERED = "console.entered";
let open = null;
let main = null;

async function begin() {
  setLanguage(t.language);
  document.documentElement.dataset.theme = localStorage.getItem("console.theme") ||
    (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  whenLoggedOut(() => { if (session.officer_id) logIn(t("login.expired")); });
  // Who has never logged in here need not be told by the server that they are not.
  const refused = readAddress().values.problem;
  if (refused) {
    history.replaceState(null, "", location.pathname);
    return logIn(t("problem." + refused));
  }
  if (!localStorage.getItem(ENTERED)) return logIn();
  try {
    Object.assign(session, await get("/session"));
  } catch (fault) {
    return logIn(fault.status === 401 ? "" : fault.message);
  }
  return enter();
}

function logIn(message = "") {
  leave();
  Object.assign(session, { officer_id: "", name: "", role: "", office_id: "" });
  live.stop();
  forgetOutlines();
  localStorage.removeItem(ENTERED);
  document.title = `${t("login.title")} · ${t("app")}`;
  showLogin(document.body, message, (who) => { Object.assign(session, who); enter(); }, restart, goElsewhere);
}

/** Another platform logs in and comes back with a session. */
function goElsewhere() {
  localStorage.setItem(ENTERED, "yes");
  location.assign("api/v1/session/oidc");
}

async function enter() {
  try {
    const [settings] = await Promise.all([get("/settings"), learnNames()]);
    session.settings = settings;
    setZone(settings.timezone);
    preferLanguage(settings.language);
  } catch (fault) {
    if (fault.problem?.type?.endsWith("second-factor-due")) return fill(document.body, h("main.sole", h("section.card", enrolment(enter), h("button.quiet", { onclick: logOut }, t("login.out")))));
    return fill(document.body, h("main.sole", h("p.fault", { role: "alert" }, fault.message),
      h("button", { onclick: () => location.reload() }, t("retry"))));
  }
  localStorage.setItem(ENTERED, "yes");
  live.start();
  restart();
}

/** Draw everything anew, as after a change of language. */
function restart() {
  if (!session.officer_id) return logIn();
  leave();
  main = frame(document.body, Object.keys(VIEWS), restart, logOut);
  paintStatus();
  show();
}

async function logOut() {
  const leaving = send("DELETE", "/session").catch(() => {});
  session.officer_id = "";
  await leaving;
  logIn();
}

function leave() {
  open?.abort.abort();
  open = null;
}

/** The view of the address; one that stays is told of the new values, another (or one that declines by
 * returning false) is begun afresh. */
function show() {
  if (!session.officer_id || !main) return;
  const address = readAddress();
  const name = VIEWS[address.view] ? address.view : "board";
  for (const link of document.querySelectorAll("header nav a")) {
    if (link.dataset.view === name) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else link.removeAttribute("aria-current");
  }
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  if (open?.name === name && open.moved && open.moved(address) !== false) return;
  leave();
  const abort = new AbortController();
  main.className = `view-${name}`;
  fill(main);
  open = { name, abort };
  open.moved = VIEWS[name].show(main, address, abort.signal);
  paintStatus();
}

addEventListener("hashchange", show);
live.on("status", paintStatus);
live.on("alerts", paintStatus);
begin();
