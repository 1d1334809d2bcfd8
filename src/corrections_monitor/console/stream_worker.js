// One stream for all windows of this browser.  Over HTTP/1.1 a browser holds six connections to a server, all
// windows together: a stream for each would leave a seventh window waiting for ever.
const windows = new Map(); // port → officer_id
let source = null;
let whose = "";

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data.leave) windows.delete(port);
    else windows.set(port, data.officer);
    if (!windows.size) return close();
    if (data.leave) return;
    // Another officer has logged in: what the old session may see is not for this window, nor the other way round.
    if (source && data.officer !== whose) end();
    if (source?.readyState === EventSource.OPEN) port.postMessage({ what: "open" });
    else if (!source) open(data.officer);
  };
};

function open(officer) {
  whose = officer;
  source = new EventSource("../api/v1/stream");
  source.onopen = () => tell({ what: "open" });
  source.onerror = () => (source.readyState === EventSource.CLOSED ? end() : tell({ what: "interrupted" }));
  for (const what of ["alert", "position"]) source.addEventListener(what, ({ data }) => tell({ what, data }));
}

/** The windows have to ask for another; those of somebody who is gone find that out by it. */
function end() {
  close();
  tell({ what: "ended" });
}

function close() {
  source?.close();
  source = null;
}

function tell(message) {
  for (const [port, officer] of windows) if (officer === whose) port.postMessage(message);
}
