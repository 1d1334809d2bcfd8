"""From every schema there ever was to this one, and to one of tomorrow: under load, no acknowledged fix is
lost, none is left unanswered.

The earlier program makes the database, fills it and is at work while the later one migrates it and then
takes over.  From the program of tomorrow, which adds to the schema and to what the engine remembers as a
program may, also the way back: this one goes on with what that one left.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from chaos_fleet import (
    Fleet,
    Receiver,
    all_is_told,
    in_haste,
    judge,
    rows,
    settle,
    until,
)
from chaos_run import announce, only_whole
from precinct_of_bands import wearers
from program import Daemon, call_well, daemons

from corrections_monitor.store.schema import NEWEST, VERSIONS
from simulators.mqtt import Server

pytestmark = pytest.mark.chaos
ROOT = Path(__file__).parents[2]
BEFORE = {
    "0001": "688a1e6",
    "0002": "09f1ede",
    "0003": "2c578ce",
    "0004": "905f139",
    "0005": "e61ee62",
    "0006": "17f5526",
    "0007": "2bc2ef8",
}
"""The last commit whose newest schema was this one."""
TOMORROW = "9001"
Environ = dict[str, str]


def test_there_is_a_way_from_every_schema() -> None:
    versions = {file.name[:4] for file in VERSIONS.glob("[0-9]*.py")}
    assert versions == {*BEFORE, NEWEST}, "name the last commit before the new schema in BEFORE"


@only_whole
@pytest.mark.parametrize("schema", BEFORE)
@pytest.mark.timeout(300)
async def test_from_every_schema(schema: str, tmp_path: Path, empty_database_url: str) -> None:
    announce(f"from schema {schema} to {NEWEST}")
    await _upgraded(program_of(schema, tmp_path / "then"), {}, NEWEST, tmp_path, empty_database_url)


@only_whole
@pytest.mark.timeout(300)
async def test_to_the_schema_of_tomorrow_and_back(tmp_path: Path, empty_database_url: str) -> None:
    announce(f"from schema {NEWEST} to {TOMORROW} and back")
    later = program_of_tomorrow(tmp_path / "tomorrow")
    await _upgraded({}, later, TOMORROW, tmp_path, empty_database_url, ways=3)


def program_of(schema: str, folder: Path) -> Environ:
    """The environment in which the installed command is the program of then."""
    packed = subprocess.run(
        ["git", "archive", BEFORE[schema], "src"], cwd=ROOT, capture_output=True, check=False
    )
    if packed.returncode != 0:
        pytest.skip("the history is not here")
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    return {"PYTHONPATH": str(folder / "src")}


def program_of_tomorrow(folder: Path) -> Environ:
    """This program with a migration, a column of the engine and something to remember of people more."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    package = folder / "src" / "corrections_monitor"
    versions = package / "store" / "migrations" / "versions"
    before = next(VERSIONS.glob(f"{NEWEST}_*.py")).read_text("utf-8")
    down = before[before.index("down_revision") :].splitlines()[0]
    versions.joinpath(f"{TOMORROW}_tomorrow.py").write_text(
        f"""from corrections_monitor.store.migrate import run_sql
revision = {TOMORROW!r}
{down.partition("=")[0]}= {NEWEST!r}
def upgrade():
    run_sql("{TOMORROW}_tomorrow.sql")
"""
    )
    versions.joinpath(f"{TOMORROW}_tomorrow.sql").write_text(
        """CREATE TABLE tomorrow (at_ms bigint PRIMARY KEY);
ALTER TABLE fixes ADD COLUMN tomorrow integer;
ALTER TABLE pages ADD COLUMN tomorrow text NOT NULL DEFAULT 'x';
"""
    )
    state = package / "detection" / "state.py"
    text = state.read_text("utf-8")
    for old, new in (
        ('"battery_pct",\n', '"battery_pct", "tomorrow_ms",\n'),
        (
            "        self.fine_ms = ",
            "        self.tomorrow_ms = np.full(devices, 9)\n        self.fine_ms = ",
        ),
        (
            "    near: dict",
            "    tomorrow: dict[str, int] = field(default_factory=lambda: {'x': 1})\n    near: dict",
        ),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    state.write_text(text, "utf-8")
    return {"PYTHONPATH": str(folder / "src")}


async def _upgraded(
    then: Environ, now: Environ, schema: str, folder: Path, url: str, *, ways: int = 1
) -> None:
    receiver, everyone = Receiver(), wearers(12)
    await asyncio.to_thread(call_well, "migrate", database_url=url, **then)
    passwords = await asyncio.to_thread(settle, everyone, folder, url, **then)
    async with receiver.listening():
        settings = in_haste(receiver)
        with daemons(folder, url) as daemon:
            old, new = (daemon(endpoint=True, **settings, **env) for env in (then, now))
            fleet = Fleet(everyone, None, Server("127.0.0.1", old.device_port), passwords)
            await asyncio.to_thread(old.start)
            async with fleet.reporting():
                await _goes_on(fleet, old)
                await asyncio.to_thread(call_well, "migrate", database_url=url, **now)
                assert rows(url, "SELECT version_num FROM alembic_version") == [(schema,)]
                await _goes_on(fleet, old)  # the program of then, on the schema of now
                works = old
                for comes in (new, old, new)[:ways]:
                    await _hand_over(fleet, works, comes)
                    await _goes_on(fleet, comes)
                    works = comes
                await asyncio.sleep(8)  # who walked out last has to be seen outside before it is over
            await all_is_told(fleet, url, receiver)
            assert await asyncio.to_thread(works.stop) == 0
    judge(fleet, url, receiver)


async def _goes_on(fleet: Fleet, program: Daemon) -> None:
    """Somebody leaves, and what is sent from now on is answered."""
    assert program.readyz()[0] == 200
    acknowledged = len(fleet.ledger.acked)
    idle = [one for one in fleet.everyone if one.does != "nothing" and one.since_ms is None]
    for one in idle[:2]:
        one.since_ms = time.time_ns() // 1_000_000
    await asyncio.sleep(1)
    await until(lambda: len(fleet.ledger.acked) > acknowledged + 5 * len(fleet.everyone), "it answers")


async def _hand_over(fleet: Fleet, leaves: Daemon, comes: Daemon) -> None:
    """As the operator's guide has it: one stops, the other starts; devices come again by themselves."""
    assert await asyncio.to_thread(leaves.stop) == 0
    for one in fleet.everyone:
        fleet.move(one, Server("127.0.0.1", comes.device_port))
    await asyncio.to_thread(comes.start)
