"""outage: many of one office who fell silent together are one matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import DetectionSettings
from reference.book import Book, Entry, Says


@dataclass
class Outage:
    """An open outage: its episode, everyone who was ever in it, since when most are back."""

    entry: Entry
    people: list[str]
    back_ms: int | None = None


class Outages:
    """Follows the silences of everybody, one by one."""

    def __init__(self, settings: DetectionSettings, has_order: Callable[[str, int], bool]) -> None:
        self._settings = settings
        self._has_order = has_order
        self.book = Book("")
        self.open: dict[str, Outage] = {}
        self.silent: dict[str, int] = {}  # person → last contact

    def gone(self, cases: CaseSet, person_id: str, since_ms: int, at_ms: int) -> None:
        """One more is silent.  The narrowest office that takes in nearly all of them has the outage: a wider
        one only if enough are silent beside the narrower one's."""
        self.silent[person_id] = since_ms
        up = [o.office_id for o in cases.offices_up(cases.people[person_id].office_id)]
        found, people = None, list[str]()
        for office in up:
            together = self._together(cases, office, since_ms)
            many = self._settings.outage_share * sum(self._has_order(p, at_ms) for p in below(cases, office))
            if office in self.open:
                found, people = None, together
            elif len(together) >= max(self._settings.outage_people_min + len(people), many):
                found, people = office, together
        if found is not None:
            self._begin(cases, found, people, at_ms)
            return
        around = next((self.open[o] for o in reversed(up) if o in self.open), None)
        if around is not None:
            if person_id not in around.people:
                around.people.append(person_id)
            if not self._most_are_back(around):
                around.back_ms = None

    def _together(self, cases: CaseSet, office: str, since_ms: int) -> list[str]:
        window_ms = self._settings.outage_window_ms
        near = [(t, p) for p, t in self.silent.items() if abs(t - since_ms) <= window_ms]
        return [p for _, p in sorted(near) if p in below(cases, office)]

    def _begin(self, cases: CaseSet, office: str, people: list[str], at_ms: int) -> None:
        since_ms = min(self.silent[p] for p in people)
        says = Says(since_ms, (len(people),))
        entry = self.book.open(at_ms, Kind.OUTAGE, office, since_ms, says=says)
        everyone = list(people)
        for name, narrower in list(self.open.items()):
            if office in [o.office_id for o in cases.offices_up(name)]:
                everyone += [p for p in narrower.people if p not in everyone]
                self._end(name, at_ms)
        self.open[office] = Outage(entry, everyone)

    def back(self, cases: CaseSet, person_id: str, at_ms: int) -> None:
        """One is silent no longer."""
        self.silent.pop(person_id, None)
        for office in cases.offices_up(cases.people[person_id].office_id):
            outage = self.open.get(office.office_id)
            if outage is not None and outage.back_ms is None and self._most_are_back(outage):
                outage.back_ms = at_ms

    def _most_are_back(self, outage: Outage) -> bool:
        return 2 * sum(p in self.silent for p in outage.people) < len(outage.people)

    def look(self, now_ms: int) -> None:
        """End what has been over long enough for the others to report too."""
        for due_ms, name in sorted((due, n) for n in self.open if (due := self._due_ms(n)) is not None):
            if due_ms <= now_ms:
                self._end(name, due_ms)

    def next_ms(self) -> list[int]:
        return [due for n in self.open if (due := self._due_ms(n)) is not None]

    def _due_ms(self, name: str) -> int | None:
        back_ms = self.open[name].back_ms
        return None if back_ms is None else back_ms + self._settings.outage_window_ms

    def _end(self, name: str, at_ms: int) -> None:
        outage = self.open.pop(name)
        self.book.close(at_ms, outage.entry, at_ms if outage.back_ms is None else outage.back_ms)


def below(cases: CaseSet, office: str) -> list[str]:
    """Everyone of an office and of those below it."""
    return [
        p
        for p, row in cases.people.items()
        if office in [o.office_id for o in cases.offices_up(row.office_id)]
    ]
