// Alerts per officer and day against the budget (警情预算), the most loaded first.
import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { officeName } from "./names.js";
import { columns } from "./plot.js";

const SHOWN_MAX = 24;

export async function showLoad(place, officeId, signal) {
  try {
    const { budget, days, officers } = await get(`/offices/${encodeURIComponent(officeId)}/load`, {}, signal);
    place.hidden = false;
    fill(place, h("h2", t("load.title")), h("p.hint", t("load.hint", { n: budget })),
      officers.length ? h("div.load", officers.slice(0, SHOWN_MAX).map((o) => officer(o, budget, days))) : h("p", t("load.none")));
  } catch (fault) {
    if (fault.name !== "AbortError") fill(place, h("p.fault", { role: "alert" }, fault.message));
  }
}

function officer({ officer_id, name, office_id, alerts, days_over }, budget, days) {
  const most = Math.max(...alerts);
  return h("figure.plot-figure", { "data-load": officer_id },
    h("figcaption", h("strong", name), ` ${officeName(office_id)} · ${t("load.peak", { n: most })}`, days_over ? h("b.fault", ` · ${t("load.over", { n: days_over })}`) : null),
    columns(t("load.plot", { name, most }), alerts, budget), h("div.ends", h("span", days[0].slice(5)), h("span", days[days.length - 1].slice(5))));
}
