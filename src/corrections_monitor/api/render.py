"""Rows as the JSON of CONTRACT §6: times with offset, severities by name, absent as null."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.model.episodes import Cause, Kind, Severity
from corrections_monitor.model.times import format_time
from corrections_monitor.rules.digest import Digest, Named
from corrections_monitor.store.api_alerts import AlertHistory, AlertRow
from corrections_monitor.store.api_rows import Row

Json = dict[str, Any]


def alert_object(found: AlertRow, zone: ZoneInfo, *, sees_locations: bool) -> Json:
    """An alert as told everywhere outside: lists, streams, answers."""
    alert = found.alert
    return {
        "alert_id": alert["alert_id"],
        "state": alert["state"],
        "severity": str(Severity(alert["severity"])),
        "cause": alert["cause"],
        "kinds": list(dict.fromkeys(e["kind"] for e in found.episodes)) or [alert["kind"]],
        "person_id": alert["person_id"] or None,
        "person_name": alert["person_name"],
        "office_id": alert["office_id"],
        "opened_at": format_time(alert["opened_ms"], zone),
        "updated_at": format_time(alert["updated_ms"], zone),
        "acknowledged_by": alert["acknowledged_by"],
        "acknowledged_at": format_time(alert["acknowledged_ms"], zone),
        "resolved_by": alert["resolved_by"],
        "resolved_at": format_time(alert["resolved_ms"], zone),
        "disposition": alert["disposition"],
        "episodes": [_episode(e, zone) for e in found.episodes],
        "position": position_object(found.position, zone) if sees_locations else None,
        "reason": alert["reason"],
        "drill": alert["drill"],
        "late": alert["late"],
    }


def bare_alert(
    alert_id: str,
    office_id: str,
    severity: Severity,
    opened_at: str | None,
    updated_at: str | None,
    reason: str,
) -> Json:
    """What is told as an alert is, and is none: of the system, about nobody, with no episodes."""
    return {
        "alert_id": alert_id,
        "state": "open",
        "severity": str(severity),
        "cause": str(Cause.SYSTEM),
        "kinds": [str(Kind.OUTAGE)],
        "person_id": None,
        "person_name": None,
        "office_id": office_id,
        "opened_at": opened_at,
        "updated_at": updated_at,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "resolved_by": None,
        "resolved_at": None,
        "disposition": None,
        "episodes": [],
        "position": None,
        "reason": reason,
        "drill": False,
        "late": False,
    }


def alert_detail(found: AlertRow, history: AlertHistory, zone: ZoneInfo, *, sees_locations: bool) -> Json:
    """One alert with its timeline, the log of its episodes, its pages and the evidence."""
    whole = alert_object(found, zone, sees_locations=sees_locations)
    whole["episodes"] = [episode_object(e, zone, sees_locations=sees_locations) for e in found.episodes]
    whole["note"] = found.alert["note"]
    whole["inspected"] = found.alert["inspected"]
    whole["timeline"] = [
        {"at": format_time(t["at_ms"], zone), "what": t["what"], "who": t["who"], "detail": t["detail"]}
        for t in history.timeline
    ]
    whole["lines"] = [
        {
            "at": format_time(line["at_ms"], zone),
            "event": line["change"],
            "episode_id": line["episode_id"],
            "severity": str(Severity(line["severity"])),
            "paged": line["paged"],
            "reason": line["reason"],
        }
        for line in history.lines
    ]
    whole["pages"] = [_page(p, zone) for p in history.pages]
    return whole


def digest_object(digest: Digest, zone: ZoneInfo) -> Json:
    """A daily digest (每日简报)."""
    return {
        "office_id": digest.office_id,
        "office_name": digest.office_name,
        "day": digest.day,
        "made_at": format_time(digest.made_ms, zone),
        "late": digest.late,
        "open": digest.open,
        "acknowledged": digest.acknowledged,
        "by_age": dict(zip(("under_1d", "1d_to_3d", "over_3d"), digest.by_age, strict=True)),
        "owners": [
            {
                "officer_id": owner.officer_id or None,
                "name": owner.name or None,
                "alerts": owner.alerts,
                "oldest_at": format_time(owner.oldest_ms, zone),
            }
            for owner in digest.owners
        ],
        "minor": digest.minor,
        "expiring": [_named(person, zone) for person in digest.expiring],
        "unmonitored": [_named(person, zone) for person in digest.unmonitored],
        "silent": digest.silent,
        "gaps": [
            {
                "office_name": gap.office_name,
                "from": format_time(gap.from_ms, zone),
                "to": format_time(gap.to_ms, zone),
            }
            for gap in digest.gaps
        ],
    }


def _named(person: Named, zone: ZoneInfo) -> Json:
    return {
        "person_id": person.person_id,
        "person_name": person.name,
        "to": format_time(person.to_ms, zone),
    }


def episode_object(episode: Row, zone: ZoneInfo, *, sees_locations: bool) -> Json:
    """An episode with what decided it; the evidence says where somebody was."""
    return {
        **_episode(episode, zone),
        "alert_id": episode["alert_id"],
        "person_id": episode["person_id"] or None,
        "person_name": episode["person_name"],
        "office_id": episode["office_id"],
        "subject": episode["subject"],
        "state": episode.get("state"),
        "disposition": episode.get("disposition"),
        "minor": episode.get("minor", False),
        "evidence": episode["evidence"] if sees_locations else None,
    }


def position_object(position: Row | None, zone: ZoneInfo) -> Json | None:
    """``{lon, lat, at}`` of the newest fix."""
    if position is None:
        return None
    return {"lon": position["lon"], "lat": position["lat"], "at": format_time(position["t_ms"], zone)}


def _episode(episode: Row, zone: ZoneInfo) -> Json:
    return {
        "episode_id": episode["episode_id"],
        "kind": episode["kind"],
        "zone_id": episode["zone_id"],
        "started_at": format_time(episode["started_ms"], zone),
        "detected_at": format_time(episode["detected_ms"], zone),
        "ended_at": format_time(episode["ended_ms"], zone),
        "severity": str(Severity(episode["severity"])),
        "late": episode["late"],
        "reason": episode["reason"],
    }


def _page(page: Row, zone: ZoneInfo) -> Json:
    return {
        "round": page["round"],
        "purpose": page["purpose"],
        "step": page["step"],
        "officer_id": page["officer_id"],
        "channel": page["channel"],
        "turn": page["turn"],
        "state": page["state"],
        "severity": str(Severity(page["severity"])),
        "due_at": format_time(page["due_ms"], zone),
        "handed_at": format_time(page["handed_ms"], zone),
        "attempts": page["attempts"],
        "last_error": page["last_error"],
    }
