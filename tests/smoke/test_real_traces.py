"""Real phones, through a real broker, into the daemon, on a real database: everything is accounted for."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from mqtt_world import Mosquitto, needs_mosquitto
from program import Daemon, call_well, cpu_s, wait_for
from real_traces import Account, account_of, cases_of, needs_traces, rows_of

from corrections_monitor import cases as case_folder
from corrections_monitor.model.times import DAY_MS, HOUR_MS
from simulators import encode
from simulators.ledger import Key, replay
from simulators.mqtt import parse_url

pytestmark = [needs_mosquitto, needs_traces]
ZONE = ZoneInfo("Asia/Shanghai")
RETENTION_DAYS = 400  # MobilityNet was recorded over 274 days
SEND_RATE = 10_000.0


@pytest.mark.timeout(400)
@pytest.mark.parametrize("source", ["odc", "mobilitynet"])
async def test_every_valid_fix_is_stored_once_and_every_other_in_quarantine(
    source: str, tmp_path: Path, database_url: str, mosquitto: Mosquitto, daemon: Callable[..., Daemon]
) -> None:
    rows = rows_of(source)
    now_ms = time.time_ns() // 1_000_000
    account = account_of(rows, now_ms)
    assert account.late
    assert account.contradicting  # phones really do give two places for one instant
    _spoil(account, rows[0].phone, now_ms)
    folder = tmp_path / "cases"
    folder.mkdir()
    case_folder.write(cases_of(rows, now_ms), folder, ZONE)
    call_well("import", folder, database_url=database_url)

    run = daemon(mqtt=mosquitto.url(), endpoint=False, CORRECTIONS_DETECTION__RETENTION=f"{RETENTION_DAYS}d")
    run.start()
    began_s, before_s = time.monotonic(), cpu_s(run.pid)
    ledger = await replay(
        account.messages, parse_url(mosquitto.url()), rate=SEND_RATE, window=2_000, timeout_s=300
    )
    assert len(ledger.acked) == len(account.messages)
    wait_for(lambda: run.metric("messages_total") >= len(account.messages), "all is taken in", 120)
    took_s = time.monotonic() - began_s
    used_s = cpu_s(run.pid) - before_s
    assert run.stop() == 0

    assert _stored(database_url) == dict.fromkeys(account.stored, 1)
    refused = _quarantined(database_url)
    assert {reason: len(payloads) for reason, payloads in refused.items() if reason != "conflict"} == dict(
        account.refused
    )
    # What contradicts may be said again within one batch, and is then one matter.
    held = Counter(text for text in account.contradicting for p in refused["conflict"] if text in p)
    assert held.keys() == account.contradicting.keys()
    assert all(1 <= held[text] <= said for text, said in account.contradicting.items())
    count = len(account.messages)
    print(
        f"\n{source}: {len(rows)} fixes in {count} messages: {len(account.stored)} stored, "
        f"{account.repeated} said again, {account.late} late, "
        f"refused {dict(account.refused)}, contradicting {account.contradicting.total()}; "
        f"{took_s:.1f} s, {count / took_s:.0f} messages/s, {used_s / count * 1e6:.0f} µs of CPU each"
    )


def _spoil(account: Account, phone: str, now_ms: int) -> None:
    """What phones have not done in the data: one message for every other reason."""
    topic = encode.fix_topic("county", phone)

    def one(t_ms: int, lon: float = 122.0, lat: float = 41.0) -> str:
        return encode.fix_payload(None, [encode.fix(t_ms, lon, lat, 10.0)])

    account.unusable("undecodable", topic, "{not json")
    account.unusable("undecodable", topic, '{"fixes":[{"t":1,"lon":122.0}]}')
    account.unusable("nan", topic, one(now_ms, lon=math.nan).replace("nan", "NaN"))
    account.unusable("out_of_range", topic, one(now_ms - 1, lat=91.0))
    account.unusable("future", topic, one(now_ms + HOUR_MS))
    account.unusable("too_old", topic, one(now_ms - RETENTION_DAYS * DAY_MS - HOUR_MS))
    account.unusable("unknown_device", encode.fix_topic("county", "nobody"), one(now_ms - 2))
    account.unusable("mismatch", encode.band_topic("county", phone), one(now_ms - 3))


def _stored(url: str) -> Counter[Key]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT device_id, t_ms, src FROM fixes JOIN device_numbers USING (device_no)"
        ).fetchall()
    return Counter(Key(device_id, t_ms, "gnss") for device_id, t_ms, _ in rows)


def _quarantined(url: str) -> dict[str, list[str]]:
    """The payloads under each reason."""
    found: dict[str, list[str]] = {}
    with psycopg.connect(url) as connection:
        for reason, payload in connection.execute("SELECT reason, payload FROM quarantine"):
            found.setdefault(reason, []).append(bytes(payload or b"").decode(errors="replace"))
    return found
