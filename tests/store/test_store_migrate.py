"""Migrations: from nothing to the newest, once, by an owner who need not be a superuser."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from corrections_monitor.store import Store
from corrections_monitor.store import migrate as migrations
from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate
from corrections_monitor.store.schema import NEWEST, VERSIONS, SchemaBehindError

ROLES = ("corrections_api", "corrections_engine")


def _tables(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert row is not None
    return int(row[0])


def test_an_empty_database_is_migrated_and_a_second_time_is_nothing(empty_database_url: str) -> None:
    assert _tables(empty_database_url) == 0
    migrate(empty_database_url)
    tables = _tables(empty_database_url)
    assert tables > 20
    migrate(empty_database_url)
    assert _tables(empty_database_url) == tables


def test_two_that_start_together_migrate_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(2) as both:
        list(both.map(migrate, [empty_database_url] * 2))
    assert _tables(empty_database_url) > 20


def test_the_roles_that_work_own_nothing_and_pass_no_row_level_security(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole FROM pg_roles"
            " WHERE rolname = ANY(%s) ORDER BY rolname",
            [list(ROLES)],
        ).fetchall()
        owned = connection.execute(
            "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = ANY(%s)", [list(ROLES)]
        ).fetchone()
    assert rows == [(role, False, False, False, False) for role in ROLES]
    assert owned == (0,)


@pytest.fixture
def plain_owner_url() -> Iterator[str]:
    """In a new cluster, an owner as an operator would make one: no superuser, but may create roles."""
    with (
        tempfile.TemporaryDirectory(prefix="corrections-test-", ignore_cleanup_errors=True) as folder,
        EmbeddedServer.start(Path(folder) / "pg", {"fsync": "off"}) as server,
    ):
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE ROLE clerk LOGIN CREATEROLE")
            connection.execute("CREATE DATABASE corrections OWNER clerk")
        yield conninfo.make_conninfo(server.url("corrections"), user="clerk")


def test_an_owner_who_is_no_superuser_can_migrate_and_lend_the_roles(plain_owner_url: str) -> None:
    migrate(plain_owner_url)
    for role in ROLES:
        with psycopg.connect(plain_owner_url, options=f"-c role={role}") as connection:
            connection.execute("SELECT count(*) FROM people")


def test_step_by_step_it_comes_to_the_same(empty_database_url: str) -> None:
    for version in sorted(file.name[:4] for file in VERSIONS.glob("[0-9]*.py")):
        assert migrate(empty_database_url, version) == version
    assert migrate(empty_database_url) == NEWEST


async def test_a_program_newer_than_the_schema_says_so_and_one_that_is_older_works(
    empty_database_url: str,
) -> None:
    migrate(empty_database_url, "0004")
    for role in ("owner", "engine"):
        with pytest.raises(SchemaBehindError, match=f"is 0004, this program wants {NEWEST}"):
            await Store.open(empty_database_url, role)
    migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert migrate(empty_database_url) == "9999"
    store = await Store.open(empty_database_url, "engine")
    assert await store.cases_version() == 0
    await store.close()


def test_who_waits_for_a_table_lets_others_at_it(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long reader stands in the way of a migration; whoever writes meanwhile does not wait for either."""
    migrate(empty_database_url, "0003")
    breaths: list[float] = []
    with (
        psycopg.connect(empty_database_url) as reader,
        psycopg.connect(empty_database_url, autocommit=True) as writer,
    ):
        reader.execute("SELECT count(*) FROM band_events")

        def breathe(seconds: float) -> None:
            breaths.append(seconds)
            writer.execute("SET statement_timeout = '30s'")
            writer.execute("INSERT INTO band_events SELECT * FROM band_events")
            if len(breaths) == 2:
                reader.commit()

        monkeypatch.setattr(migrations, "sleep", breathe)
        monkeypatch.setattr(migrations, "LOCK_WAIT_S", 0.2)
        assert migrate(empty_database_url) == NEWEST
    assert breaths == [migrations.BREATH_S] * 2
