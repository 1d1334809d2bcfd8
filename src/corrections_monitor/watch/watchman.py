"""The watchman (值守): looks every second whether anybody is monitoring, and tells those on duty if not.

One stands in ``run`` and one in ``serve``: the daemon's own sees a database that is away, a clock that is
off, pages that are stuck; the other sees a daemon that is dead or hangs.  Both read the same two files of the
state directory, and a third, the marker, makes them tell each blindness once between them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from corrections_monitor.clock import Clock
from corrections_monitor.watch.blindness import Blindness, Marker, Word
from corrections_monitor.watch.orders import read_orders
from corrections_monitor.watch.teller import Teller

log = logging.getLogger(__name__)

MARKER = "blind.json"
LOOK_EVERY_S = 1.0


class Watchman:
    """``run`` it as a task.  ``look`` gives why nobody is monitoring, None when all is well."""

    def __init__(
        self,
        folder: Path,
        look: Callable[[], str | None],
        teller: Teller,
        tell_after_s: float,
        clock: Clock,
    ) -> None:
        self._folder = folder
        self._look = look
        self._teller = teller
        self._clock = clock
        self._marker = Marker(folder / MARKER)
        self._blindness = Blindness(tell_after_s, self._marker.stands())

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            while True:
                try:
                    self._watch()
                except OSError as fault:
                    log.error("the state directory cannot be used to watch: %s", fault)
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._teller.stop()

    def _watch(self) -> None:
        word = self._blindness.observe(self._look(), self._clock.monotonic_s())
        if word is None:
            return
        reason, since_ms = self._blindness.reason, self._marker.since_ms() or self._clock.wall_ms()
        mine = self._marker.make(since_ms, reason) if word is Word.BLIND else self._marker.take_away()
        if not mine:
            return  # The other watchman tells.
        orders = read_orders(self._folder)
        if orders is None:
            log.error("%s (%s), and no daemon has left word in %s whom to tell", word, reason, self._folder)
            return
        told = self._teller.tell(word, orders, reason, since_ms)
        log.error("%s: %s; telling %d officers", word, reason, told)
