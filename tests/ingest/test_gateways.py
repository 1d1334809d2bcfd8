"""OwnTracks and Traccar, on payloads from their own documentation and in their own units."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mqtt_world import NOW_MS, ZONE, said, understood

from corrections_monitor.ingest.decode import decode
from corrections_monitor.ingest.message import Message
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import Presence

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "protocols" / "owntracks_doc_samples.ndjson"
OWNTRACKS = "owntracks/someone/d1"
LOCATION = {"_type": "location", "tst": NOW_MS // 1000, "lon": 122.07, "lat": 41.12}


def position(**fields: object) -> dict[str, Any]:
    told = {
        "id": 7,
        "fixTime": "2026-11-18T19:06:40.000+08:00",
        "valid": True,
        "longitude": 122.07,
        "latitude": 41.12,
        "speed": 10.0,
        "course": 90.0,
        "accuracy": 0.0,
        "attributes": {"batteryLevel": 64, "motion": True},
        **fields,
    }
    return {"position": told, "device": {"id": 1, "name": "车", "uniqueId": "d2"}}


def test_an_owntracks_location_is_a_fix_in_our_units() -> None:
    batch = understood(said({**LOCATION, "acc": 12, "vel": 36, "cog": 45, "batt": 80}, OWNTRACKS)).batch
    assert batch.fixes.t_ms.tolist() == [NOW_MS]
    assert (batch.fixes.lon[0], batch.fixes.lat[0]) == (122.07, 41.12)
    assert np.allclose([batch.fixes.acc_m[0], batch.fixes.spd_mps[0], batch.fixes.hdg_deg[0]], [12, 10, 45])
    assert batch.messages.battery_pct.tolist() == [80]
    assert batch.messages.presence.tolist() == [Presence.CONTACT]


def test_what_an_owntracks_app_does_not_know_is_not_said() -> None:
    decoded = understood(said({**LOCATION, "vel": -1, "cog": -1, "batt": -1}, OWNTRACKS))
    assert decoded.rejects == []
    assert np.isnan(decoded.batch.fixes.spd_mps[0])
    assert np.isnan(decoded.batch.fixes.hdg_deg[0])


def test_an_owntracks_last_will_is_no_contact() -> None:
    decoded = understood(said({"_type": "lwt", "tst": NOW_MS // 1000}, OWNTRACKS))
    assert decoded.batch.messages.presence.tolist() == [Presence.NONE]
    assert decoded.counts == {("owntracks", "accepted"): 1}


@pytest.mark.parametrize(
    ("hdop", "accuracy_m", "acc_m"),
    [(0.8, 0.0, 10), (6.5, 0.0, 32.5), (6.5, 12.0, 12), (99.9, 0.0, 499.5), (500, 0.0, 10), ("bad", 0.0, 10)],
)
def test_a_tracker_that_knows_its_dilution_alone_is_believed_by_it(
    hdop: object, accuracy_m: float, acc_m: float
) -> None:
    attributes = {"batteryLevel": 64, "hdop": hdop}
    told = position(accuracy=accuracy_m, attributes=attributes)
    assert understood(said(told, "traccar/positions")).batch.fixes.acc_m.tolist() == pytest.approx([acc_m])


@pytest.mark.skipif(not SAMPLES.exists(), reason="the OwnTracks samples of the shared data are not here")
def test_every_documented_owntracks_message_is_understood_or_ignored() -> None:
    samples = [json.loads(line)["payload"] for line in SAMPLES.read_text("utf-8").splitlines()]
    objects = [sample for sample in samples if isinstance(sample, dict)]
    # The samples are years old and their places are real.
    settings = DetectionSettings(retention_ms=NOW_MS)
    for sample in objects:
        message = Message(OWNTRACKS, json.dumps(sample).encode(), NOW_MS)
        decoded = decode([message], {"d1": 0}, ZONE, settings)
        kind = sample.get("_type")
        if kind == "location" and {"tst", "lat", "lon"} <= sample.keys():
            assert decoded.rejects == [], sample
            assert decoded.batch.fixes.t_ms.tolist() == [sample["tst"] * 1000]
        elif kind in (None, "location"):
            assert [r.reason for r in decoded.rejects] == ["undecodable"], sample
        else:
            assert decoded.rejects == [], sample
            outcome = "accepted" if kind == "lwt" else "ignored"
            assert decoded.counts == {("owntracks", outcome): 1}
    assert sum(sample.get("_type") == "location" for sample in objects) > 5


def test_a_traccar_position_is_a_fix_of_the_device_it_names() -> None:
    batch = understood(said(position(), "traccar/positions")).batch
    assert batch.messages.device.tolist() == [1]
    assert batch.messages.battery_pct.tolist() == [64]
    assert batch.fixes.t_ms.tolist() == [NOW_MS]
    assert np.allclose([batch.fixes.spd_mps[0], batch.fixes.hdg_deg[0]], [5.14444, 90])
    assert batch.fixes.acc_m.tolist() == [10]


@pytest.mark.parametrize(
    ("payload", "reason", "rows"),
    [
        ({"position": {}}, "undecodable", 0),
        ({"position": None, "device": {"uniqueId": "d2"}}, "undecodable", 1),
        ({"position": {}, "device": {"uniqueId": "stranger"}}, "unknown_device", 0),
        (position(valid=False), "undecodable", 1),
        (position(latitude=91), "out_of_range", 1),
        (position(fixTime=None), "undecodable", 1),
        (position(fixTime="2036-01-01T00:00:00Z"), "future", 1),
        (position(attributes={"batteryLevel": 400}), "out_of_range", 1),
    ],
)
def test_what_traccar_cannot_mean_is_named(payload: object, reason: str, rows: int) -> None:
    decoded = understood(said(payload, "traccar/positions"))
    # A position is also a word on jamming: what is ahead of our clock is so twice.
    assert {r.reason for r in decoded.rejects} == {reason}
    assert len(decoded.batch.messages) == rows


def test_only_a_service_forwards_positions() -> None:
    decoded = understood(said(position(), "traccar/positions", login="device/d2"))
    assert [r.reason for r in decoded.rejects] == ["identity"]
