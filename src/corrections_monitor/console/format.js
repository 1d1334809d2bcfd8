// Times and numbers as people read them; civil time is the site's, wherever the browser stands.
import { t } from "./i18n.js";

let zone = "Asia/Shanghai";
let formats = null;
export function setZone(name) { zone = name; formats = null; }

function parts(when) {
  formats ||= new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
    hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  return Object.fromEntries(formats.formatToParts(when).map((p) => [p.type, p.value]));
}

/** "2026-11-24 13:15:30"; empty for null. */
export function time(value) {
  if (!value) return "";
  const p = parts(new Date(value));
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`;
}

/** "13:15:30" today, else with month and day. */
export function shortTime(value) {
  if (!value) return "";
  const whole = time(value);
  return whole.slice(0, 10) === time(Date.now()).slice(0, 10) ? whole.slice(11) : whole.slice(5, 16);
}

export const day = (value) => time(value).slice(0, 10);

/** An interval's end is exclusive: one that ends at midnight is said by its last day. */
export function lastDay(value) { return value ? day(new Date(value).getTime() - 1) : ""; }

export function daysLeft(value) { return Math.ceil((new Date(value) - Date.now()) / 86_400_000); }

export function age(value) {
  if (!value) return "";
  return lasted(Date.now() - new Date(value).getTime());
}

export function lasted(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return t("age.seconds", { n: s });
  const m = Math.floor(s / 60);
  if (m < 60) return t("age.minutes", { n: m });
  if (m < 1440) return t("age.hours", { n: Math.floor(m / 60), m: m % 60 });
  return t("age.days", { n: Math.floor(m / 1440), h: Math.floor((m % 1440) / 60) });
}

/** Whether it is [from, to) now; null is open. */
export const isNow = (row) =>
  (!row.from || new Date(row.from) <= Date.now()) && (!row.to || Date.now() < new Date(row.to));
