"""Traccar's forwarded positions as its own serializer writes them.

Field order, names, the form of times and what is left out are those of traccar (forward/PositionData.java,
model/Position.java, model/Device.java, model/Network.java) under its ObjectMapper (MainModule.java): null
members of a position are written, those of the envelope and the network are not, ``outdated`` never is.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mqtt_world import NOW_MS, said, understood

from corrections_monitor.ingest.decode import Decoded
from corrections_monitor.model.telemetry import BandEvent, Presence, Source
from corrections_monitor.model.times import DAY_MS, MINUTE_MS

TOPIC = "traccar/positions"
PROTOCOLS = Path(__file__).parents[3] / "shared" / "data" / "protocols"
GPS_EPOCH = "1980-01-06T00:00:00.000+00:00"
WIFI = {
    "radioType": "gsm",
    "considerIp": False,
    "wifiAccessPoints": [{"macAddress": "00:1f:64:00:00:01", "signalStrength": -61, "channel": 6}],
}
CELLS = {
    "radioType": "gsm",
    "considerIp": False,
    "cellTowers": [
        {"radioType": "gsm", "cellId": 20753, "locationAreaCode": 9339, "mobileCountryCode": 460,
         "mobileNetworkCode": 0, "signalStrength": -67},
    ],
}  # fmt: skip


def date(t_ms: int) -> str:
    """As Jackson writes a java.util.Date: UTC with the offset spelt out."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=t_ms)
    return moment.isoformat(timespec="milliseconds")


def forwarded(
    attributes: dict[str, Any], *, unique_id: str = "d2", protocol: str = "huabao", **changed: Any
) -> bytes:
    position = {
        "id": 0,
        "attributes": {"sat": 9, "distance": 11.08, "totalDistance": 4183.97, "motion": False} | attributes,
        "deviceId": 1,
        "protocol": protocol,
        "serverTime": date(NOW_MS + 700),
        "deviceTime": date(NOW_MS),
        "fixTime": date(NOW_MS),
        "valid": True,
        "latitude": 41.12,
        "longitude": 122.07,
        "altitude": 4.0,
        "speed": 1.0799140000000003,
        "course": 99.0,
        "address": None,
        "accuracy": 0.0,
        "network": None,
        "geofenceIds": None,
        **changed,
    }  # fmt: skip
    device = {
        "id": 1,
        "attributes": {},
        "groupId": 0,
        "calendarId": 0,
        "name": "手环 d2",
        "uniqueId": unique_id,
        "status": "online",
        "lastUpdate": date(NOW_MS - 30_000),
        "positionId": 41,
        "phone": None,
        "model": None,
        "contact": None,
        "category": None,
        "disabled": False,
        "expirationTime": None,
    }
    return json.dumps({"position": position, "device": device}, separators=(",", ":")).encode()


def heard(attributes: dict[str, Any], **changed: Any) -> Decoded:
    return understood(said(forwarded(attributes, **changed), TOPIC))


def events(decoded: Decoded) -> dict[BandEvent, int]:
    found = decoded.batch.events
    return {BandEvent(ev): t_ms for ev, t_ms in zip(found.ev.tolist(), found.t_ms.tolist(), strict=True)}


def test_a_fix_by_satellites_is_in_our_units_with_the_default_accuracy() -> None:
    decoded = heard({"batteryLevel": 82, "battery": 3.9})
    assert decoded.rejects == []
    fixes = decoded.batch.fixes
    assert fixes.t_ms.tolist() == [NOW_MS]
    assert np.allclose([fixes.acc_m[0], fixes.spd_mps[0], fixes.hdg_deg[0]], [10, 0.5556, 99], atol=1e-3)
    assert fixes.src.tolist() == [Source.GNSS]
    assert decoded.batch.messages.battery_pct.tolist() == [82]


def test_the_time_is_that_of_the_fix_whatever_device_and_server_say() -> None:
    decoded = heard({}, fixTime=date(NOW_MS - MINUTE_MS), serverTime=date(NOW_MS + DAY_MS))
    assert decoded.batch.fixes.t_ms.tolist() == [NOW_MS - MINUTE_MS]


def test_volts_are_no_percent() -> None:
    assert heard({"battery": 3.9, "power": 12.4}).batch.messages.battery_pct.tolist() == [-1]


@pytest.mark.parametrize(
    ("alarm", "said_by_it"),
    [
        ("removing", {BandEvent.STRAP_CUT}),
        ("tampering", {BandEvent.CASE_OPEN}),
        ("sos", {BandEvent.SOS}),
        ("lowBattery", {BandEvent.BATTERY_LOW}),
        ("lowPower", {BandEvent.BATTERY_LOW}),
        ("jamming", {BandEvent.JAMMED}),
        ("powerOff", {BandEvent.POWER_OFF}),
        ("sos,lowBattery,removing", {BandEvent.SOS, BandEvent.BATTERY_LOW, BandEvent.STRAP_CUT}),
        ("overspeed, tampering", {BandEvent.CASE_OPEN}),
        ("overspeed", set()),
    ],
)
def test_alarms_that_are_ours_are_band_events(alarm: str, said_by_it: set[BandEvent]) -> None:
    decoded = heard({"alarm": alarm})
    assert events(decoded).keys() - {BandEvent.UNJAMMED} == said_by_it
    assert set(events(decoded).values()) <= {NOW_MS}
    assert decoded.batch.fixes.t_ms.tolist() == [NOW_MS]


