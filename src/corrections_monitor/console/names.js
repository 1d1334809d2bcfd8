// What ids are called: offices and officers of one's jurisdiction, read once a session.
import { get } from "./api.js";

export const session = { officer_id: "", name: "", role: "", office_id: "" };
export const offices = new Map();
const officers = new Map();

const SEES = new Set(["officer", "chief", "supervisor", "auditor", "service"]);
const MANAGES = new Set(["chief", "supervisor", "admin"]);
const AUDITS = new Set(["supervisor", "auditor", "service"]);
const ANSWERS = new Set(["officer", "chief", "supervisor"]);
/** The same roles as on the server, which decides; here only what to offer. */
export const may = {
  locate: () => SEES.has(session.role),
  answer: () => ANSWERS.has(session.role),
  edit: () => ANSWERS.has(session.role),
  manage: () => MANAGES.has(session.role),
  audit: () => AUDITS.has(session.role),
  inspect: () => AUDITS.has(session.role) || session.role === "admin",
  accounts: () => session.role === "admin",
};

export async function learnNames() {
  const found = await get("/offices");
  offices.clear();
  officers.clear();
  for (const office of found.items) {
    offices.set(office.office_id, office);
    for (const officer of office.officers) officers.set(officer.officer_id, { ...officer, office_id: office.office_id });
  }
}

/** [id, name] of the officers of an office and above it within one's jurisdiction, its own first. */
export const officerOptions = () => [...officers.values()].map((o) => [o.officer_id, o.name]);

/** [id, name] of those who answer alerts at an office: its own, then those of the offices above it. */
export function answerers(officeId) {
  const found = [];
  for (let id = officeId; offices.has(id); id = offices.get(id).parent_id) {
    for (const o of officers.values()) if (o.office_id === id && ANSWERS.has(o.role)) found.push([o.officer_id, id === officeId ? o.name : `${o.name}（${officeName(id)}）`]);
  }
  return found;
}

export const officeName = (id) => offices.get(id)?.name || id || "";
export const officerName = (id) => (id === session.officer_id ? session.name : officers.get(id)?.name) || id || "";

/** [id, indented name] of every office, each under its parent. */
export function officeOptions() {
  const options = [];
  const add = (office, depth) => {
    options.push([office.office_id, "　".repeat(depth) + office.name]);
    for (const below of offices.values()) if (below.parent_id === office.office_id) add(below, depth + 1);
  };
  for (const office of offices.values()) if (!offices.has(office.parent_id)) add(office, 0);
  return options;
}

/** The same of the office alone. */
export const answerersOf = (officeId) => answerers(officeId).filter(([id]) => officers.get(id).office_id === officeId);

/** Whether an office is another or lies below it. */
export function isWithin(officeId, above) {
  for (let id = officeId; id; id = offices.get(id)?.parent_id) if (id === above) return true;
  return false;
}
