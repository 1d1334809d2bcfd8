"""While an outage is open the single silences behind it page nobody; what outlasts it does."""

from __future__ import annotations

from town import TOWN, an_episode, closed, minutes, opened

from corrections_monitor.model.episodes import Episode, Kind, Transition
from corrections_monitor.model.settings import RulesSettings
from corrections_monitor.rules.book import AlertBook

OUTAGE = an_episode(Kind.OUTAGE, 5, who="", subject="k1", started=0)


def silence(at: float, who: str = "strict", started: float = 0) -> Episode:
    return an_episode(Kind.SILENCE_DEVICE, at, who=who, subject=f"b-{who}", started=started)


def paged(until: float, *transitions: Transition, restart: bool = False) -> list[tuple[float, str, str]]:
    """(minute, person, severity) of every page up to that minute."""
    book, found = AlertBook(RulesSettings()), []
    for now, some in [*((t.at_ms, (t,)) for t in transitions), (minutes(until), ())]:
        if restart:
            book = AlertBook.restore(RulesSettings(), book.snapshot())
        lines = book.advance(some, (), TOWN, now).lines
        found += [
            ((line.at_ms - minutes(0)) / 60_000, line.episode.person_id, str(line.severity))
            for line in lines
            if line.paged and line.episode.kind is not Kind.OUTAGE
        ]
    return found


def test_a_silence_behind_an_outage_pages_nobody() -> None:
    assert paged(6, opened(silence(5))) == [(5, "strict", "major")]
    assert paged(500, opened(OUTAGE), opened(silence(6))) == []


def test_one_that_had_paged_already_climbs_no_further() -> None:
    before = opened(silence(4))
    assert paged(100, before, opened(OUTAGE)) == [(4, "strict", "major")]


def test_what_outlasts_the_outage_is_released() -> None:
    rows = opened(OUTAGE), opened(silence(6)), opened(silence(6, "p1")), closed(OUTAGE, 40)
    first = paged(41, *rows)
    assert sorted(first) == [(40, "p1", "major"), (40, "strict", "major")]
    assert paged(41, *rows, restart=True) == first


def test_who_is_back_before_it_ends_is_never_told() -> None:
    gone = silence(6)
    assert paged(500, opened(OUTAGE), opened(gone), closed(gone, 39), closed(OUTAGE, 40)) == []


def test_a_silence_known_before_the_outage_began_is_not_held() -> None:
    long_gone = silence(-10, started=-15)
    pages = [at for at, _, _ in paged(30, opened(long_gone), opened(OUTAGE))]
    assert pages == [-10, 0, 15]


def test_another_county_is_not_held() -> None:
    elsewhere = an_episode(Kind.OUTAGE, 5, who="", subject="s2", started=0)
    assert paged(7, opened(elsewhere), opened(silence(6))) == [(6, "strict", "major")]


def test_only_silences_are_held() -> None:
    cut = an_episode(Kind.STRAP_CUT, 6, subject="b1")
    assert paged(6.5, opened(OUTAGE), opened(cut)) == [(6, "p1", "critical")]
