"""What may be sent now: every lane's free places, throttles, and floods to one officer.

- A lane (a provider, a server, a webhook, an officer's own MQTT client) has so many attempts at once.
- A throttled lane is given so many messages in any minute.
- An officer is sent so many messages in any minute over one channel that people read (mail, chat, SMS).
  When more pages wait for him there, they go as one message.  Platforms and our own MQTT topic are given
  alert objects, one at a time: to bundle them is for who shows them.
- The first page of a critical alert goes by itself and at once, if only its lane has a place.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from corrections_monitor.paging.channels import is_read_by_people
from corrections_monitor.paging.settings import OutboxSettings
from corrections_monitor.store.outbox import DuePage

BUNDLE_MAX = 50  # alerts in one message
_MINUTE_S = 60.0
K = TypeVar("K")


class Pace(Generic[K]):
    """What each was sent in the last minute; a limit of 0 a minute is none."""

    def __init__(self) -> None:
        self._sent: dict[K, deque[float]] = {}

    def room(self, whose: K, per_minute: int, now_s: float) -> float:
        """How many messages more may go now."""
        return max(per_minute - len(self._recent(whose, now_s)), 0) if per_minute else float("inf")

    def wait_s(self, whose: K, per_minute: int, now_s: float) -> float:
        """How long until one may go; 0 when one may go now."""
        sent = self._recent(whose, now_s)
        if not per_minute or len(sent) < per_minute:
            return 0.0
        return sent[len(sent) - per_minute] + _MINUTE_S - now_s

    def spend(self, whose: K, per_minute: int, now_s: float) -> None:
        """One has gone."""
        if per_minute:
            self._sent.setdefault(whose, deque()).append(now_s)

    def forget(self, now_s: float) -> None:
        """Drop who was sent nothing for a minute."""
        self._sent = {whose: sent for whose, sent in self._sent.items() if self._recent(whose, now_s)}

    def _recent(self, whose: K, now_s: float) -> deque[float]:
        sent = self._sent.get(whose, deque[float]())
        while sent and sent[0] <= now_s - _MINUTE_S:
            sent.popleft()
        return sent


@dataclass(slots=True)
class Choice:
    """``messages``: the ids of pages to claim, one page or the bundle of several; ``held_s``: how long each
    of the others that must wait has to."""

    messages: list[list[int]] = field(default_factory=list)
    held_s: dict[int, float] = field(default_factory=dict)


def choose(
    due: Sequence[DuePage],
    held: Mapping[str, int],
    settings: OutboxSettings,
    throttle: Pace[str],
    flood: Pace[tuple[str, str]],
    now_s: float,
) -> Choice:
    """What is to be sent and what is to wait; of a lane without a place, neither.

    ``due`` stands in the order of sending; ``held`` counts the attempts under way by lane; ``throttle`` is
    by lane, ``flood`` by (channel, officer_id).
    """
    free = {page.lane: settings.of(page.channel).concurrency - held.get(page.lane, 0) for page in due}
    to_lane = {p.lane: throttle.room(p.lane, settings.of(p.channel).per_minute, now_s) for p in due}
    to_whom = {p.whom: flood.room(p.whom, settings.flood_of(p.channel), now_s) for p in due}
    waiting: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for page in due:
        if not page.urgent and is_read_by_people(page.channel):
            waiting[page.whom].append(page.page_id)
    choice, taken = Choice(), set[int]()
    for page in due:
        per_minute, flood_max = settings.of(page.channel).per_minute, settings.flood_of(page.channel)
        room = float("inf") if page.urgent else min(to_lane[page.lane], to_whom[page.whom])
        if page.page_id in taken:
            continue
        if room <= 0:
            wait_s = max(
                throttle.wait_s(page.lane, per_minute, now_s), flood.wait_s(page.whom, flood_max, now_s)
            )
            # What this very choice has used up is known at the next look.
            if wait_s > 0:
                choice.held_s[page.page_id] = wait_s
            continue
        if free[page.lane] <= 0:
            continue
        left = [] if page.urgent else [page_id for page_id in waiting[page.whom] if page_id not in taken]
        message = left[:BUNDLE_MAX] if len(left) > room else [page.page_id]
        choice.messages.append(message)
        taken.update(message)
        free[page.lane] -= 1
        to_lane[page.lane] -= 1
        to_whom[page.whom] -= 1
    return choice
