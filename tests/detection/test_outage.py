"""Many who fall silent together are one matter: when it begins, whose it is, when it is over."""

from __future__ import annotations

from collections.abc import Iterable

from precinct import Watch, at, band, cases, minute, order, person, times

from corrections_monitor.detection.snapshot import restore, snapshot
from corrections_monitor.model.cases import Person
from corrections_monitor.model.episodes import Kind

PEOPLE = [f"p{i:02}" for i in range(12)]


def station(size: int = 12, other: int = 0) -> Watch:
    """So many people in one station and in the other, each with a band that reports each minute."""
    people: list[Person] = [person(p) for p in PEOPLE[:size]]
    people += [person(f"q{i:02}", "s2") for i in range(other)]
    names = [p.person_id for p in people]
    rows = [*people, *(order(n) for n in names), *(band(f"b-{n}", n) for n in names)]
    return Watch(cases(*rows))


def heard(seen: Watch, names: Iterable[str], start: float, end: float) -> None:
    """Heartbeats each minute, ends included, a second apart."""
    names = list(names)
    for k in range(round(end - start) + 1):
        for i, name in enumerate(names):
            seen.event(start + k + i / 60, device=f"b-{name}")


def test_a_station_that_falls_silent_is_one_outage_of_the_county() -> None:
    seen = station()
    heard(seen, PEOPLE, 0, 10)
    seen.until(30)
    outage = seen.one(Kind.OUTAGE)
    assert (outage.person_id, outage.office_id) == ("", "k1")
    assert minute(outage.started_ms) == 10
    assert 15 <= minute(outage.detected_ms) < 15.2
    assert len(seen.episodes(Kind.SILENCE_DEVICE)) == 12


def test_it_is_over_when_most_are_back_and_the_rest_had_time_to_follow() -> None:
    seen = station()
    heard(seen, PEOPLE, 0, 10)
    seen.until(39)
    heard(seen, PEOPLE[:8], 40, 42)
    assert "outage" in seen.open_kinds()
    heard(seen, PEOPLE[:8], 43, 50)
    assert times(seen.one(Kind.OUTAGE))[1] == 40 + 6 / 60
    assert seen.log(Kind.OUTAGE)[-1][1] == 45 + 6 / 60


def test_it_goes_on_while_half_are_missing() -> None:
    seen = station()
    heard(seen, PEOPLE, 0, 10)
    seen.until(39)
    heard(seen, PEOPLE[:6], 40, 60)
    assert "outage" in seen.open_kinds()


def test_a_few_of_many_are_no_outage() -> None:
    seen = station()
    heard(seen, PEOPLE, 0, 10)
    for k in range(11, 40):
        heard(seen, PEOPLE[4:], k, k)
    assert not seen.episodes(Kind.OUTAGE)
    assert len(seen.episodes(Kind.SILENCE_DEVICE)) == 4


def test_silences_that_began_hours_apart_are_no_outage() -> None:
    seen = station()
    for k in range(13 * 20):
        heard(seen, PEOPLE[k // 20 :], k, k)
    seen.until(13 * 20 + 30)
    assert len(seen.episodes(Kind.SILENCE_DEVICE)) == 12
    assert not seen.episodes(Kind.OUTAGE)


def test_two_stations_are_one_outage_of_the_county_above_them() -> None:
    seen = station(6, 6)
    heard(seen, [*PEOPLE[:6], *(f"q{i:02}" for i in range(6))], 0, 10)
    seen.until(30)
    assert [e.subject for e in seen.episodes(Kind.OUTAGE)] == ["s1", "k1"]


def test_an_outage_survives_a_restart() -> None:
    logs = []
    for restarted in (False, True):
        seen = station()
        heard(seen, PEOPLE, 0, 10)
        seen.until(39)
        if restarted:
            body = snapshot(seen.engine)
            seen.engine = restore(body, seen.cases, seen.calendar, seen.settings)
        heard(seen, PEOPLE[:8], 40, 50)
        logs.append(seen.log())
    assert logs[0] == logs[1]
    assert ("closed", 45 + 6 / 60, "outage") in logs[0]


def test_nobody_is_silent_for_time_in_which_we_were_deaf() -> None:
    seen = station()
    heard(seen, PEOPLE, 0, 10)
    seen.engine.deaf_until(at(60))
    seen.until(64)
    assert not seen.episodes(Kind.SILENCE_DEVICE, Kind.OUTAGE)
