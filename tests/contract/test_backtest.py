"""Backtest walked by hand: edited rules over what was stored, beside what was paged then.

The history is lived through by the same engine and rules and written down as the daemon writes it: in the one
day of it p1 is two kilometres out from 10:00 to 11:00, which the own officer acknowledges two minutes after
the page; p2 says nothing for 20 min twice, which is minor and pages nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from command_line import CommandLine
from psycopg.conninfo import conninfo_to_dict

from corrections_monitor import cases as case_folder
from corrections_monitor.detection.engine import Engine
from corrections_monitor.ingest.decode import decode
from corrections_monitor.ingest.message import Message
from corrections_monitor.model.alerts import Answer, Answered
from corrections_monitor.model.cases import (
    CaseSet,
    Category,
    Circle,
    Device,
    DeviceKind,
    Level,
    Office,
    Officer,
    Order,
    Person,
    Role,
    Zone,
    ZoneKind,
)
from corrections_monitor.model.settings import DetectionSettings, RulesSettings
from corrections_monitor.model.telemetry import keep
from corrections_monitor.model.times import DAY_MS, HOUR_MS, MINUTE_MS, Interval, parse_time
from corrections_monitor.replay import Kept, calendar_of, resolved_by
from corrections_monitor.rules.book import AlertBook
from corrections_monitor.store import Store
from corrections_monitor.store.answers import Given
from simulators import encode

ZONE = ZoneInfo("Asia/Shanghai")
DAY1 = parse_time("2026-03-02", ZONE)
DAY2 = DAY1 + DAY_MS
LON, LAT = 122.07, 41.12
OUT = Interval(DAY2 + 10 * HOUR_MS, DAY2 + 11 * HOUR_MS)
FROM, TO = DAY1 + 13 * HOUR_MS + 30 * MINUTE_MS, DAY2 + 13 * HOUR_MS + 30 * MINUTE_MS
SILENT = tuple(Interval(t, t + 20 * MINUTE_MS) for t in (DAY1 + 14 * HOUR_MS, DAY2 + 13 * HOUR_MS))


def town(radius_m: float = 500.0) -> CaseSet:
    term = Interval(DAY1 - 10 * DAY_MS, DAY1 + 50 * DAY_MS)
    people = ("p1", "p2")
    return CaseSet(
        offices={
            "city": Office("city", None, Level.CITY, "市局"),
            "county": Office("county", "city", Level.COUNTY, "区局"),
            "s1": Office("s1", "county", Level.STATION, "一所"),
            "s2": Office("s2", "county", Level.STATION, "二所"),
        },
        officers={
            "own1": Officer("own1", "s1", "王", Role.OFFICER, "wang"),
            "own2": Officer("own2", "s2", "李", Role.OFFICER, "li"),
            "chief1": Officer("chief1", "s1", "赵", Role.CHIEF, "zhao"),
        },
        people={p: Person(p, p, Category.PROBATION, f"s{p[1]}", f"own{p[1]}") for p in people},
        devices={(f"b-{p}", term.from_ms): Device(f"b-{p}", DeviceKind.BAND, p, 60, term) for p in people},
        orders={f"o-{p}": Order(f"o-{p}", p, "29.2", "局长", date(2026, 2, 1), term) for p in people},
        zones={
            f"home-{p}": Zone(f"home-{p}", "家", ZoneKind.INCLUSION, p, Circle(LON, LAT, radius_m))
            for p in people
        },
    )


def said() -> Iterator[Message]:
    """A fix a minute of both."""
    for t in range(FROM, TO, MINUTE_MS):
        for p in ("p1", "p2"):
            if p == "p2" and any(s.holds(t) for s in SILENT):
                continue
            lon = LON + (0.024 if p == "p1" and OUT.holds(t) else 0.0) + 1e-5 * (t // MINUTE_MS % 7)
            payload = encode.fix_payload(None, [encode.fix(t, lon, LAT, 8.0)])
            yield Message(encode.fix_topic("c", f"b-{p}"), payload.encode(), t + 500, False, False, None)


@pytest.fixture
async def history(store: Store) -> None:
    """A day lived through, judged by the usual rules and written down as the daemon does."""
    cases, settings = town(), DetectionSettings()
    await store.save_cases(cases, "test", DAY1 - DAY_MS)
    engine = Engine(cases, calendar_of(cases, ZONE), settings, FROM)
    book, kept = AlertBook(RulesSettings()), Kept()
    messages = list(said())
    whole = decode(messages, engine.city.device_no, ZONE, settings).batch
    numbers = (await store.device_numbers(engine.city.device_ids))[whole.messages.device]
    async with store.transaction() as tx:
        await tx.insert_fixes(numbers, whole.fixes, whole.messages.arrival_ms)
    waiting: list[Answered] = []
    for start in range(FROM, TO, 2 * MINUTE_MS):
        now_ms = start + 2 * MINUTE_MS - 1
        raw = [m for m in messages[:8] if m.arrival_ms <= now_ms]
        del messages[: len(raw)]
        batch = engine.set_right(decode(raw, engine.city.device_no, ZONE, settings).batch)
        batch = keep(batch, *engine.admit(batch), rest_is_known=False)
        answers = [a for a in waiting if a.at_ms <= now_ms]
        waiting = [a for a in waiting if a.at_ms > now_ms]
        for answer in answers:
            async with store.transaction() as tx:
                given = Given(answer.answer, answer.officer_id, answer.at_ms)
                assert (await tx.answer(answer.alert_id, given)).won
        moved = engine.step(batch, now_ms, resolved_by(book, answers), kept.history(engine, batch))
        kept.remember(engine, batch)
        outcome = book.advance(moved, answers, cases, now_ms)
        if outcome.lines or outcome.alerts:
            async with store.transaction() as tx:
                await tx.write_alerts(outcome.alerts)
                await tx.write_lines(outcome.lines)
        for line in outcome.lines:
            if line.paged:
                at_ms = line.at_ms + 2 * MINUTE_MS
                waiting.append(Answered(Answer.ACKNOWLEDGED, line.alert_id, "own1", at_ms))


def backtest(
    cli: CommandLine, url: str, folder: Path, cases: CaseSet, settings: str = ""
) -> dict[str, tuple[float, float, float]]:
    """Row → (then, now, change) of the table."""
    folder.mkdir(exist_ok=True)
    case_folder.write(cases, folder, ZONE)
    config = folder.parent / "monitor.toml"
    config.write_text(settings, encoding="utf-8")
    named = conninfo_to_dict(url)
    env = {"CORRECTIONS_DATABASE_URL": f"postgresql:///{named.pop('dbname')}?{urlencode(named)}"}
    result = cli.monitor(
        "--config",
        config,
        "backtest",
        "--cases",
        folder,
        "--from",
        "2026-03-02T13:30",
        "--to",
        "2026-03-03T13:30",
        env=env,
    )
    assert result.status == 0, result.err
    rows = [line.rsplit(maxsplit=3) for line in result.out.splitlines()[1:] if not line.startswith("--")]
    return {name.strip(): (float(a), float(b), float(c)) for name, a, b, c in rows}


@pytest.mark.usefixtures("history")
def test_the_same_rules_page_the_same(cli: CommandLine, database_url: str, tmp_path: Path) -> None:
    """One page, because it was answered before the chief's turn."""
    table = backtest(cli, database_url, tmp_path / "cases", town())
    assert table == dict.fromkeys(("zone.exit", "s1", "own1", "total"), (1.0, 1.0, 0.0))


