// A file from the server with its progress: how many rows of how many, or kilobytes where nobody says.
import { query, send } from "./api.js";
import { fill } from "./dom.js";
import { toast } from "./frame.js";
import { t } from "./i18n.js";

const REVOKE_AFTER_MS = 60_000;

/** Fetches ``path``, tells ``progress`` how far it is, and hands the browser the file under ``name``. */
export async function download(button, progress, path, values, name) {
  button.disabled = true;
  try {
    const response = await send("GET", path + query(values));
    const blob = await collect(response, (text) => progress && fill(progress, text));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_AFTER_MS);
    toast(t("download.done", { name, kb: Math.ceil(blob.size / 1024) }));
  } catch (fault) {
    toast(fault.message, true);
  } finally {
    button.disabled = false;
  }
}

async function collect(response, told) {
  const total = Number(response.headers.get("X-Total-Count")) || 0;
  const reader = response.body.getReader();
  const pieces = [];
  let bytes = 0;
  let lines = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    bytes += value.length;
    if (total) {
      for (const byte of value) if (byte === 10) lines++;
      told(t("download.rows", { n: Math.min(lines, total), all: total }));
    } else told(t("download.kb", { n: Math.ceil(bytes / 1024) }));
  }
  if (total) told(t("download.rows", { n: total, all: total }));
  return new Blob(pieces, { type: response.headers.get("Content-Type") || "" });
}
