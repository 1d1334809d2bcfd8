"""Who answers at a rung of the ladder now (值班): the duty roster, looked up at the moment a step fires.

CONTRACT §3: the duty officers of the station (if none, the person's own officer) → the station's chief →
the county's duty officers (if none, its supervisors) → the city's likewise.  All on duty are told.  A
ladder may also name the person's own officer and the supervisors whoever is on duty.
"""

from __future__ import annotations

from collections import defaultdict

from corrections_monitor.model.cases import CaseSet, Duty, Level, Office, Role, Supervision
from corrections_monitor.model.settings import Rung
from corrections_monitor.model.times import Interval


class Roster:
    """The duty rows and posts of one ``CaseSet``, by office, made once per change of cases."""

    def __init__(self, cases: CaseSet) -> None:
        self._cases = cases
        self._duty: dict[str, list[Duty]] = defaultdict(list)
        for duty in cases.duty.values():
            # A turn of someone who is no officer (any more) would be a page to nobody.
            if duty.officer_id in cases.officers:
                self._duty[duty.office_id].append(duty)
        self._posts: dict[tuple[str, Role], list[str]] = defaultdict(list)
        for officer in cases.officers.values():
            self._posts[officer.office_id, officer.role].append(officer.officer_id)
        self._suspended: dict[str, list[Interval]] = defaultdict(list)
        for suspension in cases.suspensions.values():
            self._suspended[suspension.person_id].append(suspension.span)
        self._cities = [o for _, o in sorted(cases.offices.items()) if o.level is Level.CITY]
        self._chains: dict[str, tuple[str, ...]] = {}

    def chain(self, office_id: str) -> tuple[str, ...]:
        """The office and those above it, nearest first."""
        found = self._chains.get(office_id)
        if found is None:
            found = tuple(office.office_id for office in self._cases.offices_up(office_id))
            self._chains[office_id] = found
        return found

    def office_of(self, person_id: str, otherwise: str) -> str:
        """The person's office now; ``otherwise`` for an outage, or a person who is not in the cases."""
        person = self._cases.people.get(person_id)
        return person.office_id if person is not None else otherwise

    def level_of(self, person_id: str) -> Supervision | None:
        """The person's supervision level; None for an outage or a person who is not in the cases."""
        person = self._cases.people.get(person_id)
        return person.level if person is not None else None

    def knows(self, officer_id: str) -> bool:
        """Whether there is such an officer (still)."""
        return officer_id in self._cases.officers

    def is_suspended(self, person_id: str, now_ms: int) -> bool:
        """Whether nobody is to be paged about the person now (hospital, detention, device repair)."""
        return any(span.holds(now_ms) for span in self._suspended.get(person_id, ()))

    def resolve(self, rung: Rung, person_id: str, office_id: str, now_ms: int) -> tuple[str, ...]:
        """The officers to tell, sorted; empty when there is nobody.

        ``office_id`` is where the alert belongs.  An outage (empty ``person_id``) has no station: the
        first rung tells the county's duty instead, and the chief's rung is empty.
        """
        chain = self._cases.offices_up(office_id) or self._cities[:1]
        found: list[str] = []
        match rung:
            case Rung.STATION_DUTY if not person_id:
                found = self._duty_or_supervisors(_county(chain), now_ms)
            case Rung.STATION_DUTY:
                found = self._on_duty(office_id, now_ms) or self._own_officer(person_id)
            case Rung.STATION_CHIEF if person_id:
                found = self._posts.get((office_id, Role.CHIEF), [])
            case Rung.COUNTY_DUTY:
                found = self._duty_or_supervisors(_county(chain), now_ms)
            case Rung.CITY_DUTY:
                found = self._duty_or_supervisors(_of_level(chain, Level.CITY), now_ms)
            case Rung.OWN_OFFICER:
                found = self._own_officer(person_id)
            case Rung.COUNTY_SUPERVISORS:
                found = self._supervisors(_county(chain))
            case Rung.CITY_SUPERVISORS:
                found = self._supervisors(_of_level(chain, Level.CITY))
        return tuple(sorted(set(found)))

    def _on_duty(self, office_id: str, now_ms: int) -> list[str]:
        return [d.officer_id for d in self._duty.get(office_id, ()) if d.span.holds(now_ms)]

    def _own_officer(self, person_id: str) -> list[str]:
        person = self._cases.people.get(person_id)
        return [person.officer_id] if person is not None and person.officer_id in self._cases.officers else []

    def _duty_or_supervisors(self, office: Office | None, now_ms: int) -> list[str]:
        if office is None:
            return []
        return self._on_duty(office.office_id, now_ms) or self._supervisors(office)

    def _supervisors(self, office: Office | None) -> list[str]:
        return [] if office is None else self._posts.get((office.office_id, Role.SUPERVISOR), [])


def _of_level(chain: list[Office], level: Level) -> Office | None:
    return next((office for office in chain if office.level is level), None)


def _county(chain: list[Office]) -> Office | None:
    """The county above, or the city where there is none: an outage of the broker is the city's."""
    return _of_level(chain, Level.COUNTY) or _of_level(chain, Level.CITY)
