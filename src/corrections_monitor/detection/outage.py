"""Outages: many of one office, county or city who fell silent together are one matter, not many.

People fall silent together when their last contacts lie within minutes; that they are *called* silent at
different times, each by the patience of the own devices, does not matter.  The narrowest office that
takes in nearly all of them has the outage; narrower ones end in it.  It is over when most are back, half
of all who were ever in it, and the others have had some minutes to follow.  What an open outage means for
the single silences' pages is decided by ``rules``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from corrections_monitor.detection.city import City
from corrections_monitor.detection.ledger import Ledger
from corrections_monitor.detection.reasons import Reasons
from corrections_monitor.model.cases import Level
from corrections_monitor.model.episodes import Change, Episode, Kind, Transition
from corrections_monitor.model.settings import DetectionSettings

PEOPLE_TOLD = 50  # names kept as evidence


@dataclass(slots=True)
class Outage:
    """An open outage of one office: everyone who was ever in it."""

    people: list[str]
    back_ms: int | None = None  # since when most are back


@dataclass(slots=True)
class Silent:
    """Who is silent now, person → last contact, and the same sorted by office with all above it."""

    since: dict[str, int] = field(default_factory=dict)
    offices: dict[str, tuple[str, ...]] = field(default_factory=dict)  # person → own office and those above
    sorted: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, episode: Episode, offices: tuple[str, ...]) -> None:
        self.drop(episode.person_id)
        self.since[episode.person_id] = episode.started_ms
        self.offices[episode.person_id] = offices
        for office_id in offices:
            insort(self.sorted[office_id], (episode.started_ms, episode.person_id))

    def drop(self, person_id: str) -> None:
        since_ms = self.since.pop(person_id, None)
        if since_ms is not None:
            for office_id in self.offices.pop(person_id):
                self.sorted[office_id].remove((since_ms, person_id))

    def together(self, office_id: str, from_ms: int, to_ms: int) -> list[tuple[int, str]]:
        """The silent of an office whose last contact lies in the interval, ends included."""
        rows = self.sorted[office_id]
        return rows[bisect_left(rows, (from_ms, "")) : bisect_right(rows, (to_ms + 1, ""))]


class Outages:
    """Follows the silences of everybody."""

    def __init__(self, settings: DetectionSettings, reasons: Reasons) -> None:
        self._settings = settings
        self._reasons = reasons
        self.open: dict[str, Outage] = {}
        self.ledger = Ledger("", "")
        self._silent = Silent()

    def remember(self, episodes: Iterable[Episode], city: City) -> None:
        """Take in silences that are open already, after a restart or a change of cases."""
        self._silent = Silent()
        for episode in episodes:
            if episode.kind is Kind.SILENCE_DEVICE:
                self._silent.add(episode, city.offices_of(episode.person_id))

    def resume(self, open_ones: dict[str, Outage], ledger: Ledger) -> None:
        """Take in the outages from before a restart."""
        self.open, self.ledger = open_ones, ledger

    def follow(self, transitions: Sequence[Transition], city: City, now_ms: int) -> list[Transition]:
        """The transitions up to ``now_ms`` with those of outages between, each right after the silence
        that made it."""
        out: list[Transition] = []
        for transition in transitions:
            if self.open:
                self._over(out, transition.at_ms)
            out.append(transition)
            episode = transition.episode
            if episode.kind is not Kind.SILENCE_DEVICE:
                continue
            if transition.change is Change.CLOSED:
                offices = self._silent.offices.get(episode.person_id, ())
                self._silent.drop(episode.person_id)
                self._back(out, offices, transition.at_ms)
            elif episode.ended_ms is None:
                self._silent.add(episode, city.offices_of(episode.person_id))
                self._gone(out, episode, city, transition.at_ms)
        self._over(out, now_ms + 1)
        return out

    def _gone(self, out: list[Transition], episode: Episode, city: City, at_ms: int) -> None:
        """One more is silent: part of an outage, or the one that makes it an outage?"""
        offices = self._silent.offices[episode.person_id]
        covering = next((self.open[o] for o in reversed(offices) if o in self.open), None)
        window_ms, enough = self._settings.outage_window_ms, self._settings.outage_people_min
        since_ms = episode.started_ms
        found, people = "", list[tuple[int, str]]()
        for office_id in offices:
            gone = self._silent.together(office_id, since_ms - window_ms, since_ms + window_ms)
            if office_id in self.open:
                found, people = "", gone
            # A wider office only when enough are silent beside the narrower one's.
            elif len(gone) >= max(enough + len(people), self._many(city, office_id, at_ms)):
                found, people = office_id, gone
        if found:
            self._begin(out, found, people, city, at_ms)
        elif covering is not None:
            if episode.person_id not in covering.people:
                covering.people.append(episode.person_id)
            if not self._most_back(covering):
                covering.back_ms = None

    def _many(self, city: City, office_id: str, at_ms: int) -> float:
        """How many of an office are a share that cannot be chance."""
        return self._settings.outage_share * city.monitored(city.people_below(office_id), at_ms)

    def _begin(
        self, out: list[Transition], office_id: str, gone: list[tuple[int, str]], city: City, at_ms: int
    ) -> None:
        since_ms, people = gone[0][0], [person_id for _, person_id in gone]
        chain = city.cases.offices_up(office_id)
        office = chain[0]
        county = next((o for o in chain if o.level is Level.COUNTY), office)
        self.ledger.office_id = county.office_id
        self.ledger.open(
            out, at_ms, Kind.OUTAGE, office_id, since_ms,
            self._reasons.say("outage", since_ms=since_ms, scope=office.name, count=len(people)),
            evidence={"count": len(people), "people": people[:PEOPLE_TOLD]},
        )  # fmt: skip
        within = [o for o in self.open if any(up.office_id == office_id for up in city.cases.offices_up(o))]
        self.open[office_id] = Outage(people)
        for narrower in within:
            self.open[office_id].people += [p for p in self.open[narrower].people if p not in people]
            self._end(out, narrower, at_ms, "wider-outage")

    def _back(self, out: list[Transition], offices: tuple[str, ...], at_ms: int) -> None:
        for office_id in offices:
            outage = self.open.get(office_id)
            if outage is not None and outage.back_ms is None and self._most_back(outage):
                outage.back_ms = at_ms

    def _most_back(self, outage: Outage) -> bool:
        return 2 * sum(p in self._silent.since for p in outage.people) < len(outage.people)

    def _over(self, out: list[Transition], before_ms: int) -> None:
        """End what has been over long enough for the others to report too."""
        due = [
            (o.back_ms + self._settings.outage_window_ms, n)
            for n, o in self.open.items()
            if o.back_ms is not None
        ]
        for due_ms, office_id in sorted(due):
            if due_ms < before_ms:
                self._end(out, office_id, due_ms, "most-back")

    def _end(self, out: list[Transition], office_id: str, at_ms: int, why: str) -> None:
        outage = self.open.pop(office_id)
        ended_ms = at_ms if outage.back_ms is None else outage.back_ms
        self.ledger.close(out, at_ms, (Kind.OUTAGE, office_id), ended_ms, self._reasons.say(why))
