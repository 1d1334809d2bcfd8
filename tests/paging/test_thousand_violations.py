"""A thousand violations with time moved by hand, while who decides and who sends are killed at every seam.

The account is kept apart from the program: the ladder's minutes and posts are written out here, and who has
to be told of what follows from when a violation was found and when it was resolved.  ``SEED=7`` for another.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg
import pytest
from chaos_run import SEED, announce
from town import T0, an_episode, opened, person, town

from corrections_monitor.metrics import Metrics
from corrections_monitor.model.alerts import Answer, Answered, Disposition, Page
from corrections_monitor.model.episodes import Kind, Transition
from corrections_monitor.model.settings import RulesSettings
from corrections_monitor.paging.channels import Notice
from corrections_monitor.paging.outbox import OutboxWorker
from corrections_monitor.paging.results import Handed, Result
from corrections_monitor.paging.settings import OutboxSettings
from corrections_monitor.rules.book import AlertBook
from corrections_monitor.rules.text import PageText
from corrections_monitor.store import EVERYTHING, Store
from corrections_monitor.store.answers import Given, answer
from corrections_monitor.store.outbox import ClaimedPage, DuePage, Outbox, PageState

VIOLATIONS, WAVES = 1_000, 40
MINUTE_MS, SECOND_MS = 60_000, 1_000
SENDER_DIES, DECIDER_DIES = 0.01, 0.2  # at each seam; at each decision
SENDER_BACK_MS, DECIDER_BACK_MS = 40, 300  # until the next one stands

# CONTRACT §3, by hand: minutes from the first page, and the posts of the town's two stations.
MINUTES = {Kind.ZONE_EXIT: (0, 3, 8, 23), Kind.CURFEW: (0, 10, 25, 85)}
POSTS = {
    "s1": (("duty1", "duty2"), ("chief1",), ("county-duty",), ("city-duty",)),
    "s2": (("own2",), ("chief2",), ("county-duty",), ("city-duty",)),  # nobody on duty there
}


@dataclass(frozen=True)
class Violation:
    """What happens to one person; ``resolved_ms`` None when nobody ever answers."""

    person_id: str
    office_id: str
    kind: Kind
    found_ms: int
    resolved_ms: int | None

    def expected(self) -> dict[tuple[int, str], int]:
        """(step, officer) → when, by the account kept here."""
        return {
            (step, officer): self.found_ms + minute * MINUTE_MS
            for step, minute in enumerate(MINUTES[self.kind])
            if self.resolved_ms is None or self.found_ms + minute * MINUTE_MS < self.resolved_ms
            for officer in POSTS[self.office_id][step]
        }


def history(rng: random.Random) -> list[Violation]:
    """Waves 4 minutes apart; three in four are resolved, some seconds off every step's minute."""
    found = []
    for number in range(VIOLATIONS):
        at_ms = T0 + (number % WAVES) * 4 * MINUTE_MS
        answered = rng.random() < 0.75
        resolved_ms = at_ms + rng.randrange(0, 30, 2) * MINUTE_MS + 30 * SECOND_MS if answered else None
        found.append(
            Violation(
                f"v{number}",
                rng.choice(["s1", "s2"]),
                rng.choice([Kind.ZONE_EXIT, Kind.CURFEW]),
                at_ms,
                resolved_ms,
            )
        )
    return found


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ms = T0

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic_s(self) -> float:
        return self.now_ms / 1_000


class Killed(Exception):
    """The process is gone."""


