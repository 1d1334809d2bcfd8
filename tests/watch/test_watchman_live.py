"""Every way to lose sight, with real processes: the county's duty hears of it once, with whom to check, and
of the end."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import psycopg
import pytest
from chaos_run import only_whole
from town import T0, TOWN, an_episode, opened
from watched import House, house

from corrections_monitor.clock import SystemClock
from corrections_monitor.model.alerts import Page
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import RulesSettings
from corrections_monitor.rules.book import AlertBook
from corrections_monitor.store import Store
from corrections_monitor.store.embedded import EmbeddedServer

BLIND, BACK = "【紧急", "【恢复"


def whom_to_check(found: House) -> None:
    """The list stands in the text, highest risk first, and whole in the alert object."""
    text = found.text()
    assert "1. 姓某" in text
    assert text.index("严管") < text.index("2. 姓某")
    people = found.alerts()[-1]["check_by_hand"]
    assert isinstance(people, list)
    assert [person["person_id"] for person in people] == ["strict", "p1"]


@pytest.mark.chaos
@only_whole
async def test_a_hanging_daemon_and_a_stopped_database_are_told_once_each(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        found.daemon.send_signal(signal.SIGSTOP)
        signs = len(found.outside.posts)
        await found.is_told(BLIND)
        assert "停止响应" in found.text()
        whom_to_check(found)
        assert len(found.outside.posts) <= signs + 1  # the dead man's switch is silent
        found.daemon.send_signal(signal.SIGCONT)
        await found.is_told(BLIND, BACK)

        await asyncio.to_thread(found.server.stop)
        await found.is_told(BLIND, BACK, BLIND)
        assert "数据库" in found.text()  # and not merely that somebody stopped
        whom_to_check(found)
        found.server = await asyncio.to_thread(EmbeddedServer.start, tmp_path / "data", {"fsync": "off"})
        await found.is_told(BLIND, BACK, BLIND, BACK)
        assert found.daemon.poll() is None


@pytest.mark.chaos
@only_whole
async def test_no_daemon_in_charge(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        found.daemon.kill()
        await found.is_told(BLIND)
        whom_to_check(found)
        found.start_daemon()
        await found.is_told(BLIND, BACK)


@pytest.mark.chaos
@only_whole
async def test_ingest_stalls_while_the_database_answers(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        with psycopg.connect(found.server.url()) as other:
            other.execute("LOCK TABLE journal, state IN ACCESS EXCLUSIVE MODE")
            await found.is_told(BLIND)
            assert "数据库或处理停滞" in found.text()
            whom_to_check(found)
        await found.is_told(BLIND, BACK)
        assert found.daemon.poll() is None


@pytest.mark.chaos
@only_whole
async def test_the_clock_is_off(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        found.shift_clock(-59_000)
        await asyncio.sleep(8)
        assert found.said() == []
        found.shift_clock(90_000)
        await found.is_told(BLIND)
        assert "系统时钟异常" in found.text()
        whom_to_check(found)
        found.shift_clock(0)
        await found.is_told(BLIND, BACK)


@pytest.mark.chaos
@only_whole
async def test_pages_are_stuck(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        await a_page(found, in_ms=3_000)
        with psycopg.connect(found.server.url()) as other:
            # A worker that died in the midst of it would leave them so.
            assert other.execute("SELECT page_id FROM pages FOR UPDATE").fetchall()
            await found.is_told(BLIND, within_s=33)
            assert "通知发不出去" in found.text()
            whom_to_check(found)
        await found.is_told(BLIND, BACK)


async def a_page(found: House, in_ms: int) -> None:
    """Somebody cut his strap, and the station's duty is to be told in so many milliseconds."""
    store = await Store.open(found.server.url(), "engine", max_size=2)
    now_ms = SystemClock().wall_ms()
    outcome = AlertBook(RulesSettings()).advance([opened(an_episode(Kind.STRAP_CUT))], [], TOWN, T0)
    [alert] = outcome.alerts
    page = Page(alert.alert_id, alert.round, 0, "duty1", Severity.CRITICAL, now_ms + in_ms)
    async with store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines(outcome.lines)
        await tx.write_pages([(page, "webhook:platform", "platform")])
    await store.close()
