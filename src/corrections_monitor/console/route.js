// The address is the state of a view: #/violations/…?kind=curfew can be kept, sent and opened again.

/** {view, item, values} of the address. */
export function readAddress() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [view = "", item = ""] = path.split("/").map(decodeURIComponent);
  return { view, item, values: Object.fromEntries(new URLSearchParams(search)) };
}

/** "#/view/item?values", empty values left out. */
export function address(view, item = "", values = {}) {
  const kept = Object.entries(values).filter(([, v]) => v !== "" && v !== null && v !== undefined);
  const path = "#/" + view + (item ? "/" + encodeURIComponent(item) : "");
  return kept.length ? `${path}?${new URLSearchParams(kept)}` : path;
}

export const go = (...where) => { location.hash = address(...where); };

/** Change the address without a step in the history, as while typing; the view is told. */
export function amend(...where) {
  history.replaceState(null, "", address(...where));
  dispatchEvent(new HashChangeEvent("hashchange"));
}
