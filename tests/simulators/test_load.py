"""The rate test tells what was sent, acknowledged, stored and lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from mqtt_world import Mosquitto, needs_mosquitto

from simulators.__main__ import main
from simulators.load import Account, made_up, summary


@pytest.fixture
def metrics() -> Iterator[str]:
    """A daemon's metrics that say that 100 more fixes were stored after they were first asked."""
    asked = [0]

    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[0] = min(asked[0] + 1, 2)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(
                f"# TYPE x counter\ncorrections_fixes_stored_total {asked[0] * 100}.0\n".encode()
            )

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Metrics)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    thread.join()


def load(capsys: pytest.CaptureFixture[str], broker: Mosquitto, *more: str) -> tuple[int, dict[str, float]]:
    call = [
        "load",
        "--mqtt",
        broker.url(),
        "--rate",
        "500",
        "--duration",
        "0.5",
        "--connections",
        "2",
        "--json",
    ]
    status = main([*call, *more])
    result: dict[str, float] = json.loads(capsys.readouterr().out)
    return status, result


@needs_mosquitto
def test_everything_sent_is_acknowledged_and_in_the_ledger(
    mosquitto: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.ndjson"
    status, result = load(capsys, mosquitto, "--fixes-per-message", "3", "--ledger", str(ledger))
    assert status == 0
    assert result["messages_sent"] == result["messages_acknowledged"] > 100
    keys = [tuple(json.loads(line).values()) for line in ledger.read_text().splitlines()]
    assert len(set(keys)) == len(keys) == 3 * result["messages_sent"]


@needs_mosquitto
def test_what_is_acknowledged_and_not_stored_is_lost(
    mosquitto: Mosquitto, metrics: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, result = load(capsys, mosquitto, "--metrics", metrics, "--patience", "0.5")
    assert status == 1
    assert result["fixes_stored"] == 100
    assert result["fixes_lost"] == result["fixes_acknowledged"] - 100


def test_no_device_gives_one_time_twice() -> None:
    (device,) = made_up(1)
    times = []
    for _ in range(50):
        _, payload = device.message(1_000_000, 4)
        times += [f["t"] for f in json.loads(payload)["fixes"]]
    assert len(set(times)) == 200


def test_a_message_bears_the_next_number_or_none() -> None:
    (device,) = made_up(1)
    assert [json.loads(device.message(1_000_000, 1)[1])["seq"] for _ in range(3)] == [1, 2, 3]
    device.seq = None
    assert "seq" not in json.loads(device.message(1_000_000, 1)[1])


def test_percentiles_are_of_what_was_acknowledged() -> None:
    account = Account(sent=3)
    account.latencies_s.extend([0.001, 0.002, 0.5])
    account.acked.extend([0, 1, 0, 2, 0, 3])
    result = summary(account, 2, 1.0, drained=(6, 0.4))
    assert (result["ack_p50_ms"], result["ack_max_ms"], result["fixes_lost"]) == (2.0, 500.0, 0)
