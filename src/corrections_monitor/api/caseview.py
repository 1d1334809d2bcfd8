"""The cases within a jurisdiction: what an asker may list, refer to and edit."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from corrections_monitor.model.cases import CaseSet
from corrections_monitor.store import Store
from corrections_monitor.store.api_cases import load_seen


@dataclass(slots=True)
class CaseShelf:
    """The case set, whole and as jurisdictions see it, read again only when its version has moved."""

    _cases: CaseSet = field(default_factory=CaseSet)
    _version: int = 0
    _seen: OrderedDict[frozenset[str], tuple[CaseSet, int]] = field(default_factory=OrderedDict)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def current(self, store: Store) -> tuple[CaseSet, int]:
        """The cases as they stand and their version."""
        async with self._reading:
            if await store.cases_version() != self._version:
                known = self._cases, self._version
                self._cases, self._version = await store.load_cases(known=known)
            return self._cases, self._version

    async def seen_by(self, store: Store, offices: frozenset[str]) -> CaseSet:
        """What these offices may see, read under row-level security and then cut down once more."""
        async with self._reading:
            known = self._seen.pop(offices, None)
            if known is None or known[1] != await store.cases_version():
                known = await load_seen(store, offices)
            self._seen[offices] = known
            if len(self._seen) > _JURISDICTIONS_KEPT:
                self._seen.popitem(last=False)
        return visible(known[0], offices)


_JURISDICTIONS_KEPT = 32


def visible(cases: CaseSet, offices: frozenset[str]) -> CaseSet:
    """The rows that belong to these offices: theirs, their people's, and the zones that apply to them."""
    people = {k: p for k, p in cases.people.items() if p.office_id in offices}
    leaves = {k: r for k, r in cases.leaves.items() if r.person_id in people}
    elsewhere = {z for r in cases.leaves.values() if r.person_id not in people for z in r.zone_ids}
    named = {z for r in leaves.values() for z in r.zone_ids}
    above = {o.office_id for office in offices for o in cases.offices_up(office)}
    # A zone for nobody is the destination of a leave, or of one yet to be granted.
    applies = people.keys() | above | {"*"}
    zones = {
        k: z
        for k, z in cases.zones.items()
        if z.applies_to in applies or (not z.applies_to and (k in named or k not in elsewhere))
    }
    return CaseSet(
        offices={k: o for k, o in cases.offices.items() if k in offices},
        officers={k: o for k, o in cases.officers.items() if o.office_id in offices},
        duty={k: d for k, d in cases.duty.items() if d.office_id in offices},
        holidays=cases.holidays,
        people=people,
        devices={k: d for k, d in cases.devices.items() if d.person_id in people},
        orders={k: o for k, o in cases.orders.items() if o.person_id in people},
        zones=zones,
        leaves=leaves,
        suspensions={k: s for k, s in cases.suspensions.items() if s.person_id in people},
        contacts={k: c for k, c in cases.contacts.items() if c.person_id in people},
    )
