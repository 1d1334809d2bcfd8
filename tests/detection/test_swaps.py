"""Devices that are swapped, lie in a drawer and come back, or are reset: numbers that jump then are no gaps.

In every world something is really lost as well, so that silence proves something.
"""

from __future__ import annotations

import pytest
from precinct import Watch, band, cases, home, order, person, span

from corrections_monitor.model.episodes import Kind

FAR = 1440 * 30
PEOPLE = (home(applies_to="*"), person(), person("p2"), order(), order("p2"))


def lost(seen: Watch) -> list[tuple[str, str]]:
    return [(e.person_id, e.subject) for e in seen.episodes(Kind.DATA_GAP)]


def speak(seen: Watch, start: int, count: int, device: str, seq: int, *, losing: int | None = None) -> None:
    """A message a minute; the one numbered ``losing`` does not arrive."""
    for k in range(count):
        if seq + k != losing:
            seen.fix(start + k, 0, device=device, seq=seq + k)


def test_a_spare_whose_numbers_begin_elsewhere() -> None:
    seen = Watch(cases(*PEOPLE, band()))
    speak(seen, 0, 10, "b1", 500)
    seen.amend(cases(*PEOPLE, band(span=span(-FAR, 10)), band("spare", span=span(10))), 10)
    speak(seen, 11, 10, "spare", 90_000)
    assert lost(seen) == []
    speak(seen, 30, 10, "spare", 90_010, losing=90_012)
    assert lost(seen) == [("p1", "spare:90012-90012")]


@pytest.mark.parametrize("again", ["p1", "p2"])
@pytest.mark.parametrize("seq", [510, 3_500, 7], ids=["switched off", "went on counting", "factory reset"])
def test_a_device_that_lay_in_a_drawer(again: str, seq: int) -> None:
    seen = Watch(cases(*PEOPLE, band()))
    speak(seen, 0, 10, "b1", 500)
    repaired = band(span=span(-FAR, 10)), band("spare", span=span(10, 2_000))
    seen.amend(cases(*PEOPLE, *repaired), 10)
    speak(seen, 11, 10, "spare", 0)
    back = (
        band(person_id=again, span=span(2_000)),
        *([] if again == "p1" else [band("spare", span=span(2_000))]),
    )
    seen.amend(cases(*PEOPLE, *repaired, *back), 2_000)
    speak(seen, 2_001, 10, "b1", seq)
    assert lost(seen) == []
    speak(seen, 2_020, 10, "b1", seq + 10, losing=seq + 12)
    assert lost(seen) == [(again, f"b1:{seq + 12}-{seq + 12}")]


def test_swapped_to_and_fro_many_times() -> None:
    """Two bands, charged in turn and changed every twenty minutes, each counting on meanwhile."""
    rows = [band(("b1", "b2")[n % 2], span=span(20 * n, 20 * n + 20)) for n in range(40)]
    seen = Watch(cases(*PEOPLE, *rows))
    for n in range(40):
        speak(seen, 20 * n + 1, 18, ("b1", "b2")[n % 2], 20 * n)
    assert lost(seen) == []


def test_a_reset_in_the_middle_of_the_term() -> None:
    seen = Watch(cases(*PEOPLE, band()))
    speak(seen, 0, 10, "b1", 60_000)
    for n in range(1, 20):
        speak(seen, 10 * n, 10, "b1", 0)
    assert lost(seen) == []
