"""People, devices, orders, leaves, suspensions and contacts of the demonstration city, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from corrections_monitor.cases.rows import ORDER_MONTHS_MAX, same_day_later
from simulators.names import names
from simulators.panjin import TOWNS, Town
from simulators.population import Ground, Population
from simulators.staff import chief, officer

ID_DIGITS_MIN = 5
PROTECTED_MIN = 3
PEOPLE_PER_PROTECTED = 200
QUICK_REPORT_S = 10
BAND_REPORT_S = 60
PHONE_REPORT_S = 300
RENEW_DAYS = 10  # an order that ends sooner has its extension already

_CATEGORIES = ("control", "probation", "parole", "medical")
_GROUNDS = ("29.1", "29.2", "29.3", "29.4", "29.5")
_GROUND_SHARES = (0.45, 0.25, 0.12, 0.10, 0.08)
_REASONS = ("住院治疗", "行政拘留", "设备维修")
_PROTECTED_AWAY_M = 1_500.0


class CityPeople:
    """Everything about the people that is not a place; ids are given here."""

    def __init__(
        self, population: Population, ground: Ground, today: date, quick: bool, rng: np.random.Generator
    ) -> None:
        self.population = population
        self.ground = ground
        self._today = today
        self._quick = quick
        count = len(population)
        self._digits = max(ID_DIGITS_MIN, len(str(count)))
        self._names = names(count, rng)
        self._grounds = rng.choice(len(_GROUNDS), size=count, p=_GROUND_SHARES)
        self.protected = [self._protected_of(i) for i in self._watched(count)]
        self._protected_names = names(len(self.protected), rng)
        self._distances_m = rng.integers(2, 6, size=len(self.protected)) * 100

    def id(self, index: int) -> str:
        """The person_id of a person by index."""
        return f"P{index + 1:0{self._digits}d}"

    def protected_id(self, number: int) -> str:
        return f"V{number + 1:0{ID_DIGITS_MIN}d}"

    def town(self, index: int) -> Town:
        return TOWNS[int(self.population.town[index])]

    def on_leave(self) -> Iterator[int]:
        """The people who have a leave."""
        return iter(range(7, len(self.population), 33))

    @staticmethod
    def _watched(count: int) -> list[int]:
        """The people who must keep away from somebody."""
        wanted = min(count, max(PROTECTED_MIN, count // PEOPLE_PER_PROTECTED))
        step = count // wanted
        return list(range(step // 2, step * wanted, step))

    def _protected_of(self, index: int) -> tuple[int, int, float, float]:
        """The person at index is kept from somebody who lives by the nearest station that is not too near.

        Returns index, the town's index, and the home in metres.
        """
        population, ground = self.population, self.ground
        gap = np.minimum(
            np.hypot(
                ground.station_x - population.home_x[index], ground.station_y - population.home_y[index]
            ),
            np.hypot(
                ground.station_x - population.work_x[index], ground.station_y - population.work_y[index]
            ),
        )
        town = int(np.argmin(np.where(gap > _PROTECTED_AWAY_M, gap, np.inf)))
        return index, town, float(ground.station_x[town]), float(ground.station_y[town])

    def person_rows(self) -> Iterator[tuple[object, ...]]:
        population = self.population
        for index, name in enumerate(self._names):
            station = self.town(index).code
            began = self._order_began(index) - timedelta(days=30 + index * 37 % 400)
            ends = self._today + timedelta(days=120 + index * 53 % 700)
            level = "strict" if population.strict[index] else "normal"
            category = _CATEGORIES[population.category[index]]
            yield self.id(index), name, category, level, station, officer(station), began, ends
        for number, ((_, town, _, _), name) in enumerate(
            zip(self.protected, self._protected_names, strict=True)
        ):
            station = TOWNS[town].code
            yield self.protected_id(number), name, "protected", "", station, officer(station), "", ""

    def device_rows(self) -> Iterator[tuple[object, ...]]:
        """Bindings without a beginning, so that a city written on a later day takes the place of this one."""
        band_s, phone_s = (QUICK_REPORT_S,) * 2 if self._quick else (BAND_REPORT_S, PHONE_REPORT_S)
        for index in range(len(self.population)):
            person = self.id(index)
            yield f"band-{person}", "band", person, band_s, "", ""
            if self.population.phone[index]:
                yield f"phone-{person}", "phone", person, phone_s, "", ""
        for number in range(len(self.protected)):
            person = self.protected_id(number)
            yield f"phone-{person}", "phone", person, band_s, "", ""

    def _order_began(self, index: int) -> date:
        return self._today - timedelta(days=int(self.population.order_age_days[index]))

    def order_rows(self) -> Iterator[tuple[object, ...]]:
        """One order in force for everyone; where it ends soon, the extension that follows it."""
        for index in range(len(self.population)):
            person, began = self.id(index), self._order_began(index)
            ends = same_day_later(began, ORDER_MONTHS_MAX)
            ground, head = _GROUNDS[self._grounds[index]], chief(self.town(index).county)
            yield f"order-{person}-1", person, ground, head, began - timedelta(days=1), began, ends, ""
            if ends < self._today + timedelta(days=RENEW_DAYS):
                again = ends + timedelta(days=1)
                until, decided = same_day_later(again, ORDER_MONTHS_MAX), min(ends, self._today)
                yield f"order-{person}-2", person, ground, head, decided, again, until, f"order-{person}-1"

    def leave_rows(self) -> Iterator[tuple[object, ...]]:
        """In turn: one in force with a place named, one to come, one over that led anywhere."""
        for turn, index in enumerate(self.on_leave()):
            person = self.id(index)
            began, days = ((-1, 4), (3, 6), (-9, 4))[turn % 3]
            first = self._today + timedelta(days=began)
            last = first + timedelta(days=days)
            zone = f"visit-{person}" if turn % 3 < 2 else ""
            yield f"leave-{person}", person, first, last, chief(self.town(index).code), zone

    def suspension_rows(self) -> Iterator[tuple[object, ...]]:
        for turn, index in enumerate(range(11, len(self.population), 97)):
            first, last = self._today - timedelta(days=2), self._today + timedelta(days=5)
            yield self.id(index), first, last, _REASONS[turn % len(_REASONS)]

    def contact_rows(self) -> Iterator[tuple[object, ...]]:
        for number, (index, *_) in enumerate(self.protected):
            yield self.id(index), self.protected_id(number), int(self._distances_m[number])
