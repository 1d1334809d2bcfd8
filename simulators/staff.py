"""Offices, officers and duty rosters of the demonstration city."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from simulators.names import names
from simulators.panjin import CITY_CODE, CITY_NAME, COUNTIES, TOWNS
from simulators.population import PLANE, Ground

COUNTY_SUPERVISORS = 4
CITY_SUPERVISORS = 3
DUTY_DAYS_BEFORE = 2
DUTY_DAYS_AFTER = 31

_HAND_OVER = "08:30"


def chief(office: str) -> str:
    """所长 of a station, 局长 of a county bureau (who approves orders)."""
    return f"chief-{office}"


def officer(station: str) -> str:
    return f"officer-{station}"


def supervisor(office: str, number: int) -> str:
    return f"supervisor-{office}-{number}"


def office_rows(ground: Ground) -> Iterator[tuple[object, ...]]:
    """Rows of offices.csv; the office_id is the division code."""
    yield CITY_CODE, "", "city", f"{CITY_NAME}司法局", CITY_CODE, "", ""
    for code, name in COUNTIES.items():
        yield code, CITY_CODE, "county", f"{name}司法局", code, "", ""
    for index, town in enumerate(TOWNS):
        lon, lat = PLANE.lonlat(float(ground.station_x[index]), float(ground.station_y[index]))
        yield town.code, town.county, "station", f"{town.name}司法所", town.code, f"{lon:.6f}", f"{lat:.6f}"


def _posts() -> Iterator[tuple[str, str, str]]:
    """officer_id, office_id, role."""
    for town in TOWNS:
        yield chief(town.code), town.code, "chief"
        yield officer(town.code), town.code, "officer"
    for county in COUNTIES:
        yield chief(county), county, "chief"
        for number in range(1, COUNTY_SUPERVISORS + 1):
            yield supervisor(county, number), county, "supervisor"
    for number in range(1, CITY_SUPERVISORS + 1):
        yield supervisor(CITY_CODE, number), CITY_CODE, "supervisor"
    yield "admin", CITY_CODE, "admin"
    yield "auditor", CITY_CODE, "auditor"


def officer_rows(channels: str, rng: np.random.Generator) -> Iterator[tuple[object, ...]]:
    """Rows of officers.csv; the username is the officer_id, which also replaces {officer} in channels."""
    posts = list(_posts())
    for (officer_id, office, role), name in zip(posts, names(len(posts), rng), strict=True):
        yield officer_id, office, name, role, officer_id, channels.replace("{officer}", officer_id)


def duty_rows(today: date) -> Iterator[tuple[object, ...]]:
    """Rows of duty.csv: turns of a day from morning to morning, in rotation, at every office."""
    rotas = [(town.code, [officer(town.code), chief(town.code)]) for town in TOWNS]
    for county in COUNTIES:
        rotas.append((county, [supervisor(county, n) for n in range(1, COUNTY_SUPERVISORS + 1)]))
    rotas.append((CITY_CODE, [supervisor(CITY_CODE, n) for n in range(1, CITY_SUPERVISORS + 1)]))
    for office, rota in rotas:
        for offset in range(-DUTY_DAYS_BEFORE, DUTY_DAYS_AFTER):
            day = today + timedelta(days=offset)
            # Days are numbered by the calendar, so that the rotation does not depend on when it is written.
            on_call = rota[day.toordinal() % len(rota)]
            yield office, on_call, f"{day}T{_HAND_OVER}", f"{day + timedelta(days=1)}T{_HAND_OVER}"
