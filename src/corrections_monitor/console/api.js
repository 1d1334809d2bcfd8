// The server: JSON in and out, and every failure as a sentence for the officer.
import { t } from "./i18n.js";

export class Fault extends Error {
  constructor(message, status, problem = {}) {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

let onLoggedOut = () => {};
export function whenLoggedOut(told) { onLoggedOut = told; }

export const query = (values) => {
  const entries = Object.entries(values).filter(([, v]) => v !== "" && v !== null && v !== undefined);
  return entries.length ? "?" + new URLSearchParams(entries) : "";
};

export async function send(method, path, body, { signal, headers = {} } = {}) {
  let response;
  try {
    response = await fetch("api/v1" + path, {
      method,
      signal,
      credentials: "same-origin",
      headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Fault(t("fault.network"), 0);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401 && !(path === "/session" && method === "POST")) onLoggedOut();
  throw new Fault(sentence(response.status, problem), response.status, problem);
}

function sentence(status, problem) {
  const slug = (problem.type || "").split(":").pop();
  const known = t("problem." + slug, problem);
  // The server speaks Chinese; in English the kind of fault is said in our own words.
  if (t.language === "en" && known !== "problem." + slug) return known;
  return problem.detail || problem.title || t("fault.status", { status });
}

export const get = async (path, values = {}, signal) =>
  (await send("GET", path + query(values), undefined, { signal })).json();
export const post = async (path, body) => (await send("POST", path, body)).json();

/** Every item of a list, page after page, until the cursor ends; ``told`` hears how many there are so far. */
export async function all(path, values = {}, told = () => {}, signal) {
  const items = [];
  let cursor = null;
  do {
    const page = await get(path, { ...values, limit: 500, cursor }, signal);
    items.push(...page.items);
    cursor = page.next;
    told(items.length);
  } while (cursor);
  return items;
}
