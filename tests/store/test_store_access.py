"""Jurisdiction held by the database alone: what the API's role sees for an office, and what it cannot do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, LiteralString

import numpy as np
import psycopg
import pytest

from corrections_monitor.model.alerts import Alert, Answer, Line, Page
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.commands import Cmd, Command, Origin
from corrections_monitor.store import Store
from corrections_monitor.store.answers import Given, answer
from corrections_monitor.store.decisions import Entry
from corrections_monitor.store.pool import array_literal

T0_MS = 1_764_000_000_000

# Per office asked: whose rows are seen.  p1 lives under s1 (county k1), p2 under s2 (county k2).
JURISDICTION: dict[tuple[str, ...], set[str]] = {
    (): set(),
    ("s1",): {"p1"},
    ("k1",): {"p1"},
    ("s2",): {"p2"},
    ("k2",): {"p2"},
    ("s1", "k2"): {"p1", "p2"},
    ("c",): {"p1", "p2"},
    ("*",): {"p1", "p2"},
    ("nowhere",): set(),
    ('x"},{s1',): set(),
}
# Each of these has exactly one row of p1 and one of p2.
PERSON_OF: dict[str, LiteralString] = {
    "people": "SELECT person_id FROM people WHERE category <> 'protected'",
    "devices": "SELECT person_id FROM devices WHERE device_id <> 'dv'",
    "orders": "SELECT person_id FROM orders",
    "leaves": "SELECT person_id FROM leaves",
    "suspensions": "SELECT person_id FROM suspensions",
    "contact_rules": "SELECT person_id FROM contact_rules",
    "episodes": "SELECT person_id FROM episodes",
    "episode_lines": "SELECT reason FROM episode_lines",
    "alerts": "SELECT person_id FROM alerts",
    "alert_answers": "SELECT substr(alert_id, 2) FROM alert_answers",
    "alert_timeline": "SELECT DISTINCT substr(alert_id, 2) FROM alert_timeline",
    "pages": "SELECT substr(alert_id, 2) FROM pages",
    "commands": "SELECT person_id FROM commands",
    "person_fixes": "SELECT person_id FROM person_fixes",
    "person_events": "SELECT person_id FROM person_events",
    "person_contacts": "SELECT person_id FROM person_contacts",
}


@pytest.fixture
async def peopled(
    store: Store,
    database_url: str,
    city: CaseSet,
    alert: Alert,
    opened: Line,
    page: Page,
    fixes: Any,
    events: Any,
) -> str:
    """Everything there is, once for p1 and once for p2; the database's URL."""
    twins = replace(
        city,
        orders={**city.orders, "r2": replace(city.orders["r1"], order_id="r2", person_id="p2")},
        leaves={**city.leaves, "l2": replace(city.leaves["l1"], leave_id="l2", person_id="p2")},
        suspensions={
            **city.suspensions, ("p2", T0_MS): replace(city.suspensions["p1", T0_MS], person_id="p2")
        },
        contacts={**city.contacts, ("p2", "v1"): replace(city.contacts["p1", "v1"], person_id="p2")},
    )  # fmt: skip
    await store.save_cases(twins, "import", T0_MS)
    numbers = await store.device_numbers(["d1", "d2"])
    arrival = np.array([T0_MS + 1, T0_MS + 1])
    async with store.transaction() as tx:
        await tx.insert_fixes(numbers, fixes([T0_MS, T0_MS]), arrival)
        await tx.insert_events(numbers, events([T0_MS, T0_MS]), arrival)
        await tx.insert_contacts(arrival.tolist(), ["d1", "d2"], ["x", "x"])
        for person, office in (("p1", "s1"), ("p2", "s2")):
            episode = replace(
                opened.episode, episode_id=f"e{person}", person_id=person, office_id=office, reason=person
            )
            a = replace(alert, alert_id=f"a{person}", person_id=person, office_id=office)
            await tx.write_lines([replace(opened, episode=episode, alert_id=a.alert_id)])
            await tx.write_alerts([a])
            await tx.write_pages([(replace(page, alert_id=a.alert_id), "mqtt", "")])
            await tx.write_timeline([Entry(a.alert_id, T0_MS, "paged")])
            await tx.answer(a.alert_id, Given(Answer.ACKNOWLEDGED, "o1", T0_MS))
            command = Command(
                f"c{person}", person, f"d-{person}", "k", Cmd.LOCATE_NOW, None, "o1", Origin.OFFICER, None,
                T0_MS, T0_MS + 1,
            )  # fmt: skip
            await tx.write_commands([command])
    return database_url


@contextmanager
def _as_api(url: str, offices: Collection[str]) -> Iterator[psycopg.Connection[Any]]:
    """The API's role in a transaction that sees ``offices``."""
    with psycopg.connect(url, options="-c role=corrections_api") as connection:
        value = "*" if "*" in offices else array_literal(offices)
        connection.execute("SELECT set_config('corrections.offices', %s, true)", [value])
        yield connection