@pytest.mark.usefixtures("history")
def test_a_wider_zone_would_have_paged_nobody(cli: CommandLine, database_url: str, tmp_path: Path) -> None:
    table = backtest(cli, database_url, tmp_path / "cases", town(3_000.0))
    assert table["zone.exit"] == table["own1"] == table["total"] == (1.0, 0.0, -1.0)


@pytest.mark.usefixtures("history")
def test_a_graver_silence_would_have_paged_twice(cli: CommandLine, database_url: str, tmp_path: Path) -> None:
    """Five minutes into each silence the own officer; the next post, ten minutes on, is filled by nobody."""
    settings = '[rules.severity]\n"silence.device" = "major"\n'
    table = backtest(cli, database_url, tmp_path / "cases", town(), settings)
    assert table["silence.device"] == table["s2"] == table["own2"] == (0.0, 2.0, 2.0)
    assert table["zone.exit"] == (1.0, 1.0, 0.0)
    assert table["total"] == (1.0, 3.0, 2.0)


@pytest.mark.usefixtures("history")
def test_a_longer_patience_and_another_officer(cli: CommandLine, database_url: str, tmp_path: Path) -> None:
    """Without an own officer the page goes where the ladder leads then."""
    cases = town()
    people = {**cases.people, "p1": replace(cases.people["p1"], officer_id="chief1")}
    settings = '[detection]\nsilence_min = "30m"\n[rules.severity]\n"silence.device" = "major"\n'
    table = backtest(cli, database_url, tmp_path / "cases", replace(cases, people=people), settings)
    assert "silence.device" not in table
    assert (table["own1"], table["chief1"]) == ((1.0, 0.0, -1.0), (0.0, 1.0, 1.0))
