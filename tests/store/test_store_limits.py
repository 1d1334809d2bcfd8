"""Each table keeps its rows as long as it is told, and those of somebody under a legal hold for ever."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from corrections_monitor.config import ConfigFaults, load
from corrections_monitor.ingest.quarantine import Reason, Reject
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.times import DAY_MS
from corrections_monitor.store import Store
from corrections_monitor.store.audit import Anchor
from corrections_monitor.store.exchanges import Came, keep
from corrections_monitor.store.maintenance import Limits

NOW_MS = 1_764_000_000_000
LIMITS = Limits(*[200 * DAY_MS] * 6)
OLD_MS, YOUNG_MS = NOW_MS - 201 * DAY_MS, NOW_MS - 199 * DAY_MS
PEOPLE = ("p1", "p2")  # held, not held
DEVICES = {"p1": "d1", "p2": "d2"}
ALERT_TABLES = ("alerts", "episodes", "episode_lines", "alert_timeline", "alert_answers", "pages")


def sql(url: str, statement: Any, values: Any = ()) -> list[Any]:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def violation(url: str, person_id: str, name: str, at_ms: int, *, state: str, severity: int = 3) -> None:
    ended = None if state == "lasting" else at_ms
    state = "open" if state == "lasting" else state
    sql(url, "INSERT INTO alerts (alert_id, person_id, office_id, cause, subject, state, severity, opened_ms,"
        " updated_ms, reason, late, round, step, leading_episode, kind, round_why, drill) VALUES"
        " (%s, %s, 's1', 'place', '', %s, %s, %s, %s, '', false, 1, 1, '', 'zone.exit', 'opened', false)",
        [name, person_id, state, severity, at_ms, at_ms])  # fmt: skip
    sql(url, "INSERT INTO episodes VALUES (%s, %s, 'zone.exit', %s, 's1', 'home', 'z', %s, %s, %s, %s, false,"
        " '', '{}', %s)", [name, name, person_id, at_ms, at_ms, ended, severity, at_ms])  # fmt: skip
    sql(url, "INSERT INTO episode_lines (episode_id, change, at_ms, severity, started_ms, reason, paged)"
        " VALUES (%s, 'opened', %s, 3, %s, '', '[]')", [name, at_ms, at_ms])  # fmt: skip
    sql(url, "INSERT INTO alert_timeline (alert_id, at_ms, what, detail) VALUES (%s, %s, 'x', '{}')",
        [name, at_ms])  # fmt: skip
    sql(url, "INSERT INTO alert_answers (alert_id, answer, officer_id, at_ms, taken_batch)"
        " VALUES (%s, 'note', 'o1', %s, 1)", [name, at_ms])  # fmt: skip
    sql(url, "INSERT INTO pages (alert_id, round, step, officer_id, channel, address, severity, due_ms,"
        " next_attempt_ms, state) VALUES (%s, 1, 0, 'o1', 'mqtt', '', 3, %s, %s, 'moot')",
        [name, at_ms, at_ms])  # fmt: skip


@pytest.fixture
async def house(store: Store, city: CaseSet, database_url: str) -> str:
    """Old and young rows of everything, of ``p1`` (under a hold) and ``p2``."""
    url = database_url
    await store.save_cases(city, "test", NOW_MS - 300 * DAY_MS)
    sql(url, "UPDATE devices SET from_ms = 0, to_ms = %s", [2**60])
    sql(url, "INSERT INTO legal_holds VALUES ('p1', '检察建议', 'o1', 0)")
    for person in PEOPLE:
        for age, at_ms in (("old", OLD_MS), ("young", YOUNG_MS)):
            violation(url, person, f"{person}-{age}", at_ms, state="resolved")
            sql(url, "INSERT INTO contacts (arrival_ms, device_id, topic) VALUES (%s, %s, 'x')",
                [at_ms, DEVICES[person]])  # fmt: skip
            sql(url, "INSERT INTO commands (command_id, person_id, device_id, county_id, cmd, issued_by,"
                " origin, issued_ms, expires_ms, state, next_attempt_ms) VALUES"
                " (%s, %s, %s, 'k1', 'vibrate', 'o1', 'officer', %s, 0, 'done', 0)",
                [f"{person}-{age}", person, DEVICES[person], at_ms])  # fmt: skip
            async with store.transaction() as tx:
                reject = Reject(Reason.UNDECODABLE, DEVICES[person], "t", at_ms, b"payload", "")
                await tx.insert_rejects([reject], max_rows=1_000, max_bytes=1_000_000)
    for n, at_ms in enumerate((OLD_MS, YOUNG_MS, NOW_MS)):
        sql(url, "INSERT INTO digests VALUES (%s, 's1', %s::date, %s, '{}')",
            [str(n), f"2026-01-0{n + 1}", at_ms])  # fmt: skip
        await keep(store, Came("x", bytes([n]), 1, {}, [], []), "same", at_ms)
    return url


async def upkeep(store: Store) -> dict[str, int]:
    return (await store.maintenance.run(NOW_MS, 200 * DAY_MS, 30 * DAY_MS, LIMITS)).rows_dropped


async def test_what_is_over_its_time_goes_but_nothing_of_who_is_held(store: Store, house: str) -> None:
    dropped = await upkeep(store)
    assert {t: n for t, n in dropped.items() if n} == {"commands": 1, "violations": 1, "quarantine": 1}
    for table in ("alerts", "episodes", "commands"):
        rows = sql(house, f"SELECT person_id, count(*) FROM {table} GROUP BY 1 ORDER BY 1")
        assert rows == [("p1", 2), ("p2", 1)], table
    for table in ("contacts", "quarantine"):
        rows = sql(house, f"SELECT device_id, count(*) FROM {table} GROUP BY 1 ORDER BY 1")
        assert rows == [("d1", 2), ("d2", 1)], table
    for table in ALERT_TABLES:
        assert sql(house, f"SELECT count(*) FROM {table}") == [(3,)], table
    assert sql(house, "SELECT count(*) FROM digests") == [(3,)]
    assert sql(house, "SELECT count(*) FROM exchanges") == [(3,)]
    assert sql(house, "SELECT rows, bytes FROM quarantine_size") == [(3, 24)]


async def test_with_the_hold_lifted_the_rest_goes_and_all_of_it_is_logged(store: Store, house: str) -> None:
    await upkeep(store)
    sql(house, "DELETE FROM legal_holds")
    dropped = await upkeep(store)
    assert {t: n for t, n in dropped.items() if n and t != "audit"} == {
        "commands": 1, "violations": 1, "quarantine": 1, "exchanges": 1
    }  # fmt: skip
    assert sql(house, "SELECT count(*) FROM digests") == [(2,)]
    logged = sql(house, "SELECT actor, detail FROM audit WHERE action = 'keeping.delete' ORDER BY seq")
    assert [actor for actor, _ in logged] == ["system", "system"]
    assert logged[1][1]["violations"] == 1
    assert await upkeep(store) == dict.fromkeys(dropped, 0)


@pytest.mark.parametrize(("state", "severity", "stays"), [("lasting", 1, 1), ("open", 3, 1), ("open", 1, 0)])
async def test_nothing_open_is_ever_deleted(
    store: Store, city: CaseSet, database_url: str, state: str, severity: int, stays: int
) -> None:
    """What pages stays until somebody has resolved it, what does not until it is over."""
    await store.save_cases(city, "test", 0)
    violation(database_url, "p1", "a", OLD_MS, state=state, severity=severity)
    await upkeep(store)
    assert sql(database_url, "SELECT count(*) FROM alerts") == [(stays,)]


async def test_the_audit_is_cut_and_says_so_itself(store: Store, database_url: str) -> None:
    for n in range(9):
        await store.audit.append(OLD_MS if n < 5 else YOUNG_MS, "o1", "track.read", f"p{n}", {"n": n})
    anchors = [
        Anchor(n, h.hex()) for n, h in sql(database_url, "SELECT seq, hash FROM audit WHERE seq IN (3, 7)")
    ]
    assert (await upkeep(store))["audit"] == 5
    assert sql(database_url, "SELECT min(seq) FROM audit") == [(6,)]
    assert not (await store.audit.verify(anchors)).faults
    assert (await upkeep(store))["audit"] == 0
    # Whoever cuts more by hand is found out, however the rest agrees with itself.
    sql(database_url, "DELETE FROM audit WHERE seq = 6")
    assert {f.seq for f in (await store.audit.verify()).faults} >= {6}


async def test_the_database_itself_keeps_the_audit_of_six_months(store: Store, database_url: str) -> None:
    now_ms = await store.wall_ms()
    for days in (200, 100):
        await store.audit.append(now_ms - days * DAY_MS, "o1", "x", "", {})
    greedy = Limits(*[DAY_MS] * 6)
    kept = await store.maintenance.run(now_ms, 200 * DAY_MS, DAY_MS, greedy)
    assert kept.rows_dropped["audit"] == 1
    assert not (await store.audit.verify()).faults


async def test_a_shorter_keeping_of_the_audit_than_the_law_allows_is_a_fault() -> None:
    with pytest.raises(ConfigFaults) as caught:
        load(None, {"CORRECTIONS_KEEPING__AUDIT": "90d"})
    assert "网络安全法 第二十一条" in str(caught.value)
    assert "184d" in str(caught.value)
    assert load(None, {"CORRECTIONS_KEEPING__AUDIT": "184d"}).keeping.audit_ms == 184 * DAY_MS
