"""What was ahead of our clock is judged again once our clock is right.

When the clock has been set forward, what came before by the slow clock did come later than was written down.
Of what was kept as ``future``, whatever is not ahead of the corrected time of arrival goes into the inbox
like any message; acknowledged, which is after its commit, it leaves the quarantine.  What a device had dated
ahead by itself stays where it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.ingest.message import Message
from corrections_monitor.store import Store

log = logging.getLogger(__name__)

_AT_ONCE = 1_000


class SetAside:
    """The quarantine as a source of messages, from ``put_again`` on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._judged: list[int] = []

    async def put_again(
        self, inbox: Inbox, since_ms: int, slow_ms: int, is_ahead: Callable[[Message], bool]
    ) -> None:
        """Put into the inbox what came since ``since_ms`` by a clock that was ``slow_ms`` slow."""
        last, count = 0, 0
        while rows := await self._store.rejects_ahead(since_ms, last, _AT_ONCE):
            for reject_id, arrival_ms, topic, payload in rows:
                if not is_ahead(Message(topic, payload, arrival_ms + slow_ms)):
                    inbox.put(Message(topic, payload, inbox.stamp()), self, reject_id)
                    count += 1
                last = reject_id
        log.warning("the clock was %d s slow: %d messages are judged again", slow_ms // 1_000, count)

    def acknowledge(self, packet_ids: list[int], size: int) -> None:
        """See ``inbox.Source``."""
        self._judged += packet_ids

    async def clear(self) -> None:
        """Take out of the quarantine what has been judged."""
        if self._judged:
            judged, self._judged = self._judged, []
            await self._store.drop_rejects(judged)
