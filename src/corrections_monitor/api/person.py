"""A person as JSON: for the list, the detail, and the census."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.api.render import Json, position_object
from corrections_monitor.model.episodes import Severity
from corrections_monitor.model.times import format_time
from corrections_monitor.store.api_people import PersonRow
from corrections_monitor.store.api_rows import Row


def person_object(found: PersonRow, zone: ZoneInfo, *, sees_locations: bool) -> Json:
    """The person with everything that belongs to them, past and future rows included."""
    person = found.person
    return {
        "person_id": person["person_id"],
        "name": person["name"],
        "minor": person["minor"],
        "hold": _hold(person, zone),
        "category": person["category"],
        "level": person["level"],
        "office_id": person["office_id"],
        "officer_id": person["officer_id"],
        "officer_name": person["officer_name"],
        "from": format_time(person["from_ms"], zone),
        "to": format_time(person["to_ms"], zone),
        "position": position_object(found.position, zone) if sees_locations else None,
        "last_contact": format_time(found.last_contact_ms, zone),
        "devices": [_device(d, zone) for d in found.belongings["devices"]],
        "orders": [case_object(o, zone) for o in found.belongings["orders"]],
        "leaves": [case_object(r, zone) for r in found.belongings["leaves"]],
        "suspensions": [case_object(s, zone) for s in found.belongings["suspensions"]],
        "contacts": found.belongings["contact_rules"],
        "open_episodes": [_open_episode(e, zone) for e in found.belongings["open_episodes"]],
    }


def census_object(found: PersonRow, zone: ZoneInfo, now_ms: int, unheard_ms: int) -> Json:
    """One line of the census: who, which device, heard when, whose; ``wrong`` names what is not in order.

    Who was not heard for ``unheard_ms`` is told from the contacts themselves, also when nothing judges.
    """
    person = found.person
    devices = _current(found.belongings["devices"], now_ms)
    [*_, order] = _current(found.belongings["orders"], now_ms)
    kinds = sorted({e["kind"] for e in found.belongings["open_episodes"]})
    wrong = [k for k in kinds if k == "unmonitored" or k.startswith("silence.")]
    suspended = bool(_current(found.belongings["suspensions"], now_ms))
    if not devices:
        wrong.append("no-device")
    elif not wrong and not suspended and (found.last_contact_ms or 0) < now_ms - unheard_ms:
        wrong.append("unheard")
    if person["officer_name"] is None:
        wrong.append("no-owner")
    return {
        "person_id": person["person_id"],
        "name": person["name"],
        "minor": person["minor"],
        "level": person["level"],
        "office_id": person["office_id"],
        "officer_id": person["officer_id"],
        "officer_name": person["officer_name"],
        "order_id": order["order_id"],
        "order_ends": format_time(order["to_ms"], zone),
        "devices": [_device(d, zone) for d in devices],
        "last_contact": format_time(found.last_contact_ms, zone),
        "on_leave": bool(_current(found.belongings["leaves"], now_ms)),
        "suspended": suspended,
        "open_kinds": kinds,
        "wrong": wrong,
    }


def case_object(row: Row, zone: ZoneInfo) -> dict[str, Any]:
    """A case row under the names of its file's columns."""
    told = {name: value for name, value in row.items() if name not in ("from_ms", "to_ms")}
    return {**told, "from": format_time(row["from_ms"], zone), "to": format_time(row["to_ms"], zone)}


def _hold(person: Row, zone: ZoneInfo) -> Json | None:
    if person["held_ms"] is None:
        return None
    held_at = format_time(person["held_ms"], zone)
    return {"reason": person["hold_reason"], "held_by": person["held_by"], "held_at": held_at}


def _current(rows: list[Row], now_ms: int) -> list[Row]:
    return [row for row in rows if row["from_ms"] <= now_ms < row["to_ms"]]


def _device(device: Row, zone: ZoneInfo) -> Json:
    return {name: value for name, value in case_object(device, zone).items() if name != "person_id"}


def _open_episode(episode: Row, zone: ZoneInfo) -> Json:
    return {
        "kind": episode["kind"],
        "severity": str(Severity(episode["severity"])),
        "started_at": format_time(episode["started_ms"], zone),
        "alert_id": episode["alert_id"],
    }
