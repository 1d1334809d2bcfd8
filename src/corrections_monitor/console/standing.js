// How a person stands now, in one word: the gravest open alert, else suspended, on leave, or in order.
import { isNow } from "./format.js";
import { alerts } from "./live.js";

const RANK = { critical: 0, major: 1, minor: 2, info: 3 };

/** person_id → the gravest severity of what is open; "info" counts as nothing. */
export function gravest() {
  const found = new Map();
  for (const alert of alerts.values()) {
    if (!alert.person_id || alert.severity === "info" || alert.episodes.every((e) => e.ended_at)) continue;
    const before = found.get(alert.person_id);
    if (!before || RANK[alert.severity] < RANK[before]) found.set(alert.person_id, alert.severity);
  }
  return found;
}

export function standing(person, severities) {
  return severities.get(person.person_id) || (person.suspensions.some(isNow) ? "suspended" : person.leaves.some(isNow) ? "leave" : "normal");
}
