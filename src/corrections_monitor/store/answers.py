"""An officer's answer to an alert: who comes first wins, and the daemon is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from corrections_monitor.model.alerts import AlertState, Answer, Answered, Disposition
from corrections_monitor.store.audit import append
from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]

_STATEMENT = {
    Answer.ACKNOWLEDGED: "answers.acknowledge",
    Answer.NOTED: "answers.note",
    Answer.HANDED_OVER: "answers.hand_over",
    Answer.RESOLVED: "answers.resolve",
}


class Via(StrEnum):
    """From where an officer answers."""

    API = "api"
    MQTT = "mqtt"
    LINK = "link"
    CLI = "cli"


@dataclass(frozen=True, slots=True)
class Given:
    """What an officer answers; ``inspected``: somebody has looked at the device itself (实地查验)."""

    answer: Answer
    officer_id: str
    at_ms: int
    note: str | None = None
    disposition: Disposition | None = None
    inspected: bool | None = None
    to_officer: str | None = None
    via: Via = Via.API

    @property
    def detail(self) -> dict[str, Any]:
        """What timeline and audit keep of it."""
        told = {
            "disposition": None if self.disposition is None else self.disposition.value,
            "note": self.note,
            "inspected": self.inspected,
            "to": self.to_officer,
        }
        return {name: value for name, value in told.items() if value is not None} | {"via": self.via.value}


@dataclass(frozen=True, slots=True)
class AnswerResult:
    """``won``: this answer stands.  Else ``by`` and ``at_ms`` tell whose answer stands already.

    ``state`` is None when there is no such alert (for this role and jurisdiction).
    """

    won: bool
    state: AlertState | None
    by: str | None
    at_ms: int | None


async def answer(connection: Connection, alert_id: str, given: Given) -> AnswerResult:
    """Write the answer down, if nobody was first; with timeline, audit, and word to the daemon."""
    detail = given.detail
    row = {
        "alert_id": alert_id,
        "answer": given.answer.value,
        "officer_id": given.officer_id,
        "at_ms": given.at_ms,
        "disposition": detail.get("disposition"),
        "note": given.note,
        "inspected": given.inspected,
        "to_officer": given.to_officer,
    }
    cursor = await connection.execute(query(_STATEMENT[given.answer]), row)
    if cursor.rowcount != 1:
        return await standing(connection, alert_id)
    await connection.execute(query("answers.add"), row)
    await connection.execute(
        query("decisions.add_timeline"),
        {
            "alert_id": alert_id,
            "at_ms": given.at_ms,
            "what": given.answer.value,
            "who": given.officer_id,
            "detail": Jsonb(detail),
        },
    )
    await connection.execute(query("decisions.tell"), ["alerts", alert_id])
    await connection.execute(query("decisions.tell"), ["answers", alert_id])
    await append(connection, given.at_ms, given.officer_id, f"alert.{given.answer}", alert_id, detail)
    return AnswerResult(True, (await standing(connection, alert_id)).state, given.officer_id, given.at_ms)


async def may_answer(connection: Connection, alert_id: str, officer_id: str) -> bool:
    """Whether there is such an alert and such an officer, and it is his to answer: by office, or because
    he was paged."""
    row = await (
        await connection.execute(query("answers.may"), {"alert_id": alert_id, "officer_id": officer_id})
    ).fetchone()
    return row is not None and bool(row[0])


async def take(connection: Connection, batch_no: int) -> list[Answered]:
    """The answers nobody has taken yet, in order, marked as taken by this batch."""
    cursor = await connection.execute(query("answers.take"), [batch_no])
    return [
        Answered(Answer(given), alert_id, officer_id, at_ms, None if d is None else Disposition(d), to)
        for given, alert_id, officer_id, at_ms, d, to in await cursor.fetchall()
    ]


async def standing(connection: Connection, alert_id: str) -> AnswerResult:
    """Whose answer stands, told to who came second."""
    cursor = await connection.execute(query("answers.standing"), [alert_id])
    row = await cursor.fetchone()
    if row is None:
        return AnswerResult(False, None, None, None)
    state, acknowledged_by, acknowledged_ms, resolved_by, resolved_ms = row
    if state == AlertState.RESOLVED:
        return AnswerResult(False, AlertState.RESOLVED, resolved_by, resolved_ms)
    return AnswerResult(False, AlertState(state), acknowledged_by, acknowledged_ms)


class AnswerWrites:
    """The part of a ``Tx`` that deals with officers' answers."""

    _connection: Connection

    async def take_answers(self, batch_no: int) -> list[Answered]:
        """The answers not yet taken, in order, marked as taken by this batch."""
        return await take(self._connection, batch_no)

    async def answer(self, alert_id: str, given: Given) -> AnswerResult:
        """Record an officer's answer; tells who won."""
        return await answer(self._connection, alert_id, given)

    async def may_answer(self, alert_id: str, officer_id: str) -> bool:
        """Whether the alert is this officer's to answer."""
        return await may_answer(self._connection, alert_id, officer_id)

    async def tell_beaten(
        self, alert_id: str, officer_id: str, channel: str, address: str, at_ms: int
    ) -> None:
        """Page an officer whose answer came second: the alert says whose stands."""
        row = {"alert_id": alert_id, "officer_id": officer_id, "at_ms": at_ms}
        await self._connection.execute(
            query("answers.tell_beaten"), {**row, "channel": channel, "address": address}
        )
        await self._connection.execute(query("decisions.tell"), ["pages", ""])
