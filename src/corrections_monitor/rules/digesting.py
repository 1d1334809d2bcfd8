"""From what stands in the whole city to a digest for each office."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from corrections_monitor.model.alerts import AlertState
from corrections_monitor.model.cases import CaseSet, Officer, Role
from corrections_monitor.model.times import DAY_MS, Interval
from corrections_monitor.rules.digest import Digest, Gap, Named, Owner
from corrections_monitor.rules.turns import offices_without

_READERS = (Role.OFFICER, Role.CHIEF, Role.SUPERVISOR)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An alert that is not resolved; ``owner_id``: who acknowledged, else the person's own officer."""

    office_id: str
    state: AlertState
    opened_ms: int
    owner_id: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the city, each with its office; drills are in none of it."""

    unresolved: Sequence[Unresolved] = ()
    minor: Sequence[tuple[str, str, int]] = ()  # office, kind, how many in the last day
    expiring: Sequence[tuple[str, Named]] = ()
    unmonitored: Sequence[tuple[str, Named]] = ()
    silent: Sequence[tuple[str, int]] = ()


def readers(cases: CaseSet) -> dict[str, list[Officer]]:
    """Whom each office's digest is for: its own officers who answer alerts."""
    found: dict[str, list[Officer]] = {}
    for officer in cases.officers.values():
        if officer.role in _READERS:
            found.setdefault(officer.office_id, []).append(officer)
    return {office: sorted(them, key=lambda o: o.officer_id) for office, them in sorted(found.items())}


def digests(cases: CaseSet, standing: Standing, day: date, due_ms: int, now_ms: int) -> list[Digest]:
    """The digest of every office that has somebody to read it, each with all below it."""
    above = {office: {o.office_id for o in cases.offices_up(office)} for office in cases.offices}
    return [
        _digest(
            cases, standing, {o for o, up in above.items() if office_id in up}, office_id, day, due_ms, now_ms
        )
        for office_id in readers(cases)
        if office_id in cases.offices
    ]


def _digest(
    cases: CaseSet, standing: Standing, below: set[str], office_id: str, day: date, due_ms: int, now_ms: int
) -> Digest:
    alerts = [alert for alert in standing.unresolved if alert.office_id in below]
    states = Counter(alert.state for alert in alerts)
    ages = Counter(min((now_ms - alert.opened_ms) // DAY_MS, 3) for alert in alerts)
    minor: Counter[str] = Counter()
    for office, kind, count in standing.minor:
        if office in below:
            minor[kind] += count
    gaps = [
        Gap(cases.offices[gap.office_id].name, gap.span.from_ms, gap.span.to_ms)
        for gap in offices_without(sorted(below), cases, Interval(now_ms, now_ms + DAY_MS))
        if gap.has_roster
    ]
    return Digest(
        office_id=office_id,
        office_name=cases.offices[office_id].name,
        day=day.isoformat(),
        due_ms=due_ms,
        made_ms=now_ms,
        open=states[AlertState.OPEN],
        acknowledged=states[AlertState.ACKNOWLEDGED],
        by_age=(ages[0], ages[1] + ages[2], ages[3]),
        owners=_owners(alerts, cases.officers),
        minor=dict(minor.most_common()),
        expiring=_of(standing.expiring, below),
        unmonitored=_of(standing.unmonitored, below),
        silent=sum(count for office, count in standing.silent if office in below),
        gaps=gaps,
    )


def _owners(alerts: Iterable[Unresolved], officers: Mapping[str, Officer]) -> list[Owner]:
    """The owner of the oldest first."""
    found: dict[str, list[int]] = {}
    for alert in alerts:
        found.setdefault(alert.owner_id, []).append(alert.opened_ms)
    owners = [
        Owner(who, officers[who].name if who in officers else "", len(opened), min(opened))
        for who, opened in found.items()
    ]
    return sorted(owners, key=lambda owner: (owner.oldest_ms, owner.officer_id))


def _of(rows: Iterable[tuple[str, Named]], below: set[str]) -> list[Named]:
    return [person for office, person in rows if office in below]
