// Three plots without a library: bars that are also buttons, columns by day against a limit, and lines over
// time with a mark that follows.
import { h } from "./dom.js";
import { t } from "./i18n.js";

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** items: [{name, value, note?, text?, tail?, href?, onclick?}]; each bar says its number, so no axis is needed; ``tail``
 * is a second, greater value behind the first. */
export function bars(items) {
  const most = Math.max(...items.map((i) => i.tail || i.value || 0)) || 1;
  const bar = (kind, value) => {
    const drawn = h(`span.${kind}`);
    drawn.style.width = `${((value || 0) / most) * 100}%`;
    return drawn;
  };
  return h("ul.bars", items.map(({ name, value, note, text, tail, href, onclick }) => {
    const inside = [h("span.name", { title: name }, name), h("span.track", tail ? bar("tail", tail) : null, bar("bar", value)), h("span.value", text ?? String(value)), note ? h("small", note) : null];
    return h("li", onclick ? h("button.quiet", { type: "button", onclick }, inside) : href && value ? h("a", { href }, inside) : h("div", inside));
  }));
}

/** One number a day against a limit: what is over it is set off.  ``label`` says the picture in words. */
export function columns(label, values, limit) {
  const [width, height, gap] = [280, 56, 3];
  const most = Math.max(limit * 1.25, ...values);
  const wide = width / values.length;
  const y = (v) => height - (v / most) * height;
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot columns", role: "img", "aria-label": label, preserveAspectRatio: "none" },
    ...values.map((v, i) => svg("rect", { class: v > limit ? "over" : "within", x: i * wide + gap / 2, width: wide - gap, y: y(v), height: height - y(v) })),
    svg("line", { class: "limit", x1: 0, x2: width, y1: y(limit), y2: y(limit) }), svg("line", { class: "axis", x1: 0, x2: width, y1: height, y2: height }));
}

/** One quantity over time: points [[ms, value|null] …]; {element, mark(ms)}.  Gaps longer than ``gap`` ms are left open. */
export function line(label, points, { unit, gap, digits = 0 }) {
  const [width, height, left] = [600, 84, 44];
  const [first, last] = [points[0][0], points[points.length - 1][0]];
  const known = points.filter(([, v]) => v !== null);
  const most = Math.max(...known.map(([, v]) => v), 10 ** -digits);
  const x = (ms) => left + ((ms - first) / Math.max(1, last - first)) * (width - left - 4);
  const y = (v) => height - 6 - (v / most) * (height - 18);
  let path = "";
  let before = null;
  for (const [ms, v] of known) {
    path += `${before === null || ms - before > gap ? "M" : "L"}${x(ms).toFixed(1)} ${y(v).toFixed(1)}`;
    before = ms;
  }
  const cursor = svg("line", { class: "cursor", y1: 0, y2: height, x1: left, x2: left });
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img", "aria-label": t("plot.range", { label, most: most.toFixed(digits), unit }), preserveAspectRatio: "none" },
    svg("line", { class: "axis", x1: left, x2: width, y1: y(0), y2: y(0) }), svg("line", { class: "axis", x1: left, x2: width, y1: y(most), y2: y(most) }),
    svg("path", { d: path, class: "curve" }), cursor);
  const element = h("figure.plot-figure", h("figcaption", `${label} (${unit})`), h("div.plot-box", h("span.top", most.toFixed(digits)), h("span.bottom", "0")));
  element.querySelector(".plot-box").append(picture);
  return { element, mark(ms) { cursor.setAttribute("x1", x(ms)); cursor.setAttribute("x2", x(ms)); } };
}
