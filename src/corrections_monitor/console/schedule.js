// A zone's hours as people say and draw them: [{"days":"Mo-Fr,PH","from":"22:00","to":"06:00"}].
import { h } from "./dom.js";
import { t } from "./i18n.js";

const WEEK = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
const DAYS = { Mo: "一", Tu: "二", We: "三", Th: "四", Fr: "五", Sa: "六", Su: "日", PH: "节假日" };

export function scheduleText(schedule) {
  if (!schedule) return t("person.always");
  return schedule.map((s) => `${daysText(s.days)} ${s.from}–${s.to}`).join(t.language === "en" ? "; " : "；");
}

/** "Mo-We,PH" → ["Mo", "Tu", "We", "PH"]; a range may wrap round the week's end. */
export function daysOf(text) {
  return text.split(",").flatMap((part) => {
    const [from, to] = part.split("-");
    if (!to) return [from];
    const days = [from];
    for (let i = WEEK.indexOf(from); WEEK[i] !== to && days.length < 7;) days.push(WEEK[i = (i + 1) % 7]);
    return days;
  });
}

/** The days in as few words as possible: three on end and more are a range. */
function daysText(text) {
  const days = daysOf(text);
  const said = [];
  for (let i = 0, last; i < 7; i = last + 1) {
    for (last = i; days.includes(WEEK[i]) && days.includes(WEEK[last + 1]);) last++;
    if (last === 6 && i === 0) return t("schedule.daily");
    if (days.includes(WEEK[i])) said.push(last - i >= 2 ? `${WEEK[i]}-${WEEK[last]}` : WEEK.slice(i, last + 1).join(","));
  }
  if (days.includes("PH")) said.push("PH");
  const short = said.join(",");
  if (t.language === "en") return short;
  const words = short.replace(/Mo|Tu|We|Th|Fr|Sa|Su|PH/g, (d) => DAYS[d]).replace(/-/g, "至").replace(/,/g, "、");
  return (words.startsWith("节") ? "" : "周") + words;
}

const hour = (text) => Number(text.slice(0, 2)) + Number(text.slice(3, 5)) / 60;

/** The week as seven bars of 24 hours, filled where the zone holds; the text beside it says the same. */
export function weekStrip(schedule) {
  const bars = WEEK.map(() => []);
  for (const { days, from, to } of schedule || [{ days: "Mo-Su", from: "00:00", to: "24:00" }]) {
    for (const day of daysOf(days)) {
      const i = WEEK.indexOf(day);
      if (i < 0) continue;
      const isOvernight = hour(to) <= hour(from);
      bars[i].push([hour(from), isOvernight ? 24 : hour(to)]);
      if (isOvernight) bars[(i + 1) % 7].push([0, hour(to)]);
    }
  }
  const strip = h("div.week", { "aria-hidden": "true" }, bars.map((filled, i) => {
    const bar = h("span.day", { title: t.language === "en" ? WEEK[i] : `周${DAYS[WEEK[i]]}` });
    for (const [from, to] of filled) {
      const piece = h("i");
      piece.style.left = `${(from / 24) * 100}%`;
      piece.style.width = `${((to - from) / 24) * 100}%`;
      bar.append(piece);
    }
    return bar;
  }));
  return strip;
}
