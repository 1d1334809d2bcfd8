// Words in two languages.  Chinese is the first; what has no English word is shown as it is.
import { ALERT_WORDS } from "./words_alerts.js";
import { CASE_WORDS } from "./words_cases.js";
import { DUTY_WORDS } from "./words_duty.js";
import { EXCHANGE_WORDS } from "./words_exchange.js";
import { STATISTICS_WORDS } from "./words_statistics.js";
import { SYSTEM_WORDS } from "./words_system.js";
import { WORDS } from "./words.js";

const TABLE = { ...WORDS, ...ALERT_WORDS, ...CASE_WORDS, ...DUTY_WORDS, ...EXCHANGE_WORDS, ...STATISTICS_WORDS, ...SYSTEM_WORDS };
const KEPT = "console.language";

/** t("age.minutes", {n: 3}) → "3 分钟"; an unknown key is returned as it is. */
export function t(key, values = {}) {
  const words = TABLE[key];
  if (!words) return key;
  return words[t.language === "en" ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
t.language = localStorage.getItem(KEPT) || "zh";

/** The word of a code such as a kind or a role; a code without one is shown bare. */
export function word(group, code) {
  if (code === null || code === undefined) return "";
  const found = t(`${group}.${code}`);
  return found === `${group}.${code}` ? String(code) : found;
}

export function setLanguage(language) {
  t.language = language;
  localStorage.setItem(KEPT, language);
  document.documentElement.lang = language === "en" ? "en" : "zh-CN";
}

/** The site's language, unless this person has chosen one. */
export function preferLanguage(language) {
  if (!localStorage.getItem(KEPT) && language !== t.language) {
    t.language = language;
    document.documentElement.lang = language === "en" ? "en" : "zh-CN";
    return true;
  }
  return false;
}
