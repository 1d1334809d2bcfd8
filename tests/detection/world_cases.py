"""Random cases of a small precinct, and edits under way; everything hangs on one random source."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from precinct import (
    OFFICES,
    T0,
    circle,
    forbidden,
    home,
    order,
    person,
    place,
    protected,
    square,
)

from corrections_monitor.model.cases import (
    CaseSet,
    ContactRule,
    Corridor,
    Device,
    DeviceKind,
    Leave,
    Supervision,
    Suspension,
    Zone,
)
from corrections_monitor.model.schedule import Calendar, parse_schedule
from corrections_monitor.model.times import DAY_MS, HOUR_MS, MINUTE_MS, Interval


@dataclass(frozen=True)
class Edit:
    """Edited cases come into force."""

    at_ms: int
    cases: CaseSet
    calendar: Calendar


# -- places ------------------------------------------------------------------------------------------------
SCHOOL = (1_000.0, 0.0)
NAMED = {
    "home": (0.0, 0.0),
    "work": (1_500.0, 1_200.0),
    "school": SCHOOL,
    "border": (200.0, 0.0),
    "street": (420.0, -150.0),
    "far": (-2_600.0, 900.0),
    "away": (9_000.0, 7_000.0),
    "camp": (-5_000.0, -3_000.0),
}
HOURS: tuple[Any, ...] = (
    [{"days": "Mo-Su", "from": "22:00", "to": "06:00"}],
    [{"days": "Mo-Fr", "from": "08:00", "to": "18:00"}],
    [{"days": "Sa-Mo,PH", "from": "12:00", "to": "12:00"}, {"days": "We", "from": "03:30", "to": "24:00"}],
    [{"days": "Mo-Su", "from": "00:00", "to": "24:00"}],
    [{"days": "Mo-Su", "from": "05:00", "to": "07:00"}, {"days": "Mo-Su", "from": "07:00", "to": "09:30"},
     {"days": "PH", "from": "10:00", "to": "02:00"}],
    [{"days": "Mo-Su", "from": "13:00", "to": "14:00"}, {"days": "Mo-Su", "from": "15:00", "to": "16:00"}],
)  # fmt: skip
INTERVALS_S = (60, 120, 300, 300, 600, 600, 900, 1_800)


@dataclass
class CaseMaker:
    """Cases of the persons ``people`` for the day from ``began_ms``."""

    rng: random.Random
    ids: int = 0

    # -- time ----------------------------------------------------------------------------------------------
    def _time(self, before_h: float = 0.0, after_h: float = 0.0) -> int:
        start = self.began_ms - before_h * HOUR_MS
        t_ms = start + self.rng.random() * (self.end_ms + after_h * HOUR_MS - start)
        return self._rounded(t_ms)

    def _rounded(self, t_ms: float) -> int:
        return round(t_ms / self.round_ms) * self.round_ms

    def _stretch(self, least_min: float, most_min: float) -> tuple[int, int]:
        start = self._time()
        return start, self._rounded(start + self.rng.uniform(least_min, most_min) * MINUTE_MS)

    def _interval(self, least_h: float, most_h: float) -> Interval:
        start = self._time(before_h=6)
        return Interval(start, self._rounded(start + self.rng.uniform(least_h, most_h) * HOUR_MS) + 1_000)

    def _calendar(self) -> Calendar:
        day = date(2026, 3, 2) + timedelta(days=(self.began_ms - T0) // DAY_MS)
        off = {day + timedelta(days=k) for k in range(-2, 3) if self.rng.random() < 0.25}
        return Calendar(self.zone, frozenset(off))

    def _name(self, prefix: str) -> str:
        self.ids += 1
        return f"{prefix}{self.ids}"

    # -- cases ---------------------------------------------------------------------------------------------
    def _cases(self) -> CaseSet:
        rng = self.rng
        people = [
            replace(
                person(p, rng.choice(["s1", "s1", "s2"])),
                level=rng.choice(list(Supervision)),
                span=Interval(to_ms=self._time()) if rng.random() < 0.05 else Interval(),
            )
            for p in self.people
        ]
        rows: dict[str, dict[Any, Any]] = {
            "people": {p.person_id: p for p in people},
            "devices": {},
            "orders": {},
            "zones": {},
            "leaves": {},
            "suspensions": {},
            "contacts": {},
        }
        for p in self.people:
            for o in self._orders(p):
                rows["orders"][o.order_id] = o
            for d in self._devices(p):
                rows["devices"][d.device_id, d.span.from_ms] = d
            for z in self._zones(p):
                rows["zones"][z.zone_id] = z
            for v in self._leaves(p, rows["zones"]):
                rows["leaves"][v.leave_id] = v
            for _ in range(rng.choice([0, 0, 0, 1, 2])):
                s = Suspension(p, self._interval(0.2, 6), "hospital")
                rows["suspensions"][p, s.span.from_ms] = s
        if rng.random() < 0.35:
            rows["people"]["v1"] = protected()
            rows["devices"]["fv", T0] = Device(
                "fv", DeviceKind.PHONE, "v1", rng.choice(INTERVALS_S), Interval(self.began_ms - DAY_MS)
            )
            for p in self.people:
                if rng.random() < 0.7:
                    rows["contacts"][p, "v1"] = ContactRule(p, "v1", rng.choice([200.0, 500.0]))
        self._swap(rows["devices"])
        return CaseSet(offices={o.office_id: o for o in OFFICES}, **rows)

    def _orders(self, p: str) -> list[Any]:
        rng, began = self.rng, self.began_ms
        start = began - 20 * DAY_MS
        usual = Interval(start, began + 40 * DAY_MS)
        cut = self._time()
        kind = rng.random()
        spans = [usual]
        if kind < 0.1:
            spans = [Interval(start, cut)]
        elif kind < 0.2:
            spans = [Interval(cut, began + 40 * DAY_MS)]
        elif kind < 0.3:
            spans = [Interval(start, cut), Interval(cut + rng.choice([0, 0, 1, 90]) * MINUTE_MS, usual.to_ms)]
        elif kind < 0.4:
            spans = [Interval(start, cut + rng.choice(self.settings.order_notice_days) * DAY_MS)]
        elif kind < 0.45:
            spans = [Interval(start, cut + 10 * HOUR_MS), Interval(cut, cut + DAY_MS)]
        return [order(p, self._name("o"), span=s) for s in spans]

    def _devices(self, p: str) -> list[Device]:
        rng = self.rng
        kinds = rng.choice([["b"], ["b", "f"], ["b", "f"], ["f"], ["k"], ["b", "k"], ["b", "f", "k"], []])
        kind_of = {"b": DeviceKind.BAND, "f": DeviceKind.PHONE, "k": DeviceKind.TRACKER}
        found = []
        for k in kinds:
            days = max(rng.choice([1, 5]), 5 * self.has_habits)
            span = Interval(self.began_ms - days * DAY_MS, self.began_ms + 60 * DAY_MS)
            if rng.random() < 0.15:
                span = replace(span, from_ms=self._time())
            if rng.random() < 0.15:
                span = replace(span, to_ms=max(self._time(), span.from_ms + MINUTE_MS))
            found.append(Device(f"{k}{p}", kind_of[k], p, rng.choice(INTERVALS_S), span))
        return found

    def _swap(self, rows: dict[Any, Device]) -> None:
        """Sometimes a device goes from one person to another, at once or after a while."""
        rng = self.rng
        for key, row in list(rows.items()):
            if rng.random() < 0.12 and len(self.people) > 1 and row.person_id != "v1":
                at_ms = max(self._time(), row.span.from_ms + MINUTE_MS)
                if at_ms >= row.span.to_ms:
                    continue
                rows[key] = replace(row, span=replace(row.span, to_ms=at_ms))
                after = at_ms + rng.choice([0, 0, 45]) * MINUTE_MS
                if after < row.span.to_ms:
                    new = replace(
                        row,
                        person_id=rng.choice([p for p in self.people if p != row.person_id]),
                        report_every_s=rng.choice(INTERVALS_S),
                        span=Interval(after, row.span.to_ms),
                    )
                    rows[new.device_id, after] = new

    def _zones(self, p: str) -> list[Zone]:
        rng = self.rng
        found = []
        shape = rng.choice([circle(), square(), circle(radius_m=180)])
        to = rng.choice([p, p, p, "s1", "*"])
        when = rng.choice([None, None, *HOURS])
        if rng.random() < 0.9:
            found.append(
                home(self._name("home"), to, shape=shape, hours=when, buffer_m=rng.choice([0.0, 30.0]))
            )
        if rng.random() < 0.35:
            group = self._name("g")
            found.append(
                home(
                    self._name("work"), p, shape=circle(*NAMED["work"]), hours=rng.choice(HOURS), group=group
                )
            )
            road = Corridor((place(0, 0), place(400, 900), place(*NAMED["work"])), 240.0)
            found.append(
                home(self._name("road"), p, shape=road, hours=rng.choice([None, *HOURS]), group=group)
            )
            if rng.random() < 0.5 and found[0].applies_to == p and found[0].zone_id.startswith("home"):
                found[0] = replace(found[0], group=group)
        if rng.random() < 0.6:
            shape = rng.choice([circle(*SCHOOL), square(*SCHOOL, half_m=150)])
            to = rng.choice([p, p, "k1", "*"])
            found.append(
                forbidden(self._name("school"), to, shape=shape, hours=rng.choice([None, None, *HOURS]))
            )
        return found

    def _leaves(self, p: str, zones: dict[str, Zone]) -> list[Leave]:
        rng = self.rng
        found = []
        for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
            named = []
            if rng.random() < 0.6:
                camp = home(self._name("camp"), rng.choice(["", "", p]), shape=circle(*NAMED["camp"], 400))
                zones[camp.zone_id] = camp
                named.append(camp.zone_id)
            found.append(Leave(self._name("l"), p, self._interval(0.3, 12), "chief", tuple(named)))
        return found

    # -- edits ---------------------------------------------------------------------------------------------
    def _edits(self, cases: CaseSet) -> list[Edit]:
        rng = self.rng
        edits: list[Edit] = []
        for at_ms in sorted(self._time() for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))):
            if edits and edits[-1].at_ms == at_ms:
                continue
            calendar = (
                self._calendar() if rng.random() < 0.1 else edits[-1].calendar if edits else self.calendar
            )
            for _ in range(rng.choice([1, 1, 2])):
                cases = self._edited(cases, at_ms)
            edits.append(Edit(at_ms, cases, calendar))
        return edits

    def _edited(self, cases: CaseSet, at_ms: int) -> CaseSet:
        rng, who = self.rng, self.rng.choice(self.people)
        what = rng.randrange(13)
        zones, orders, devices = dict(cases.zones), dict(cases.orders), dict(cases.devices)
        if what == 0:
            for z in self._zones(who):
                zones[z.zone_id] = z
        elif what == 1 and zones:
            used = {z for v in cases.leaves.values() for z in v.zone_ids}
            gone = rng.choice(sorted(zones))
            if gone not in used:
                del zones[gone]
        elif what == 2 and zones:
            one = zones[rng.choice(sorted(zones))]
            zones[one.zone_id] = replace(one, schedule=parse_schedule(rng.choice([None, *HOURS])))
        elif what == 3 and zones:
            one = zones[rng.choice(sorted(zones))]
            zones[one.zone_id] = replace(one, shape=circle(*rng.choice(list(NAMED.values())), 250))
        elif what == 4:
            leaves = dict(cases.leaves)
            for v in self._leaves(who, zones):
                if v.span.to_ms > at_ms:
                    leaves[v.leave_id] = replace(v, span=replace(v.span, from_ms=max(v.span.from_ms, at_ms)))
            return replace(cases, leaves=leaves, zones=zones)
        elif what == 5:  # extended
            last = max((o for o in orders.values() if o.person_id == who), key=lambda o: o.span.to_ms)
            start = max(last.span.to_ms, at_ms)
            new = order(who, self._name("o"), span=Interval(start, start + 30 * DAY_MS))
            orders[new.order_id] = replace(new, extends=last.order_id)
        elif what == 6:  # released
            for o in [
                o for o in orders.values() if o.person_id == who and o.span.from_ms < at_ms < o.span.to_ms
            ]:
                orders[o.order_id] = replace(o, span=replace(o.span, to_ms=at_ms))
        elif what == 7:
            suspensions = dict(cases.suspensions)
            suspensions[who, at_ms] = Suspension(
                who, Interval(at_ms, at_ms + rng.randrange(1, 6) * HOUR_MS), "x"
            )
            return replace(cases, suspensions=suspensions)
        elif what == 8:
            contacts = dict(cases.contacts)
            if (who, "v1") in contacts:
                del contacts[who, "v1"]
            elif "v1" in cases.people:
                contacts[who, "v1"] = ContactRule(who, "v1", 300.0)
            return replace(cases, contacts=contacts)
        elif what == 9:
            people = dict(cases.people)
            people[who] = replace(people[who], office_id=rng.choice(["s1", "s2"]))
            return replace(cases, people=people)
        elif what == 10 and devices:  # handed over, or taken off
            key = rng.choice(sorted(devices))
            row = devices[key]
            if row.person_id != "v1" and row.span.from_ms < at_ms < row.span.to_ms:
                devices[key] = replace(row, span=replace(row.span, to_ms=at_ms))
                later = [
                    d for d in devices.values() if d.device_id == row.device_id and d.span.from_ms > at_ms
                ]
                if not later and rng.random() < 0.7:
                    devices[row.device_id, at_ms] = replace(
                        row, person_id=rng.choice(self.people), span=Interval(at_ms, row.span.to_ms)
                    )
        elif what == 11:  # a new device
            new = Device(
                self._name("b"),
                DeviceKind.BAND,
                who,
                rng.choice(INTERVALS_S),
                Interval(at_ms, at_ms + 60 * DAY_MS),
            )
            devices[new.device_id, at_ms] = new
        elif what == 12 and devices:  # told to report more or less often
            key = rng.choice(sorted(devices))
            devices[key] = replace(devices[key], report_every_s=rng.choice(INTERVALS_S))
        return replace(cases, zones=zones, orders=orders, devices=devices)