def test_a_fresh_position_says_that_nothing_jams_any_longer() -> None:
    assert events(heard({})) == {BandEvent.UNJAMMED: NOW_MS}
    assert BandEvent.UNJAMMED not in events(heard({"alarm": "jamming"}))
    repeated = heard({}, fixTime=date(NOW_MS - MINUTE_MS), outdated=True)
    assert BandEvent.UNJAMMED not in events(repeated)


def test_a_message_without_a_position_is_a_sign_of_life() -> None:
    """The last fix is repeated in it under its old time; taken for no more, a device would be silent."""
    first, later = forwarded({}), forwarded({"alarm": "lowBattery"}, deviceTime=date(NOW_MS + MINUTE_MS))
    decoded = understood(said(first, TOPIC), said(later, TOPIC, NOW_MS + MINUTE_MS))
    assert decoded.rejects == []
    assert decoded.batch.fixes.t_ms.tolist() == [NOW_MS]
    assert decoded.batch.messages.presence.tolist() == [Presence.CONTACT, Presence.CONTACT]
    assert events(decoded)[BandEvent.HEARTBEAT] == NOW_MS + MINUTE_MS
    assert events(decoded)[BandEvent.BATTERY_LOW] == NOW_MS + MINUTE_MS


def test_before_the_first_position_of_all_there_is_none() -> None:
    """Traccar then writes latitude and longitude 0 and 1980-01-06."""
    decoded = heard({"batteryLevel": 40}, fixTime=GPS_EPOCH, latitude=0.0, longitude=0.0, valid=False)
    assert decoded.rejects == []
    assert len(decoded.batch.fixes) == 0
    assert events(decoded) == {BandEvent.HEARTBEAT: NOW_MS}


def test_what_earlier_releases_call_outdated_is_no_position() -> None:
    decoded = heard({}, outdated=True, fixTime=date(NOW_MS - DAY_MS))
    assert (len(decoded.batch.fixes), decoded.rejects) == (0, [])
    assert events(decoded) == {BandEvent.HEARTBEAT: NOW_MS}


def test_an_invalid_position_is_set_aside_and_its_alarm_is_not() -> None:
    decoded = heard({"alarm": "removing"}, valid=False)
    assert [r.reason for r in decoded.rejects] == ["undecodable"]
    assert events(decoded) == {BandEvent.STRAP_CUT: NOW_MS}
    assert decoded.batch.messages.presence.tolist() == [Presence.CONTACT]


@pytest.mark.parametrize(
    ("network", "source", "accuracy", "acc_m"),
    [(WIFI, Source.WIFI, 0.0, 100), (WIFI, Source.WIFI, 55.0, 55), (CELLS, Source.LBS, 0.0, 500)],
)
def test_a_position_found_by_networks_is_of_that_source(
    network: object, source: Source, accuracy: float, acc_m: float
) -> None:
    decoded = heard({"approximate": True}, network=network, accuracy=accuracy, speed=0.0, course=0.0)
    fixes = decoded.batch.fixes
    assert (fixes.src.tolist(), fixes.acc_m.tolist()) == ([source], [acc_m])
    assert np.isnan(fixes.spd_mps[0])
    assert np.isnan(fixes.hdg_deg[0])


def test_networks_beside_a_fix_by_satellites_change_nothing() -> None:
    assert heard({}, network=CELLS).batch.fixes.src.tolist() == [Source.GNSS]


@pytest.mark.parametrize(
    "changed", [{"latitude": "NaN"}, {"accuracy": "NaN"}, {"accuracy": -1.0}, {"fixTime": None}]
)
def test_what_the_serializer_can_write_and_nobody_can_use_is_named(changed: dict[str, Any]) -> None:
    decoded = heard({}, **changed)
    assert [r.reason for r in decoded.rejects] in (["undecodable"], ["out_of_range"])
    assert len(decoded.batch.fixes) == 0


@pytest.mark.parametrize("protocol", ["huabao", "gt06", "h02", "watch", "teltonika", "osmand", "gl200"])
def test_the_protocol_behind_it_makes_no_difference(protocol: str) -> None:
    assert len(heard({}, protocol=protocol).batch.fixes) == 1


JT808 = PROTOCOLS / "jt808_gojt808_parse.ndjson"


@pytest.mark.skipif(not JT808.exists(), reason="the JT/T 808 samples of the shared data are not here")
def test_jt808_positions_arrive_as_their_terminals_sent_them() -> None:
    """0x0200 of the samples, decoded by their own project, forwarded as Traccar forwards them."""
    samples = [json.loads(line) for line in JT808.read_text("utf-8").splitlines()]
    decodings = [s["expect_go"] for s in samples if s["name"].startswith("T0x0200") and "expect_go" in s]
    read = [
        {k: int(v) for k, v in re.findall(r"(Latitude|Longitude|Altitude|Speed|Direction): (\d+)", text)}
        for text in decodings
    ]
    found = [row for row in read if len(row) == 5]
    assert found
    for row in found:
        # 1e-6 degrees and 0.1 km/h (JT/T 808 table 23); these samples have the two degrees swapped.
        place = {"latitude": row["Longitude"] / 1e6, "longitude": row["Latitude"] / 1e6}
        knots = row["Speed"] / 10 * 1000 / 1852
        fixes = heard({}, **place, speed=knots, course=float(row["Direction"])).batch.fixes
        assert np.allclose([fixes.lat[0], fixes.lon[0]], list(place.values()))
        assert np.allclose([fixes.spd_mps[0], fixes.hdg_deg[0]], [row["Speed"] / 36, row["Direction"]])
