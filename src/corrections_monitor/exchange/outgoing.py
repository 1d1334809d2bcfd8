"""Violations go out to other systems (违规回传): into files and to webhooks, on schedule, at least once.

Each sink is given, in windows, all that has changed since its last; a window is noted before the first of
it leaves, and again after each part that was taken.  Whatever dies in between, what was not noted as taken is
given again: the same window under the same file name, the same part with the same Idempotency-Key.  A sink
that fails is tried again, ever more rarely, and never skipped.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

import httpx
import msgspec

from corrections_monitor.api.render import episode_object
from corrections_monitor.api.tables import csv_line
from corrections_monitor.api.violation_files import COLUMNS
from corrections_monitor.clock import Clock
from corrections_monitor.config import Config, Receiver
from corrections_monitor.config_schema import FileFormat
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.times import from_ms
from corrections_monitor.paging.webhook import SIGNATURE_HEADER, signature
from corrections_monitor.rules.text import Naming, discreet, named
from corrections_monitor.store import Store
from corrections_monitor.store.api_rows import Row
from corrections_monitor.store.outgoing import Progress, changed, horizon, note, progress

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
RETRY_FIRST_S, RETRY_MAX_S = 5.0, 600.0
PART_ROWS = 500
FOLDER = "folder"  # the sink that writes files


class NotTakenError(Exception):
    """A sink did not take what it was given; the text says why."""


@dataclass(slots=True)
class _Patience:
    """When a sink that failed is tried again (monotonic s), and how often it has failed in a row."""

    again_s: float = 0.0
    failures: int = 0
    since_s: float | None = None


class OutgoingDesk:
    """``run`` it as a task of the daemon in charge.  ``config`` gives the configuration as last read."""

    def __init__(self, store: Store, config: Callable[[], Config], clock: Clock, metrics: Metrics) -> None:
        self._store, self._config, self._clock, self._metrics = store, config, clock, metrics
        self._patience: dict[str, _Patience] = {}

    async def run(self) -> None:
        """Look every few seconds, until cancelled; no sink waits for another."""
        while True:
            config = self._config()
            await asyncio.gather(*(self._tried(config, sink) for sink in sinks(config)))
            await asyncio.sleep(LOOK_EVERY_S)

    async def _tried(self, config: Config, sink: str) -> None:
        patience = self._patience.setdefault(sink, _Patience())
        now_s = self._clock.monotonic_s()
        if now_s < patience.again_s:
            return
        try:
            await self.look(config, sink)
        except Exception as fault:
            patience.failures += 1
            patience.since_s = now_s if patience.since_s is None else patience.since_s
            patience.again_s = now_s + min(RETRY_MAX_S, RETRY_FIRST_S * 2 ** min(patience.failures - 1, 10))
            self._metrics.outgoing_failures.labels(sink).inc()
            why = str(fault) if isinstance(fault, NotTakenError) else type(fault).__name__
            log.warning("violations were not taken, trying again: %s: %s", sink, why)
        else:
            patience.failures, patience.since_s = 0, None
        waiting_s = 0.0 if patience.since_s is None else now_s - patience.since_s
        self._metrics.outgoing_oldest.labels(sink).set(waiting_s)

    async def look(self, config: Config, sink: str) -> int:
        """Give a sink what is due; how many violations it took.

        Raises NotTakenError, OSError.
        """
        where, at_ms = await progress(self._store, sink)
        now_ms, zone = self._clock.wall_ms(), config.site.timezone
        if where.upto_xid is None:
            if at_ms is not None and now_ms < config.outgoing.at.due_ms(at_ms, zone):
                return 0
            where = await self._begun(sink, where, now_ms)
        if sink == FOLDER:
            rows, detail = await self._into_files(config, where)
        else:
            rows, detail = await self._to_receiver(config, sink, where)
        assert where.upto_xid is not None
        done = Progress(from_xid=where.upto_xid)
        await note(self._store, sink, done, self._clock.wall_ms(), {"rows": rows, **detail} if rows else None)
        self._metrics.outgoing_rows.labels(sink).inc(rows)
        return rows

    async def _begun(self, sink: str, where: Progress, now_ms: int) -> Progress:
        """The next window, noted before anything of it leaves."""
        upto, beyond = await horizon(self._store)
        # A database that was restored by a dump counts its transactions anew: everything is given again.
        start = where.from_xid if where.from_xid <= beyond else 0
        begun = Progress(from_xid=start, upto_xid=upto, begun_ms=now_ms)
        await note(self._store, sink, begun, now_ms)
        return begun

    async def _parts(self, config: Config, where: Progress) -> AsyncIterator[list[dict[str, Any]]]:
        while True:
            rows = await changed(self._store, where, PART_ROWS)
            if rows:
                yield [told(row, config.outgoing.personal_data, config.site.timezone) for row in rows]
            if len(rows) < PART_ROWS:
                return
            where = replace(where, after_id=rows[-1]["episode_id"])

    async def _into_files(self, config: Config, where: Progress) -> tuple[int, dict[str, Any]]:
        outgoing = config.outgoing
        assert outgoing.folder is not None
        stem = "violations-" + from_ms(where.begun_ms, config.site.timezone).strftime("%Y%m%dT%H%M%S%z")
        files = [_File(outgoing.folder / f"{stem}.{kind}", kind) for kind in outgoing.formats]
        rows = 0
        with contextlib.ExitStack() as stack:
            async for part in self._parts(config, where):
                if not rows:  # nothing changed: no file
                    for file in files:
                        stack.enter_context(file)
                rows += len(part)
                for file in files:
                    await asyncio.to_thread(file.add, part)
        return rows, {"files": {file.path.name: file.sha256 for file in files}} if rows else {}

    async def _to_receiver(self, config: Config, sink: str, where: Progress) -> tuple[int, dict[str, Any]]:
        receiver = next(r for r in config.outgoing.webhooks if _name(r) == sink)
        rows = where.rows
        async with _client(receiver, config.paging.timeout_ms / 1_000) as client:
            async for part in self._parts(config, where):
                await _post(client, receiver, part)
                rows += len(part)
                taken = replace(where, after_id=part[-1]["episode_id"], rows=rows)
                await note(self._store, sink, taken, self._clock.wall_ms())
        return rows, {}


def sinks(config: Config) -> list[str]:
    """Whom violations are given to, by name."""
    files = [FOLDER] if config.outgoing.folder is not None and config.outgoing.formats else []
    return files + [_name(receiver) for receiver in config.outgoing.webhooks]


def _name(receiver: Receiver) -> str:
    return f"webhook:{receiver.name}"


def told(row: Row, naming: Naming, zone: ZoneInfo) -> dict[str, Any]:
    """A violation as it leaves the house: as the API gives it, without positions."""
    violation = episode_object(row, zone, sees_locations=False)
    del violation["evidence"]
    person_id, name = violation["person_id"] or "", violation["person_name"] or ""
    who = named(person_id, name, naming)
    violation["reason"] = discreet(violation["reason"], name, who, naming)
    violation["person_name"] = who or None
    return violation


class _File:
    """A file of violations, written beside its place and moved there when whole; ``sha256`` once it is."""

    def __init__(self, path: Path, kind: FileFormat) -> None:
        self.path, self._kind = path, kind
        self._draft = path.with_name(f".{path.name}.new")
        self._digest = hashlib.sha256()
        self._is_first = True
        self._file: TextIO

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __enter__(self) -> _File:
        self._file = self._draft.open("w", encoding="utf-8", newline="")
        self._write(csv_line(COLUMNS) if self._kind is FileFormat.CSV else '{"violations":[')
        return self

    def add(self, part: list[dict[str, Any]]) -> None:
        if self._kind is FileFormat.CSV:
            self._write("".join(csv_line([violation[c] for c in COLUMNS]) for violation in part))
            return
        lines = ",\n".join(json.dumps(violation, ensure_ascii=False) for violation in part)
        self._write(("\n" if self._is_first else ",\n") + lines)
        self._is_first = False

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        try:
            if error is None:
                if self._kind is FileFormat.JSON:
                    self._write("\n]}\n")
                self._file.flush()
                os.fsync(self._file.fileno())
                os.replace(self._draft, self.path)
        finally:
            self._file.close()
            self._draft.unlink(missing_ok=True)

    def _write(self, text: str) -> None:
        self._digest.update(text.encode())
        self._file.write(text)


def _client(receiver: Receiver, timeout_s: float) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=None if receiver.ca is None else str(receiver.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return httpx.AsyncClient(verify=context, timeout=timeout_s, follow_redirects=False)


async def _post(client: httpx.AsyncClient, receiver: Receiver, part: list[dict[str, Any]]) -> None:
    """One part, signed; the key is of the body, so that the same again is known to be the same."""
    body = msgspec.json.encode({"violations": part})
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": hashlib.sha256(body).hexdigest(),
        SIGNATURE_HEADER: signature(receiver.secret.encode(), body),
    }
    try:
        async with client.stream("POST", receiver.url, content=body, headers=headers) as response:
            if not response.is_success:
                raise NotTakenError(f"status {response.status_code}")
    except httpx.HTTPError as fault:
        raise NotTakenError(f"not reached: {type(fault).__name__}") from None
