"""``python -m simulators city DIR``: the case folder of a simulated Panjin of any size, from a seed.

Names of things, which other simulators and tests may rely on:

| thing | id |
|---|---|
| offices | the division code: city ``211100``, counties ``211102`` …, stations ``211102002`` … |
| officers (= usernames) | ``officer-<station>``, ``chief-<office>``, ``supervisor-<office>-<n>``, … |
| people | ``P00001`` …; protected persons ``V00001`` … |
| devices | ``band-<person>``, ``phone-<person>``; protected persons have a phone |
| orders | ``order-<person>-1``, its extension ``order-<person>-2`` |
| leaves | ``leave-<person>`` |
| zone ``county-<office>`` | the district, always; applies to the county's office |
| zone ``home-<person>`` | everyone's home: a curfew where it has a schedule, else for nobody |
| zone ``work-<person>`` | where the person works, if so; for nobody unless in the group ``day-<person>`` |
| zone ``dayhome-<person>`` | the home again, in the group ``day-<person>``: home or work in working hours |
| zone ``forbid-<person>-<n>`` | a place forbidden to this person alone |
| zone ``site-<office>-<n>`` | a school forbidden to everyone of the county |
| zone ``visit-<person>`` | where a leave leads; for nobody |

Everyone obeys all of it when at home or at work.  ``--quick`` is the demonstration's city: every device
reports every 10 s, and curfews begin within a minute and a half of the start.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from corrections_monitor.cases.layout import TABLES, ZONES_FILE
from corrections_monitor.cases.writer import write_features
from corrections_monitor.clock import SystemClock
from corrections_monitor.model.times import MINUTE_MS, from_ms, parse_time
from simulators.city_people import CityPeople
from simulators.city_zones import zone_features
from simulators.holidays import holiday_rows
from simulators.population import draw_ground, draw_population
from simulators.staff import duty_rows, office_rows, officer_rows

ZONE = ZoneInfo("Asia/Shanghai")
PEOPLE_DEFAULT = 600

_CURFEWS = (
    [{"days": "Mo-Su", "from": "22:00", "to": "06:00"}],
    [{"days": "Mo-Su", "from": "20:30", "to": "05:30"}],
    [{"days": "Su-Th", "from": "21:30", "to": "06:00"}, {"days": "Fr-Sa", "from": "23:00", "to": "07:00"}],
)
_CURFEW_SHARE = 0.6
_QUICK_CURFEW_SHARE = 0.35
_QUICK_CURFEW_MS = 8 * 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class CityPlan:
    """What city to write.  ``channels``: Apprise URLs for every officer, with {officer} for the id."""

    start_ms: int
    people: int = PEOPLE_DEFAULT
    seed: int = 1
    quick: bool = False
    channels: str = ""


def write_city(folder: Path, plan: CityPlan) -> None:
    """Write the case folder, a row at a time.  The same plan gives the same bytes."""
    rng = np.random.default_rng(plan.seed)
    today = from_ms(plan.start_ms, ZONE).date()
    curfews = [_quick_curfew(plan.start_ms)] if plan.quick else list(_CURFEWS)
    share = _QUICK_CURFEW_SHARE if plan.quick else _CURFEW_SHARE
    ground = draw_ground(rng)
    population = draw_population(plan.people, ground, len(curfews), share, rng)
    people = CityPeople(population, ground, today, plan.quick, rng)

    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Iterable[tuple[object, ...]]] = {
        "offices": office_rows(ground),
        "officers": officer_rows(plan.channels, rng),
        "duty": duty_rows(today),
        "holidays": holiday_rows(),
        "people": people.person_rows(),
        "devices": people.device_rows(),
        "orders": people.order_rows(),
        "leaves": people.leave_rows(),
        "suspensions": people.suspension_rows(),
        "contacts": people.contact_rows(),
    }
    for table, table_rows in rows.items():
        with (folder / TABLES[table].file).open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(TABLES[table].names)
            out.writerows(table_rows)
    with (folder / ZONES_FILE).open("w", encoding="utf-8") as file:
        write_features(zone_features(people, curfews, rng), file)


def _quick_curfew(start_ms: int) -> list[dict[str, str]]:
    """From the whole minute nearest to one minute after the start, for eight hours, every day."""
    begins_ms = round((start_ms + MINUTE_MS) / MINUTE_MS) * MINUTE_MS
    begins, ends = (f"{from_ms(t, ZONE):%H:%M}" for t in (begins_ms, begins_ms + _QUICK_CURFEW_MS))
    return [{"days": "Mo-Su", "from": begins, "to": ends}]


def register(subparsers: Any) -> None:
    """Add the verb ``city``."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "city", help="write the case folder of a simulated city"
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--people", type=int, default=PEOPLE_DEFAULT, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--quick", action="store_true", help="reports every 10 s, curfews a minute after the start"
    )
    parser.add_argument("--start", metavar="TIME", help="ISO 8601 or epoch milliseconds (default: now)")
    parser.add_argument(
        "--channels", default="", metavar="URLS", help="Apprise URLs of every officer; {officer} is the id"
    )
    parser.set_defaults(run=run)


def run(called: argparse.Namespace) -> int:
    """Write the city that the command line asks for."""
    try:
        start_ms = parse_time(called.start, ZONE) if called.start else SystemClock().wall_ms()
    except ValueError as error:
        print(f"city: --start: {error}", file=sys.stderr)
        return 2
    if called.people < 1 or called.seed < 0:
        print("city: --people must be at least 1 and --seed at least 0", file=sys.stderr)
        return 2
    plan = CityPlan(start_ms, called.people, called.seed, called.quick, called.channels)
    write_city(called.folder, plan)
    print(f"{called.folder}: {plan.people} people, seed {plan.seed}")
    return 0
