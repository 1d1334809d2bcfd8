"""What can be used of a message and what cannot, fix by fix (CONTRACT §2)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mqtt_world import DEVICES, NOW_MS, SETTINGS, ZONE, fix, said, understood

from corrections_monitor.geofence.crs import to_wgs84
from corrections_monitor.ingest.decode import decode
from corrections_monitor.ingest.message import Message
from corrections_monitor.model.telemetry import NO_BATTERY, NO_SEQ, BandEvent, Presence, Source
from corrections_monitor.model.times import DAY_MS, MINUTE_MS

AT_MS = 1_794_999_960_000


def fixes(*rows: object, **fields: object) -> dict[str, object]:
    return {"fixes": list(rows), **fields}


def test_a_full_message_becomes_columns() -> None:
    row = {"t": NOW_MS, "lon": 122.07, "lat": 41.12, "acc": 8.5, "spd": 1.2, "hdg": 90, "src": "gnss"}
    batch = understood(said({"seq": 17, "fixes": [row], "crs": "wgs84", "bat": 83})).batch
    assert batch.messages.seq.tolist() == [17]
    assert batch.messages.battery_pct.tolist() == [83]
    assert batch.messages.t_ms.tolist() == [NOW_MS]
    assert batch.messages.presence.tolist() == [Presence.CONTACT]
    assert (batch.fixes.lon[0], batch.fixes.lat[0]) == (122.07, 41.12)
    assert np.allclose([batch.fixes.acc_m[0], batch.fixes.spd_mps[0], batch.fixes.hdg_deg[0]], [8.5, 1.2, 90])


def test_only_time_and_place_are_required() -> None:
    batch = understood(said(fixes(fix()))).batch
    assert batch.messages.seq.tolist() == [NO_SEQ]
    assert batch.messages.battery_pct.tolist() == [NO_BATTERY]
    assert np.isnan(batch.fixes.spd_mps[0])
    assert np.isnan(batch.fixes.hdg_deg[0])


@pytest.mark.parametrize(
    ("src", "acc_m"), [(None, 10), ("gnss", 10), ("beacon", 10), ("wifi", 100), ("lbs", 500)]
)
def test_accuracy_has_a_default_by_source(src: str | None, acc_m: float) -> None:
    batch = understood(said(fixes(fix(src=src), fix(NOW_MS - 1, src=src, acc=3)))).batch
    assert batch.fixes.acc_m.tolist() == [3, acc_m]
    assert batch.fixes.src.tolist() == [Source[(src or "gnss").upper()]] * 2


def test_fixes_of_one_message_come_out_in_order_of_time() -> None:
    batch = understood(said(fixes(fix(NOW_MS), fix(NOW_MS - 2_000), fix(NOW_MS - 1_000)))).batch
    assert batch.fixes.t_ms.tolist() == [NOW_MS - 2_000, NOW_MS - 1_000, NOW_MS]
    assert batch.messages.t_ms.tolist() == [NOW_MS]


@pytest.mark.parametrize(
    "t",
    [
        AT_MS,
        float(AT_MS),
        str(AT_MS),
        "2026-11-18T11:06:00Z",
        "2026-11-18T11:06+00:00",
        "2026-11-18T19:06:00",
    ],
)
def test_times_are_epoch_milliseconds_or_iso_in_the_configured_zone(t: object) -> None:
    decoded = understood(said(fixes(fix(t))), said({"t": t, "ev": "sos"}, "cm/v1/x/d2/band"))
    assert decoded.rejects == []
    assert decoded.batch.fixes.t_ms.tolist() == decoded.batch.events.t_ms.tolist() == [AT_MS]


@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_positions_of_chinese_maps_are_converted(crs: str) -> None:
    batch = understood(said(fixes(fix(), crs=crs)), said(fixes(fix()), "cm/v1/x/d2/fix")).batch
    lon, lat = to_wgs84(np.array([122.07]), np.array([41.12]), crs)
    assert batch.fixes.lon.tolist() == [lon[0], 122.07]
    assert batch.fixes.lat.tolist() == [lat[0], 41.12]


BAD_FIXES = {
    "nan": (fix(lon=float("nan")), fix(lat=float("-inf")), fix(acc=float("nan")), fix(spd=float("inf"))),
    "out_of_range": (
        fix(lon=180.1),
        fix(lat=-90.1),
        fix(acc=-1),
        fix(spd=-0.1),
        fix(hdg=-1),
        fix(hdg=360.1),
        fix(acc=10**400),
        fix(10**30),
    ),
    "undecodable": (
        fix(lon=True),
        fix(lat="41.1"),
        fix(None),
        fix("yesterday"),
        fix(True),
        fix([1]),
        {"lon": 1, "lat": 2},
        {"t": NOW_MS, "lat": 2},
        fix(src="glonass"),
        fix(src=7),
        17,
        None,
    ),
    "future": (fix(NOW_MS + 5 * MINUTE_MS + 1), fix(NOW_MS * 1000)),
    "too_old": (fix(NOW_MS - 180 * DAY_MS - 1), fix(NOW_MS // 1000), fix("1969-07-20T20:17:00Z")),
}


@pytest.mark.parametrize(
    ("reason", "bad"), [(reason, bad) for reason, rows in BAD_FIXES.items() for bad in rows]
)
def test_one_bad_fix_spoils_only_itself(reason: str, bad: object) -> None:
    body = json.dumps({"seq": 4, "fixes": [fix(NOW_MS - 1), bad, fix()], "bat": 50}).encode()
    decoded = understood(said(body))
    assert decoded.batch.fixes.t_ms.tolist() == [NOW_MS - 1, NOW_MS]
    assert [r.reason for r in decoded.rejects] == [reason]
    assert decoded.rejects[0].device_id == "d1"
    assert decoded.batch.messages.seq.tolist() == [4]
    assert decoded.counts == {("fix", "partial"): 1}


def test_at_the_edge_of_tolerance_a_fix_is_good() -> None:
    edge = fixes(
        fix(NOW_MS + 5 * MINUTE_MS), fix(NOW_MS - 180 * DAY_MS), fix(lon=-180, lat=90, acc=0, hdg=360)
    )
    assert understood(said(edge)).rejects == []


def test_what_was_ahead_of_our_clock_can_be_judged_again_by_itself() -> None:
    ahead = NOW_MS + DAY_MS
    message = said(fixes(fix(), fix(ahead, lon=121.5), seq=9, crs="gcj02", bat=40))
    reject = understood(message).rejects[0]
    assert reject.payload is not None
    later = understood(Message(reject.topic, reject.payload, ahead))
    assert later.batch.fixes.t_ms.tolist() == [ahead]
    assert later.batch.fixes.lon[0] != 121.5
    assert later.batch.messages.seq.tolist() == [9]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "undecodable"),
        (b"{", "undecodable"),
        (b"\xff\xfe", "undecodable"),
        (b"[]", "undecodable"),
        (b"17", "undecodable"),
        (b"[" * 100_000, "undecodable"),
        (b'{"fixes":' + b"[" * 100_000, "undecodable"),
        (b'{"seq":' + b"9" * 5_000 + b',"fixes":[]}', "undecodable"),
        (b'{"seq":1}', "undecodable"),
        (b'{"fixes":[]}', "undecodable"),
        (b'{"fixes":{}}', "undecodable"),
        (b'{"fixes":[{"t":1,"lon":1,"lat":1}],"crs":"utm"}', "undecodable"),
        (b'{"t":1,"ev":"strap_cut"}', "mismatch"),
        (b'{"x":"' + b"y" * 1_000_000 + b'"}', "too_large"),
    ],
    ids=lambda p: repr(p)[:30],
)
def test_an_unusable_message_of_a_known_device_is_kept_and_is_a_contact(payload: bytes, reason: str) -> None:
    decoded = understood(said(payload))
    assert [r.reason for r in decoded.rejects] == [reason]
    assert decoded.batch.messages.presence.tolist() == [Presence.CONTACT]
    assert decoded.batch.messages.t_ms.tolist() == [NOW_MS]
    assert len(decoded.batch.fixes) == 0
    assert decoded.counts == {("fix", "rejected"): 1}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"bat": 101}, "out_of_range"),
        ({"bat": -1}, "out_of_range"),
        ({"bat": True}, "undecodable"),
        ({"bat": float("nan")}, "nan"),
        ({"seq": -1}, "out_of_range"),
        ({"seq": 2**63}, "out_of_range"),
        ({"seq": 2**70}, "out_of_range"),
        ({"seq": "17"}, "undecodable"),
        ({"seq": 1.5}, "undecodable"),
        ({"seq": False}, "undecodable"),
    ],
)
def test_a_bad_battery_or_number_spoils_no_fix(fields: dict[str, object], reason: str) -> None:
    decoded = understood(
        said(fixes(fix(), **fields)), said({"t": NOW_MS, "ev": "sos", **fields}, "cm/v1/x/d2/band")
    )
    assert [r.reason for r in decoded.rejects] == [reason, reason]
    assert len(decoded.batch.fixes) == len(decoded.batch.events) == 1
    assert decoded.batch.messages.battery_pct.tolist() == [NO_BATTERY, NO_BATTERY]
    assert decoded.batch.messages.seq.tolist() == [NO_SEQ, NO_SEQ]


def test_whole_numbers_written_as_decimals_are_good() -> None:
    decoded = understood(said(fixes(fix(), seq=17.0, bat=82.6)))
    assert decoded.rejects == []
    assert decoded.batch.messages.seq.tolist() == [17]
    assert decoded.batch.messages.battery_pct.tolist() == [83]


def test_every_band_event_is_known() -> None:
    for event in BandEvent:
        decoded = understood(
            said({"t": NOW_MS, "ev": event.name.lower(), "id": "c1", "bat": 7}, "cm/v1/x/d1/band")
        )
        assert decoded.batch.events.ev.tolist() == [event]
        assert decoded.batch.events.battery_pct.tolist() == [7]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"t": NOW_MS, "ev": "exploded"}, "undecodable"),
        ({"t": NOW_MS, "ev": 3}, "undecodable"),
        ({"ev": "sos"}, "undecodable"),
        ({"t": NOW_MS}, "undecodable"),
        ({"t": NOW_MS + DAY_MS, "ev": "sos"}, "future"),
        ({"t": 10**19, "ev": "sos"}, "out_of_range"),
        ({"t": 5, "ev": "sos"}, "too_old"),
        ({"t": NOW_MS, "ev": "cmd_ok"}, "undecodable"),
        ({"fixes": []}, "mismatch"),
    ],
)
def test_bad_band_messages_are_named(payload: object, reason: str) -> None:
    decoded = understood(said(payload, "cm/v1/x/d1/band"))
    assert [r.reason for r in decoded.rejects] == [reason]
    assert len(decoded.batch.events) == 0
    assert decoded.batch.messages.presence.tolist() == [Presence.CONTACT]


def test_the_answer_to_a_command_names_it() -> None:
    decoded = understood(
        said({"t": NOW_MS, "ev": "cmd_ok", "id": "c-1"}, "cm/v1/x/d1/band"),
        said({"t": NOW_MS, "ev": "cmd_failed", "id": 7}, "cm/v1/x/d2/band"),
    )
    assert [(r.device_id, r.command_id, r.done) for r in decoded.replies] == [
        ("d1", "c-1", True),
        ("d2", "7", False),
    ]


@pytest.mark.parametrize(
    ("message", "presence"),
    [
        (said({"online": True, "t": NOW_MS}, "cm/v1/x/d1/status"), Presence.CONTACT),
        (said({"online": True}, "cm/v1/x/d1/status"), Presence.CONTACT),
        (said({"online": True}, "cm/v1/x/d1/status", retained=True), Presence.NONE),
        (said({"online": False, "t": NOW_MS}, "cm/v1/x/d1/status"), Presence.NONE),
        (said({"online": False, "t": "?"}, "cm/v1/x/d1/status"), Presence.NONE),
        (said({"online": 1}, "cm/v1/x/d1/status"), Presence.CONTACT),
        (said(b"?", "cm/v1/x/d1/status", retained=True), Presence.NONE),
        (said(fixes(fix()), retained=True), Presence.NONE),
        (said(fixes(fix())), Presence.CONTACT),
        (said({"t": NOW_MS, "ev": "sos"}, "cm/v1/x/d1/band", retained=True), Presence.NONE),
    ],
)
def test_what_counts_as_contact(message: Message, presence: Presence) -> None:
    assert understood(message).batch.messages.presence.tolist() == [presence]


def test_of_an_unusable_message_the_time_it_told_is_kept() -> None:
    old, ahead = NOW_MS - 200 * DAY_MS, NOW_MS + DAY_MS
    batch = understood(
        said(fixes(fix(old))), said(fixes(fix(ahead))), said(fixes(fix(NOW_MS - 5), fix(ahead)))
    ).batch
    assert batch.messages.t_ms.tolist() == [old, ahead, NOW_MS - 5]


def test_unknown_devices_and_topics_are_kept_and_are_nobodys_contact() -> None:
    decoded = understood(
        said(fixes(fix()), "cm/v1/x/stranger/fix"),
        said(fixes(fix()), "cm/v2/x/d1/fix"),
        said(b"", "$SYS/\x00"),
    )
    assert [r.reason for r in decoded.rejects] == ["unknown_device", "unknown_topic", "unknown_topic"]
    assert decoded.rejects[0].device_id == "stranger"
    assert "\x00" not in decoded.rejects[2].topic
    assert len(decoded.batch.messages) == 0


def test_a_login_that_speaks_for_another_is_no_contact_of_either() -> None:
    decoded = understood(
        said(fixes(fix()), login="d2"),
        said({"t": NOW_MS, "ev": "sos"}, "cm/v1/x/d1/band", login="d2"),
        said({"alert_id": "a1"}, "cm/v1/officers/o1/ack", login="o2"),
        said(fixes(fix()), login="d1"),
    )
    assert [r.reason for r in decoded.rejects] == ["identity"] * 3
    assert decoded.message_index.tolist() == [3]
    assert decoded.acks == []


def test_the_county_is_never_a_reason_to_refuse() -> None:
    decoded = understood(said(fixes(fix()), "cm/v1/officers/d1/fix"), said(fixes(fix()), "cm/v1//d2/fix"))
    assert len(decoded.batch.fixes) == 2


def test_a_repetition_within_a_batch_changes_nothing() -> None:
    message = said(fixes(fix(hdg=3), fix(NOW_MS - 1)))
    decoded = understood(message, message, said(fixes(fix(hdg=3), fix(NOW_MS + 1))))
    assert decoded.batch.fixes.t_ms.tolist() == [NOW_MS - 1, NOW_MS, NOW_MS + 1]
    assert decoded.batch.messages.presence.tolist() == [Presence.CONTACT, Presence.NONE, Presence.CONTACT]
    assert decoded.counts == {("fix", "accepted"): 2, ("fix", "duplicate"): 1}
    assert decoded.rejects == []


def test_other_content_under_a_known_key_is_a_conflict_and_the_first_stays() -> None:
    decoded = understood(
        said(fixes(fix())),
        said(fixes(fix(lon=122.08))),
        said(fixes(fix(src="wifi"))),
        said(fixes(fix()), "cm/v1/x/d2/fix"),
        said({"t": NOW_MS, "ev": "heartbeat", "bat": 80}, "cm/v1/x/d1/band"),
        said({"t": NOW_MS, "ev": "heartbeat", "bat": 70}, "cm/v1/x/d1/band"),
    )
    assert decoded.batch.fixes.lon.tolist() == [122.07] * 3
    assert decoded.batch.events.battery_pct.tolist() == [80]
    assert [r.reason for r in decoded.rejects] == ["conflict", "conflict"]
    assert decoded.batch.messages.presence.tolist() == [1, 0, 1, 1, 1, 0]
    assert decoded.counts[("fix", "rejected")] == decoded.counts[("band", "rejected")] == 1


def test_officers_acknowledge_with_clean_text() -> None:
    decoded = understood(
        said({"alert_id": "a1", "note": "已到场\u0000\ud800"}, "cm/v1/officers/o1/ack"),
        said({"alert_id": "a2"}, "cm/v1/officers/o1/ack", login="o1"),
        said({"alert_id": 3}, "cm/v1/officers/o1/ack"),
        said({"alert_id": "a", "note": 3}, "cm/v1/officers/o1/ack"),
    )
    assert [(a.officer_id, a.alert_id) for a in decoded.acks] == [("o1", "a1"), ("o1", "a2")]
    assert decoded.acks[0].note.startswith("已到场")
    decoded.acks[0].note.encode()
    assert "\x00" not in decoded.acks[0].note
    assert [r.reason for r in decoded.rejects] == ["undecodable", "undecodable"]


def test_rows_keep_the_order_of_arrival_whichever_way_they_were_read() -> None:
    messages = [
        said(fixes(fix(NOW_MS - 3)), "cm/v1/x/d3/fix"),
        said(fixes(fix("2026-11-18T19:00:00+08:00")), "cm/v1/x/d2/fix"),
        said({"t": NOW_MS, "ev": "sos"}, "cm/v1/x/d1/band"),
        said(b"?", "cm/v1/x/d3/fix"),
        said(fixes(fix(NOW_MS - 2)), "cm/v1/x/d1/fix"),
    ]
    decoded = decode(messages, DEVICES, ZONE, SETTINGS)
    assert decoded.message_index.tolist() == [0, 1, 2, 3, 4]
    assert decoded.batch.messages.device.tolist() == [2, 1, 0, 2, 0]
    assert decoded.batch.fixes.message.tolist() == [0, 1, 4]
    assert decoded.batch.events.message.tolist() == [2]


def test_nothing_gives_an_empty_batch() -> None:
    decoded = understood()
    assert len(decoded.batch.messages) == len(decoded.batch.fixes) == len(decoded.batch.events) == 0
    assert decoded.batch.fixes.acc_m.dtype == np.float32
    assert decoded.counts == {}
