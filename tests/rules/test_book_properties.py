"""Properties of the alert book that hold for any history."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from town import TOWN, Desk, minutes, person, town

from corrections_monitor.model.alerts import Answer, Answered, Purpose, alert_id
from corrections_monitor.model.episodes import Change, Episode, Kind, Severity, Transition, episode_id
from corrections_monitor.model.settings import DEFAULT_SEVERITIES, RulesSettings
from corrections_monitor.model.times import MINUTE_MS
from corrections_monitor.rules.book import AlertBook
from corrections_monitor.rules.outcome import Outcome
from corrections_monitor.rules.records import group_of

KINDS = [
    Kind.ZONE_EXIT,
    Kind.CURFEW,
    Kind.SILENCE_DEVICE,
    Kind.SILENCE_POSITION,
    Kind.STRAP_LOOSE,
    Kind.BATTERY_LOW,
    Kind.BATTERY_CRITICAL,
    Kind.UNMONITORED,
]
HALF_MINUTE = MINUTE_MS // 2


@dataclass(frozen=True)
class Spell:
    """An episode to be: half minutes from the start to its detection, its age then, and its length."""

    who: str
    kind: Kind
    at: int
    age: int
    lasts: int
    late: bool
    updated_after: int


spells = st.builds(
    Spell,
    who=st.sampled_from(["p1", "strict"]),
    kind=st.sampled_from(KINDS),
    at=st.integers(0, 200),
    age=st.integers(0, 20),
    lasts=st.integers(0, 400),
    late=st.booleans(),
    updated_after=st.integers(0, 420),
)
presses = st.tuples(st.integers(1, 450), st.sampled_from([Answer.ACKNOWLEDGED, *Answer]), st.integers(0, 30))


def history(chosen: list[Spell]) -> list[Transition]:
    """The transitions the engine would give, in its order; at most one open of a person and kind."""
    moves: list[Transition] = []
    busy_until: dict[tuple[str, Kind], int] = {}
    for number, spell in enumerate(sorted(chosen, key=lambda s: s.at)):
        if spell.at <= busy_until.get((spell.who, spell.kind), -1):
            continue
        busy_until[spell.who, spell.kind] = spell.at + spell.lasts
        at_ms, started_ms = (minutes(t / 2) for t in (spell.at, spell.at - spell.age))
        name = episode_id(spell.who, spell.kind, str(number), started_ms)
        begun = Episode(
            name, spell.kind, spell.who, "s1", str(number), None, started_ms, at_ms, None, spell.late, "理由"
        )
        end_ms = at_ms + spell.lasts * HALF_MINUTE
        over = replace(begun, ended_ms=end_ms)
        update_ms = at_ms + spell.updated_after * HALF_MINUTE
        changed = replace(over if update_ms > end_ms else begun, reason="新")
        moves += [
            Transition(Change.OPENED, at_ms, begun),
            Transition(Change.UPDATED, update_ms, changed),
            Transition(Change.CLOSED, end_ms, over),
        ]
        if update_ms == end_ms:
            moves.pop(-2)
    return sorted(moves, key=lambda m: m.at_ms)


Log = list[Outcome]


def played(
    moves: list[Transition], answers: list[Answered], cuts: list[int], *, restored: bool = False
) -> tuple[Log, AlertBook]:
    """Advance a book from cut to cut, or through a snapshot at every cut."""
    book, log = AlertBook(RulesSettings()), []
    edges = [-1, *sorted({minutes(c / 2) for c in cuts}), minutes(1_000)]
    for after_ms, until_ms in pairwise(edges):
        log.append(
            book.advance(
                [m for m in moves if after_ms < m.at_ms <= until_ms],
                [a for a in answers if after_ms < a.at_ms <= until_ms],
                TOWN,
                until_ms,
            )
        )
        if restored:
            body = book.snapshot()
            book = AlertBook.restore(RulesSettings(), body)
            assert book.snapshot() == body
    return log, book


def flat(log: Log) -> tuple[list[object], ...]:
    """Everything that was told, in order, whatever the calls."""
    return (
        [line for outcome in log for line in outcome.lines],
        [page for outcome in log for page in outcome.pages],
        [note for outcome in log for note in outcome.notes],
    )


def last_alerts(log: Log) -> dict[str, object]:
    return {alert.alert_id: alert for outcome in log for alert in outcome.alerts}


def _receiver(answer: Answer) -> str | None:
    return "duty2" if answer is Answer.HANDED_OVER else None


def pressed(log: Log, chosen: list[tuple[int, Answer, int]]) -> list[Answered]:
    """Answers to alerts that really came to be in an unanswered run."""
    names = sorted({line.alert_id for outcome in log for line in outcome.lines})
    return [
        Answered(answer, names[which % len(names)], "duty1", minutes(at / 2), to_officer=_receiver(answer))
        for at, answer, which in chosen
        if names
    ]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(spells, max_size=12), st.lists(presses, max_size=4), st.lists(st.integers(0, 900), max_size=8)
)
def test_how_the_input_is_cut_changes_nothing_and_a_snapshot_neither(
    chosen: list[Spell], to_press: list[tuple[int, Answer, int]], cuts: list[int]
) -> None:
    moves = history(chosen)
    answers = pressed(played(moves, [], [])[0], to_press)
    whole, book = played(moves, answers, [])
    pieces, book_of_pieces = played(moves, answers, cuts)
    through_snapshots, restored = played(moves, answers, cuts, restored=True)
    assert flat(pieces) == flat(whole) == flat(through_snapshots)
    assert last_alerts(pieces) == last_alerts(whole) == last_alerts(through_snapshots)
    assert book.snapshot() == book_of_pieces.snapshot() == restored.snapshot()
    every_minute, _ = played(moves, answers, list(range(0, 900, 3)))
    assert flat(every_minute) == flat(whole)


@settings(max_examples=150, deadline=None)
@given(st.lists(spells, max_size=15), st.lists(presses, max_size=4))
def test_what_is_true_of_every_history(chosen: list[Spell], to_press: list[tuple[int, Answer, int]]) -> None:
    moves = history(chosen)
    answers = pressed(played(moves, [], [])[0], to_press)
    (outcome,), _ = played(moves, answers, [])
    lines, every_page = outcome.lines, outcome.pages
    pages = [p for p in every_page if p.purpose is Purpose.STEP]
    assert [line.at_ms for line in lines] == sorted(line.at_ms for line in lines)
    # A page is one row: never the same step of the same round to the same officer again.
    keys = [(p.alert_id, p.round, p.purpose, p.step, p.officer_id) for p in every_page]
    assert len(keys) == len(set(keys))
    # Every page stands on a line of its moment, and every line's officers have a page.
    told = {(n.at_ms, n.alert_id, officer) for n in lines for officer in n.paged}
    assert told == {(p.due_ms, p.alert_id, p.officer_id) for p in pages}
    assert all(p.severity.pages for p in pages)
    # Rounds only grow, steps only climb within a round.
    for name in {p.alert_id for p in pages}:
        order = [(p.round, p.step) for p in pages if p.alert_id == name]
        assert order == sorted(order)
    # Nobody but who holds the matter is paged between an answer and the next round.
    pages = [p for p in every_page if p.purpose in (Purpose.STEP, Purpose.REPEAT)]
    for answer in answers:
        if answer.answer not in (Answer.ACKNOWLEDGED, Answer.RESOLVED):
            continue
        after = [p for p in pages if p.alert_id == answer.alert_id and p.due_ms >= answer.at_ms]
        before = [p.round for p in pages if p.alert_id == answer.alert_id and p.due_ms < answer.at_ms]
        assert not after or after[0].round > max(before, default=0)
    assert all(line.alert_id for line in lines)


LADDERS = {
    Severity.CRITICAL: [(0, "station"), (3, "chief"), (8, "county"), (23, "city")],
    Severity.MAJOR: [(0, "station"), (10, "chief"), (25, "county"), (85, "city")],
}
OFFICERS = {
    "station": ["own"],
    "chief": ["chief1"],
    "county": ["supervisor-a", "supervisor-b"],
    "city": ["city-supervisor"],
}
STEADFAST = {Kind.STRAP_CUT, Kind.STRAP_LOOSE, Kind.CASE_OPEN, Kind.SOS}


@dataclass(frozen=True)
class Violation:
    who: str
    kind: Kind
    started_ms: int
    detected_ms: int
    ended_ms: int
    acknowledged_ms: int


def expected_pages(v: Violation) -> set[tuple[int, int, str]]:
    """The ladder written out by hand: (when, severity, whom) for one violation alone."""
    rises = [(max(v.started_ms + age, v.detected_ms), s) for age, s in DEFAULT_SEVERITIES[v.kind].steps]
    if rises[-1][0] <= v.detected_ms:
        rises = rises[-1:]
    found = set()
    for number, (begun_ms, severity) in enumerate(rises):
        if begun_ms >= v.ended_ms or severity not in LADDERS:
            continue
        next_ms = rises[number + 1][0] if number + 1 < len(rises) else 2**62
        if next_ms >= v.ended_ms:
            next_ms = 2**62
        for offset, rung in LADDERS[severity]:
            at_ms = begun_ms + offset * MINUTE_MS
            answered = begun_ms < v.acknowledged_ms <= at_ms
            over = at_ms >= v.ended_ms and v.kind not in STEADFAST
            if at_ms < next_ms and not answered and not over:
                found |= {(at_ms, severity, officer) for officer in OFFICERS[rung]}
    return found


def test_a_thousand_violations_are_paged_as_a_naive_reading_of_the_ladder_says() -> None:
    seed = 20_260_601
    rng = random.Random(seed)
    kinds = [k for k in DEFAULT_SEVERITIES if k is not Kind.OUTAGE and k is not Kind.ORDER_EXPIRING]
    violations = []
    for number in range(1_000):
        started_ms = minutes(0) + rng.randrange(600 * MINUTE_MS)
        detected_ms = started_ms + rng.choice([0, 20_000, 5 * MINUTE_MS])
        violations.append(
            Violation(
                f"v{number}",
                rng.choice(kinds),
                started_ms,
                detected_ms,
                detected_ms + rng.choice([1, rng.randrange(1, 30 * MINUTE_MS), 500 * MINUTE_MS]),
                detected_ms + rng.choice([2**50, rng.randrange(1, 200 * MINUTE_MS), 3 * MINUTE_MS]),
            )
        )
    once = RulesSettings(ack_expires_ms={}, repeat_ms=0)
    desk = Desk(cases=town({}, [person(v.who) for v in violations]), settings=once)
    moves, whose = [], {}
    for v in violations:
        name = episode_id(v.who, v.kind, "s", v.started_ms)
        episode = Episode(
            name, v.kind, v.who, "s1", "s", None, v.started_ms, v.detected_ms, None, False, "理由"
        )
        moves.append(Transition(Change.OPENED, v.detected_ms, episode))
        moves.append(Transition(Change.CLOSED, v.ended_ms, replace(episode, ended_ms=v.ended_ms)))
        whose[alert_id(name, *group_of(episode)[1:])] = v
    moves.sort(key=lambda m: m.at_ms)
    got: dict[str, set[tuple[int, int, str]]] = {v.who: set() for v in violations}
    at_ms = minutes(0) - 1
    while at_ms < minutes(1_600):
        until_ms = at_ms + rng.randrange(1, 10 * MINUTE_MS)
        outcome = desk.book.advance(
            [m for m in moves if at_ms < m.at_ms <= until_ms],
            [
                Answered(Answer.ACKNOWLEDGED, name, "own", v.acknowledged_ms)
                for name, v in whose.items()
                if at_ms < v.acknowledged_ms <= until_ms
            ],
            desk.cases,
            until_ms,
        )
        for page in outcome.pages:
            got[whose[page.alert_id].who].add((page.due_ms, page.severity, page.officer_id))
        at_ms = until_ms
    assert got == {v.who: expected_pages(v) for v in violations}, f"seed {seed}"
    assert sum(map(len, got.values())) > 1_500
