"""What was heard, who was paged and what was answered in a span of time, for judging it again."""

from __future__ import annotations

from typing import NamedTuple

from corrections_monitor.model.alerts import Answer, Answered, Disposition
from corrections_monitor.model.episodes import Cause
from corrections_monitor.store.api_rows import rows
from corrections_monitor.store.pool import EVERYTHING, Store


class Heard(NamedTuple):
    """A stored fix (``lon`` not None), event (``ev`` not None) or bare contact, by arrival."""

    arrival_ms: int
    device_id: str
    t_ms: int | None
    lon: float | None
    lat: float | None
    acc_m: float | None
    src: int | None
    ev: int | None
    battery_pct: int | None


class GivenThen(NamedTuple):
    """An answer as it was given: to an alert of this person, cause and subject."""

    person_id: str
    cause: Cause
    subject: str
    answered: Answered


async def heard_between(store: Store, start_ms: int, end_ms: int) -> list[Heard]:
    """Everything that arrived from ``start_ms`` to before ``end_ms``, in order of arrival."""
    async with store.seeing(EVERYTHING) as connection:
        found = await rows(connection, "history.heard", start_ms=start_ms, end_ms=end_ms)
    return [
        Heard(
            r["arrival_ms"], r["device_id"], r["t_ms"],
            None if r["lon_e7"] is None else r["lon_e7"] / 1e7,
            None if r["lat_e7"] is None else r["lat_e7"] / 1e7,
            r["acc_m"], r["src"], r["ev"], r["battery_pct"],
        )
        for r in found
    ]  # fmt: skip


async def first_heard(store: Store, start_ms: int, end_ms: int) -> int | None:
    """When the first message arrived from ``start_ms`` to before ``end_ms``; None when none did."""
    async with store.seeing(EVERYTHING) as connection:
        (found,) = await rows(connection, "history.first_heard", start_ms=start_ms, end_ms=end_ms)
    first_ms: int | None = found["arrival_ms"]
    return first_ms


async def paged_between(store: Store, start_ms: int, end_ms: int) -> list[tuple[str, str, list[str]]]:
    """(kind, office, officers) of every moment in which somebody was paged."""
    async with store.seeing(EVERYTHING) as connection:
        found = await rows(connection, "history.paged", start_ms=start_ms, end_ms=end_ms)
    return [(r["kind"], r["office_id"], r["paged"]) for r in found]


async def answered_between(store: Store, start_ms: int, end_ms: int) -> list[GivenThen]:
    """Every answer of officers from ``start_ms`` to before ``end_ms``, in order of time; drills are left out.
    The alert they name is the one of then."""
    async with store.seeing(EVERYTHING) as connection:
        found = await rows(connection, "history.answered", start_ms=start_ms, end_ms=end_ms)
    given = [
        GivenThen(
            r["person_id"], Cause(r["cause"]), r["subject"],
            Answered(
                Answer(r["answer"]), "", r["officer_id"], r["at_ms"],
                Disposition(r["disposition"]) if r["disposition"] else None, r["to_officer"],
            ),
        )
        for r in found
    ]  # fmt: skip
    return sorted(given, key=lambda g: g.answered.at_ms)
