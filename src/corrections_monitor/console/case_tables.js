// The case tables as the console lists and edits them; names are the columns of the case folder.
import { day, daysLeft, time } from "./format.js";
import { h } from "./dom.js";
import { t, word } from "./i18n.js";
import { may, officeName, officerName } from "./names.js";
import { address } from "./route.js";

const GROUNDS = ["29.1", "29.2", "29.3", "29.4", "29.5"];
const EXPIRING_DAYS = 14;

/** "2026-11-30" for a bare day, "2026-11-30 08:30" for an instant; a dash for open. */
const at = (value) => (!value ? "—" : value.includes("T") ? time(value).slice(0, 16) : value);

const person = (row) => h("a", { href: address("people", row.person_id) }, row.person_id);

/** A day with a whole number of days left, set off when it is near. */
function end(row) {
  const left = row.to ? daysLeft(row.to.includes("T") ? row.to : `${row.to}T23:59:59`) : Infinity;
  return h("span", { class: left >= 0 && left <= EXPIRING_DAYS ? "fault" : "" }, at(row.to), left >= 0 && left <= EXPIRING_DAYS ? ` ${t("cases.left", { n: left })}` : "");
}

/** Three calendar months after a day, the longest an order may last (社区矫正法 第二十九条). */
export function threeMonthsAfter(text) {
  const [year, month, date] = text.split("-").map(Number);
  const last = new Date(Date.UTC(year, month + 3, 0)).getUTCDate();
  return new Date(Date.UTC(year, month + 2, Math.min(date, last))).toISOString().slice(0, 10);
}

function ordersFault(row) {
  if (row.from && row.to && row.to.slice(0, 10) > threeMonthsAfter(row.from.slice(0, 10))) {
    return ["to", t("cases.three-months", { day: threeMonthsAfter(row.from.slice(0, 10)) })];
  }
  return null;
}

const fresh = (prefix) => (row) => `${prefix}-${row.person_id || ""}-${day(Date.now()).replaceAll("-", "")}-${Math.random().toString(36).slice(2, 6)}`;

/** columns: [heading, row → what is shown]; fields: [name, type, options]; key fields cannot be changed later. */
export const TABLES = {
  duty: { may: may.manage, key: ["office_id", "officer_id", "from"],
    columns: [["office", (r) => officeName(r.office_id)], ["cases.officer", (r) => officerName(r.officer_id)], ["from", (r) => at(r.from)], ["to", (r) => at(r.to)]],
    fields: [["office_id", "office"], ["officer_id", "officer"], ["from", "time"], ["to", "time"]] },
  orders: { may: may.edit, key: ["order_id"], fault: ordersFault, suggest: { order_id: fresh("order"), to: (row) => (row.from ? threeMonthsAfter(row.from.slice(0, 10)) : "") },
    columns: [["person", person], ["person.ground", (r) => t("person.ground.text", { n: r.ground.split(".")[1] })], ["from", (r) => at(r.from)], ["cases.order.to", end],
      ["person.approved", (r) => `${officerName(r.approved_by)} ${r.approved_on}`], ["cases.extends", (r) => r.extends]],
    fields: [["person_id", "person"], ["ground", "choice", { choices: GROUNDS.map((g) => [g, () => t("ground." + g)]) }], ["approved_by", "text"], ["approved_on", "day"],
      ["from", "day"], ["to", "day"], ["extends", "text", { optional: true }], ["order_id", "text"]] },
  leaves: { may: may.edit, key: ["leave_id"], suggest: { leave_id: fresh("leave") },
    columns: [["person", person], ["from", (r) => at(r.from)], ["to", (r) => at(r.to)], ["cases.zone_ids", (r) => r.zone_ids || t("person.anywhere")], ["cases.approved_by", (r) => officerName(r.approved_by)]],
    fields: [["person_id", "person"], ["from", "time"], ["to", "time"], ["approved_by", "text"], ["zone_ids", "text", { optional: true }], ["leave_id", "text"]] },
  suspensions: { may: may.edit, key: ["person_id", "from"],
    columns: [["person", person], ["from", (r) => at(r.from)], ["to", (r) => at(r.to)], ["cases.reason", (r) => r.reason]],
    fields: [["person_id", "person"], ["from", "time"], ["to", "time"], ["reason", "text"]] },
  devices: { may: may.manage, key: ["device_id", "from"],
    columns: [["cases.device_id", (r) => r.device_id], ["cases.kind", (r) => word("device", r.kind)], ["person", person], ["cases.report_every_s", (r) => r.report_every_s], ["from", (r) => at(r.from)], ["to", (r) => at(r.to)]],
    fields: [["device_id", "text"], ["kind", "choice", { choices: ["band", "phone", "tracker"].map((k) => [k, () => word("device", k)]) }], ["person_id", "person"], ["report_every_s", "whole", { optional: true }],
      ["from", "time", { optional: true }], ["to", "time", { optional: true }]] },
};

/** Whether a row is in force or still to come. */
export function isStanding(row) {
  if (!row.to) return true;
  return new Date(row.to.includes("T") ? row.to : `${row.to}T23:59:59`) >= Date.now();
}
