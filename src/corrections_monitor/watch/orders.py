"""Standing orders (失明预案): whom to tell and whom to check by hand when nobody is monitored any more.

The daemon writes them beside the database, as two small files of the state directory: ``watch.json`` with
the last known roster and the people by risk, and ``heartbeat.json``, new every second, with how the daemon
itself stands.  Both are replaced whole, so that a reader never sees half of one.  No position is in them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from corrections_monitor.clock import Clock
from corrections_monitor.model.cases import CaseSet, Level, Office, Officer, Role, Supervision
from corrections_monitor.model.episodes import Severity
from corrections_monitor.model.times import DAY_MS, Interval

ORDERS, HEARTBEAT = "watch.json", "heartbeat.json"
HEARTBEAT_STALE_S = 6.0
_TURNS_AHEAD_MS = 3 * DAY_MS  # the roster is kept for so long without a daemon


class Turn(msgspec.Struct, frozen=True):
    """An officer on call."""

    officer_id: str
    from_ms: int
    to_ms: int


class Checked(msgspec.Struct, frozen=True):
    """Someone to check by hand; ``gravest`` is -1 without an open alert, ``heard_ms`` None if never."""

    person_id: str
    name: str
    office_name: str
    officer_name: str
    strict: bool
    gravest: int
    heard_ms: int | None


class Charge(msgspec.Struct, frozen=True):
    """A county's part: its officers, who is on call when, who else, and its people, highest risk first."""

    office_id: str
    name: str
    officers: dict[str, Officer]
    turns: list[Turn]
    otherwise: list[str]
    people: list[Checked]

    def on_call(self, now_ms: int) -> list[Officer]:
        """Those on duty now; if none, the supervisors."""
        found = [t.officer_id for t in self.turns if t.from_ms <= now_ms < t.to_ms] or self.otherwise
        return [self.officers[name] for name in dict.fromkeys(found)]


class StandingOrders(msgspec.Struct, frozen=True):
    """Everything that is known where nothing answers."""

    written_ms: int
    charges: list[Charge]


class Heartbeat(msgspec.Struct, frozen=True):
    """How the daemon in charge stands; ``monotonic_s`` is the machine's own clock, which nobody sets."""

    monotonic_s: float
    reason: str | None


def standing_orders(
    cases: CaseSet, heard_ms: Mapping[str, int], gravest: Mapping[str, Severity], now_ms: int
) -> StandingOrders:
    """The orders as of now.  ``heard_ms``: last contact by person; ``gravest``: of the open alerts."""
    people: dict[str, list[Checked]] = {}
    homes: dict[str, Office] = {}
    counties = {office_id: _county(cases, office_id) for office_id in cases.offices}
    suspended = {s.person_id for s in cases.suspensions.values() if s.span.holds(now_ms)}
    for person_id in sorted({o.person_id for o in cases.orders.values() if o.span.holds(now_ms)} - suspended):
        person = cases.people.get(person_id)
        home = None if person is None else counties.get(person.office_id)
        if person is None or home is None:
            continue
        homes[home.office_id] = home
        owner = cases.officers.get(person.officer_id)
        people.setdefault(home.office_id, []).append(
            Checked(
                person_id,
                person.name,
                cases.offices[person.office_id].name,
                owner.name if owner is not None else "",
                person.level is Supervision.STRICT,
                int(gravest.get(person_id, -1)),
                heard_ms.get(person_id),
            )
        )
    turns = defaultdict[str, list[Turn]](list)
    for d in cases.duty.values():
        if d.officer_id in cases.officers and d.span.overlaps(Interval(now_ms, now_ms + _TURNS_AHEAD_MS)):
            turns[d.office_id].append(Turn(d.officer_id, d.span.from_ms, d.span.to_ms))
    supervisors = defaultdict[str, list[str]](list)
    for o in cases.officers.values():
        if o.role is Role.SUPERVISOR:
            supervisors[o.office_id].append(o.officer_id)
    charges = []
    for name in sorted(homes):
        otherwise = sorted(supervisors[name])
        named = {t.officer_id for t in turns[name]} | set(otherwise)
        officers = {officer: cases.officers[officer] for officer in sorted(named)}
        checked = sorted(people[name], key=_risk)
        charges.append(Charge(name, homes[name].name, officers, turns[name], otherwise, checked))
    return StandingOrders(now_ms, charges)


def _risk(person: Checked) -> tuple[bool, bool, int, str]:
    """Highest first: strict supervision (严管), an open critical alert, the longest silent."""
    is_critical = person.gravest >= Severity.CRITICAL
    return (not person.strict, not is_critical, person.heard_ms or 0, person.person_id)


def _county(cases: CaseSet, office_id: str) -> Office | None:
    """The county above, or the topmost office where there is none."""
    chain = cases.offices_up(office_id)
    return next((o for o in chain if o.level is Level.COUNTY), chain[-1] if chain else None)


def write_orders(folder: Path, make: Callable[[], StandingOrders]) -> None:
    """Make standing orders and put them in the place of the last.  Raises OSError."""
    _replace(folder / ORDERS, msgspec.json.encode(make()))


def read_orders(folder: Path) -> StandingOrders | None:
    """The last standing orders; None where no daemon has ever written any that can be read."""
    try:
        return msgspec.json.decode((folder / ORDERS).read_bytes(), type=StandingOrders)
    except (OSError, msgspec.DecodeError):
        return None


def write_heartbeat(folder: Path, clock: Clock, reason: str | None) -> None:
    """Say how the daemon in charge stands.  Raises OSError."""
    _replace(folder / HEARTBEAT, msgspec.json.encode(Heartbeat(clock.monotonic_s(), reason)))


def blind_by_heartbeat(folder: Path, clock: Clock) -> str | None:
    """Why nobody is monitored, as another process can tell; None when all is well."""
    try:
        beat = msgspec.json.decode((folder / HEARTBEAT).read_bytes(), type=Heartbeat)
    except (OSError, msgspec.DecodeError):
        return "no daemon is in charge"
    # An age below zero is of before the machine was started anew.
    age_s = clock.monotonic_s() - beat.monotonic_s
    if not 0 <= age_s <= HEARTBEAT_STALE_S:
        return "the daemon in charge has stopped"
    return beat.reason


def _replace(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(body)
    partial.replace(path)