class Decider:
    """Judges and commits as the daemon does; what it holds in memory is lost when it is killed."""

    def __init__(
        self, store: Store, clock: HandClock, rng: random.Random, everyone: Sequence[Violation]
    ) -> None:
        self._store, self._clock, self._rng = store, clock, rng
        owns = {"s1": "own", "s2": "own2"}
        self._cases = town(people=[person(v.person_id, v.office_id, owns[v.office_id]) for v in everyone])
        self._settings = RulesSettings(repeat_ms=0)
        self._book = AlertBook(self._settings)
        self._snapshot = self._book.snapshot()
        self._journal: list[tuple[list[Transition], list[Answered], int]] = []
        self.kills = 0

    @property
    def next_due_ms(self) -> int | None:
        return self._book.next_due_ms

    async def decide(self, moves: list[Transition]) -> dict[str, str]:
        """Once, however often it is killed at it; gives person → alert of what was opened."""
        try:
            return await self._once(moves, self._rng.random() < DECIDER_DIES)
        except Killed:
            self.kills += 1
            self._clock.now_ms += DECIDER_BACK_MS
            self._book = AlertBook.restore(self._settings, self._snapshot)
            for past, answers, at_ms in self._journal:
                self._book.advance(past, answers, self._cases, at_ms)
            return await self._once(moves, dies=False)

    async def _once(self, moves: list[Transition], dies: bool) -> dict[str, str]:
        now_ms = self._clock.now_ms
        async with self._store.transaction() as tx:
            answers = await tx.take_answers(len(self._journal))
            outcome = self._book.advance(moves, answers, self._cases, now_ms)
            pages: list[tuple[Page, str, str]] = [(page, "mqtt", page.officer_id) for page in outcome.pages]
            await tx.write_lines(outcome.lines)
            await tx.write_alerts(outcome.alerts)
            await tx.write_timeline(outcome.notes)
            await tx.write_pages(pages)
            if dies:
                raise Killed
        if self._rng.random() < DECIDER_DIES:  # Committed, and not known to be: decided once more.
            async with self._store.transaction() as tx:
                await tx.write_pages(pages)
        self._journal.append((moves, answers, now_ms))
        if len(self._journal) % 50 == 0:
            self._snapshot, self._journal = self._book.snapshot(), []
        return {alert.person_id: alert.alert_id for alert in outcome.alerts}


class Sender:
    """One life of a worker: the store's outbox and an officer's channel, either of which may be its end."""

    def __init__(self, outbox: Outbox, rng: random.Random, taken: list[str]) -> None:
        self._outbox, self._rng, self._taken = outbox, rng, taken
        self.in_hand, self._emptied = 0, False
        self.over, self.died_at = asyncio.Event(), ""

    def _seam(self, name: str) -> None:
        """Here it may die; once dead it does nothing more, at whatever seam it stands."""
        if not self.died_at and self._rng.random() < SENDER_DIES:
            self.died_at = name
            self.over.set()
        if self.died_at:
            raise Killed

    def _put_down(self) -> None:
        self.in_hand -= 1
        if self._emptied and not self.in_hand:
            self.over.set()

    async def due(self, now_ms: int, full_lanes: Collection[str] = ()) -> list[DuePage]:
        due = await self._outbox.due(now_ms, full_lanes)
        self._emptied = not due and not full_lanes
        if self._emptied and not self.in_hand:
            self.over.set()
        return due

    async def hold(self, until_ms: Mapping[int, int], now_ms: int) -> None:
        raise AssertionError("MQTT is not throttled")

    async def claim(self, page_ids: Sequence[int], now_ms: int, lease_ms: int) -> list[ClaimedPage]:
        claimed = await self._outbox.claim(page_ids, now_ms, lease_ms)
        self.in_hand += len(claimed)
        return claimed

    async def recheck(self, claimed: ClaimedPage) -> bool:
        self._seam("claimed")
        wanted = await self._outbox.recheck(claimed)
        self._seam("checked")
        if not wanted:
            self._put_down()
        return wanted

    async def send(self, notice: Notice) -> Result:
        self._taken.append(notice.key)
        return Result(Handed.SENT)

    async def record(
        self,
        claimed: ClaimedPage,
        state: PageState,
        at_ms: int,
        *,
        next_attempt_ms: int | None = None,
        error: str | None = None,
    ) -> bool:
        self._seam("sent")
        held = await self._outbox.record(claimed, state, at_ms, next_attempt_ms=next_attempt_ms, error=error)
        self._seam("recorded")
        self._put_down()
        return held


async def _notice(message: Sequence[ClaimedPage]) -> Notice:
    (claimed,) = message
    page = claimed.page
    return Notice(
        page.officer_id, claimed.channel, claimed.address, claimed.idempotency_key, {}, PageText("", "")
    )


