"""From what stands in the whole city to a digest for each office."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
    shares: defaultdict[str, _Share] = defaultdict(_Share)
    chains = {name: [office.office_id for office in cases.offices_up(name)] for name in cases.offices}

    def of(office_id: str) -> list[_Share]:
        """The shares of an office and those above it."""
        return [shares[name] for name in chains.get(office_id, ())]

    for alert in standing.unresolved:
        for share in of(alert.office_id):
            share.alerts.append(alert)
    for office_id, kind, count in standing.minor:
        for share in of(office_id):
            share.minor[kind] += count
    for office_id, person in standing.expiring:
        for share in of(office_id):
            share.expiring.append(person)
    for office_id, person in standing.unmonitored:
        for share in of(office_id):
            share.unmonitored.append(person)
    for office_id, count in standing.silent:
        for share in of(office_id):
            share.silent += count
    for gap in offices_without(sorted(cases.offices), cases, Interval(now_ms, now_ms + DAY_MS)):
        if gap.has_roster:
            told = Gap(cases.offices[gap.office_id].name, gap.span.from_ms, gap.span.to_ms)
            for share in of(gap.office_id):
                share.gaps.append(told)
    return [
        _digest(cases, name, shares[name], day, due_ms, now_ms)
        for name in readers(cases)
        if name in cases.offices
    ]


@dataclass(slots=True)
class _Share:
    """What is an office's, with all below it."""

    alerts: list[Unresolved] = field(default_factory=list)
    minor: Counter[str] = field(default_factory=Counter)
    expiring: list[Named] = field(default_factory=list)
    unmonitored: list[Named] = field(default_factory=list)
    silent: int = 0
    gaps: list[Gap] = field(default_factory=list)


def _digest(cases: CaseSet, office_id: str, share: _Share, day: date, due_ms: int, now_ms: int) -> Digest:
    states = Counter(alert.state for alert in share.alerts)
    ages = Counter(min((now_ms - alert.opened_ms) // DAY_MS, 3) for alert in share.alerts)
    return Digest(
        office_id=office_id,
        office_name=cases.offices[office_id].name,
        day=day.isoformat(),
        due_ms=due_ms,
        made_ms=now_ms,
        open=states[AlertState.OPEN],
        acknowledged=states[AlertState.ACKNOWLEDGED],
        by_age=(ages[0], ages[1] + ages[2], ages[3]),
        owners=_owners(share.alerts, cases.officers),
        minor=dict(share.minor.most_common()),
        expiring=share.expiring,
        unmonitored=share.unmonitored,
        silent=share.silent,
        gaps=share.gaps,
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