@pytest.mark.parametrize("offices", JURISDICTION)
async def test_every_table_shows_the_own_office_and_below_and_nothing_else(
    peopled: str, offices: tuple[str, ...]
) -> None:
    with _as_api(peopled, offices) as connection:
        seen = {name: {p for (p,) in connection.execute(sql)} for name, sql in PERSON_OF.items()}
    assert seen == dict.fromkeys(PERSON_OF, JURISDICTION[offices])


async def test_nothing_is_seen_where_no_office_was_named_before_or_after_one_was(peopled: str) -> None:
    with psycopg.connect(peopled, options="-c role=corrections_api", autocommit=True) as connection:
        for _ in range(2):
            for sql in PERSON_OF.values():
                assert connection.execute(sql).fetchall() == []
            with connection.transaction():
                connection.execute("SELECT set_config('corrections.offices', '*', true)")
                assert connection.execute(PERSON_OF["people"]).fetchall() != []


async def test_a_handed_over_persons_track_goes_with_the_person(store: Store, peopled: str) -> None:
    cases, _ = await store.load_cases()
    await store.save_cases(
        CaseSet(people={"p1": replace(cases.people["p1"], office_id="s2")}), "o1", T0_MS + 9
    )
    with _as_api(peopled, ["s1"]) as connection:
        assert connection.execute(PERSON_OF["person_fixes"]).fetchall() == []
    with _as_api(peopled, ["s2"]) as connection:
        assert {p for (p,) in connection.execute(PERSON_OF["person_fixes"])} == {"p1", "p2"}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM fixes", "SELECT * FROM band_events", "SELECT * FROM contacts",
        "SELECT * FROM quarantine", "SELECT * FROM journal", "SELECT * FROM snapshots",
        "DELETE FROM alerts", "DELETE FROM episodes", "DELETE FROM people", "UPDATE episodes SET reason = ''",
        "UPDATE alerts SET severity = 0", "UPDATE pages SET state = 'moot'", "DELETE FROM alert_timeline",
        "DELETE FROM commands", "UPDATE commands SET device_id = ''",
        "SELECT drop_partitions('fixes', 0)",
    ],
)  # fmt: skip
async def test_the_api_has_no_right_to(peopled: str, statement: LiteralString) -> None:
    with _as_api(peopled, ["*"]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


async def test_the_api_changes_nothing_of_another_office(peopled: str) -> None:
    with _as_api(peopled, ["s1"]) as connection:
        changed = connection.execute("UPDATE alerts SET state = 'resolved'")
        assert changed.rowcount == 1
        for sql in (
            "INSERT INTO alert_answers (alert_id, answer, officer_id, at_ms) VALUES ('ap2', 'x', 'o1', 0)",
            "INSERT INTO alert_timeline (alert_id, at_ms, what, detail) VALUES ('ap2', 0, 'x', '{}')",
            "INSERT INTO commands (command_id, person_id, device_id, county_id, cmd, issued_by, origin,"
            " issued_ms, expires_ms, next_attempt_ms)"
            " VALUES ('x', 'p2', 'd2', 'k2', 'vibrate', 'o1', 'officer', 0, 1, 0)",
            # Of people and episodes it writes nothing at all.
            "UPDATE people SET office_id = 's2' WHERE person_id = 'p1'",
            "UPDATE episodes SET office_id = 's2'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(sql)


async def test_a_function_that_tells_what_it_is_shown_is_shown_no_hidden_fix(peopled: str) -> None:
    with psycopg.connect(peopled) as connection:
        connection.execute(
            "CREATE FUNCTION tell(x bigint) RETURNS boolean LANGUAGE plpgsql COST 0.0001"
            " AS $$ BEGIN RAISE NOTICE 'saw'; RETURN true; END $$"
        )
    saw: list[str] = []
    with _as_api(peopled, ["s1"]) as connection:
        # As a planner might choose that reads every fix before it looks whose it is.
        for way in ("nestloop", "mergejoin", "indexscan", "bitmapscan"):
            connection.execute(f"SET LOCAL enable_{way} = off")
        connection.add_notice_handler(lambda notice: saw.append(notice.message_primary or ""))
        assert len(connection.execute("SELECT * FROM person_fixes WHERE tell(t_ms)").fetchall()) == 1
    assert saw == ["saw"]


async def test_a_store_sees_what_it_was_asked_to_see(peopled: str, api_store: Store) -> None:
    for offices, people in JURISDICTION.items():
        async with api_store.seeing(offices) as connection:
            rows = await (await connection.execute(PERSON_OF["alerts"])).fetchall()
        assert {p for (p,) in rows} == people


async def test_an_officer_answers_only_where_they_have_jurisdiction(peopled: str, api_store: Store) -> None:
    async with api_store.seeing(["s1"]) as connection:
        result = await answer(connection, "ap2", Given(Answer.RESOLVED, "o1", T0_MS))
    assert (result.won, result.state) == (False, None)