async def _send_all(
    store: Store, clock: HandClock, rng: random.Random, taken: list[str], deaths: Counter[str]
) -> int:
    """Workers, one after the other, until nothing is due; how many pages those killed had in hand."""
    in_flight = 0
    while True:
        sender = Sender(store.outbox, rng, taken)
        worker = OutboxWorker(sender, _notice, {"mqtt": sender}, OutboxSettings(), clock, Metrics())
        task = asyncio.create_task(worker.run())
        await sender.over.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if not sender.died_at:
            return in_flight
        deaths[sender.died_at] += 1
        in_flight += sender.in_hand
        clock.now_ms += SENDER_BACK_MS


@pytest.mark.chaos
async def test_of_a_thousand_violations_none_is_unpaged_and_no_page_is_there_twice(
    store: Store, database_url: str
) -> None:
    announce(f"{VIOLATIONS} violations")
    rng, clock, began_s = random.Random(SEED), HandClock(), time.monotonic()
    everyone = history(rng)
    decider = Decider(store, clock, rng, everyone)
    taken: list[str] = []
    deaths: Counter[str] = Counter()
    alerts: dict[str, str] = {}
    in_flight = 0
    waits = sorted(everyone, key=lambda v: v.found_ms)
    answers = sorted((v for v in everyone if v.resolved_ms), key=lambda v: v.resolved_ms or 0)
    while True:
        coming = [decider.next_due_ms, await store.outbox.next_due_ms()]
        coming += [v.found_ms for v in waits[:1]] + [v.resolved_ms for v in answers[:1]]
        if not (known := [ms for ms in coming if ms is not None]):
            break
        clock.now_ms = max(clock.now_ms, min(known))
        while answers and (at_ms := answers[0].resolved_ms or 0) <= clock.now_ms:
            given = Given(Answer.RESOLVED, "own", at_ms, "x", Disposition.TRUE_VIOLATION)
            async with store.seeing(EVERYTHING) as connection:
                assert (await answer(connection, alerts[answers.pop(0).person_id], given)).won
        found = [waits.pop(0) for _ in range(sum(v.found_ms <= clock.now_ms for v in waits))]
        alerts |= await decider.decide([_opened(v) for v in found])
        in_flight += await _send_all(store, clock, rng, taken, deaths)
    took_s = time.monotonic() - began_s
    again = len(taken) - len(set(taken))
    print(
        f"{len(taken)} handed over, {again} of them again; senders killed {dict(deaths)} with {in_flight} in "
        f"flight, decider {decider.kills}; {took_s:.1f} s"
    )

    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT alert_id, round, step, officer_id, channel, state, due_ms, attempts, handed_ms FROM pages"
        ).fetchall()
    expected = {
        (alerts[v.person_id], 1, step, officer): (due_ms, v.resolved_ms)
        for v in everyone
        for (step, officer), due_ms in v.expected().items()
    }
    assert Counter(row[:4] for row in rows) == Counter(expected.keys()), f"seed {SEED}"
    keys = set(taken)
    assert keys <= {f"{a}-1-{step}-{who}-mqtt" for a, _, step, who in expected}, f"seed {SEED}"
    for alert_id, round_, step, officer, channel, state, due_ms, attempts, handed_ms in rows:
        wanted_ms, resolved_ms = expected[alert_id, round_, step, officer]
        told = f"seed {SEED}: {alert_id} step {step} {officer}: {state}"
        assert due_ms == wanted_ms, told
        key = f"{alert_id}-{round_}-{step}-{officer}-{channel}"
        if state == "moot":  # Its sender was killed, and it was resolved before the lease had ended.
            assert attempts >= 1, told
            assert resolved_ms is not None, told
            assert resolved_ms < due_ms + attempts * OutboxSettings().lease_ms + SECOND_MS, told
            continue
        assert state == "sent", told
        assert key in keys, told
        if attempts == 1:
            assert 0 <= handed_ms - due_ms <= SECOND_MS, told
    assert again <= in_flight, f"seed {SEED}"
    assert set(deaths) == {"claimed", "checked", "sent", "recorded"}, f"seed {SEED}"
    assert decider.kills > 10


def _opened(violation: Violation) -> Transition:
    episode = an_episode(violation.kind, who=violation.person_id, subject=violation.person_id)
    at_ms = violation.found_ms
    return opened(replace(episode, office_id=violation.office_id, started_ms=at_ms, detected_ms=at_ms))
