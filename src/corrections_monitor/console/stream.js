// The stream of this window: shared with the browser's other windows where browsers can.

/** Listens until closed: ``told(what, data)`` with what of "open", "interrupted" (it comes back by itself), "ended"
 * (it does not), "alert" or "position" (data: JSON text).  Gives {close}. */
export function listen(officer, told) {
  return window.SharedWorker ? shared(officer, told) : own(told);
}

function shared(officer, told) {
  const { port } = new SharedWorker("console/stream_worker.js");
  port.onmessage = ({ data }) => told(data.what, data.data);
  port.postMessage({ officer });
  return { close() { port.onmessage = null; port.postMessage({ leave: true }); port.close(); } };
}

function own(told) {
  const source = new EventSource("api/v1/stream");
  source.onopen = () => told("open");
  source.onerror = () => told(source.readyState === EventSource.CLOSED ? "ended" : "interrupted");
  for (const what of ["alert", "position"]) source.addEventListener(what, ({ data }) => told(what, data));
  return { close: () => source.close() };
}
