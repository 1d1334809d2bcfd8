// Elements without a framework: text is always text, never markup.

/** h("div.note#x", {title: "…", onclick: f}, child, [children], null) → element. */
export function h(spec, ...rest) {
  const [, tag, marks] = /^([a-z0-9]*)(.*)$/.exec(spec);
  const element = document.createElement(tag || "div");
  for (const mark of marks.match(/[.#][^.#]+/g) || []) {
    if (mark[0] === "#") element.id = mark.slice(1);
    else element.classList.add(mark.slice(1));
  }
  let children = rest;
  const first = rest[0];
  if (first && typeof first === "object" && !(first instanceof Node) && !Array.isArray(first)) {
    for (const [name, value] of Object.entries(first)) assign(element, name, value);
    children = rest.slice(1);
  }
  append(element, children);
  return element;
}

function assign(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (["value", "checked", "selected", "disabled", "hidden"].includes(name)) element[name] = value;
  else element.setAttribute(name, value === true ? "" : value);
}

function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child);
  }
}

/** Replace what is inside; focus stays where it was when the same id is there again. */
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  element.textContent = "";
  append(element, children);
  if (focused) document.getElementById(focused)?.focus();
}

/** Two columns of a term and what it is; rows whose value is null are left out. */
export function facts(rows) {
  const shown = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl.facts", shown.map(([term, value]) => [h("dt", term), h("dd", value)]));
}

/** A table that scrolls by itself on narrow screens, or is stacked there; a head in an array stands over numbers. */
export function table(caption, heads, body, kind = "") {
  return h("div.scroll", { tabindex: "0", role: "region", "aria-label": caption },
    h("table", { class: kind || null }, h("thead", h("tr", heads.map((head) => (Array.isArray(head) ? h("th.number", { scope: "col" }, head[0]) : h("th", { scope: "col" }, head))))), body));
}

export function select(id, label, options, value, onchange) {
  return h("label.field", h("span", label),
    h("select", { id, onchange: (event) => onchange(event.target.value) },
      options.map(([key, text]) => h("option", { value: key, selected: key === value }, text))));
}
