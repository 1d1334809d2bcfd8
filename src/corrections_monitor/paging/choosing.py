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
        self._sent: dict[K, tuple[int, deque[float]]] = {}

    def room(self, whose: K, per_minute: int, now_s: float) -> float:
        """How many messages more may go now."""
        if not per_minute:
            return float("inf")
        _, sent = self._sent.get(whose, (per_minute, deque[float]()))
        while sent and sent[0] <= now_s - _MINUTE_S:
            sent.popleft()
        return max(per_minute - len(sent), 0)

    def spend(self, whose: K, per_minute: int, now_s: float) -> None:
        """One has gone."""
        if per_minute:
            self._sent.setdefault(whose, (per_minute, deque()))[1].append(now_s)

    def spent(self, now_s: float) -> list[K]:
        """Those that may be sent nothing now; who was sent nothing for a minute is forgotten."""
        rooms = {whose: self.room(whose, limit, now_s) for whose, (limit, _) in self._sent.items()}
        self._sent = {whose: sent for whose, sent in self._sent.items() if sent[1]}
        return [whose for whose, room in rooms.items() if not room]


def choose(
    due: Sequence[DuePage],
    held: Mapping[str, int],
    settings: OutboxSettings,
    throttle: Pace[str],
    flood: Pace[tuple[str, str]],
    now_s: float,
) -> list[list[int]]:
    """The ids of pages to claim, by message: one page, or the bundle of several.

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
    chosen: list[list[int]] = []
    taken: set[int] = set()
    for page in due:
        if page.page_id in taken or free[page.lane] <= 0:
            continue
        message = [page.page_id]
        if not page.urgent:
            room = min(to_lane[page.lane], to_whom[page.whom])
            if room <= 0:
                continue
            left = [page_id for page_id in waiting[page.whom] if page_id not in taken]
            if len(left) > room:
                message = left[:BUNDLE_MAX]
        chosen.append(message)
        taken.update(message)
        free[page.lane] -= 1
        to_lane[page.lane] -= 1
        to_whom[page.whom] -= 1
    return chosen
