"""Secrets: shown once, replaced at once, and the old one is worth nothing."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest

from corrections_monitor import credentials
from corrections_monitor.credentials import NoSuchHolderError
from corrections_monitor.model.cases import (
    CaseSet,
    Category,
    Device,
    DeviceKind,
    Level,
    Office,
    Officer,
    Person,
    Role,
)
from corrections_monitor.store import Store

NOW = {"actor": "root", "now_ms": 1_795_492_800_000}


@pytest.fixture
async def city(store: Store) -> Store:
    await store.save_cases(
        CaseSet(
            offices={"c": Office("c", None, Level.CITY, "市局")},
            officers={"o1": Officer("o1", "c", "李", Role.ADMIN, "li")},
            people={"p1": Person("p1", "张", Category.PROBATION, "c", "o1")},
            devices={(d, 0): Device(d, DeviceKind.BAND, "p1") for d in ("d1", "d2", "d3")},
        ),
        "test",
        1,
    )
    return store


async def test_an_officer_logs_in_with_the_username_of_the_case_folder(city: Store) -> None:
    issued = await credentials.issue(city, "officer", "o1", **NOW)
    assert issued["username"] == "li"
    assert await city.credentials.check("officer", "o1", issued["password"])


async def test_a_device_has_its_id_as_username_and_a_service_only_a_token(city: Store) -> None:
    assert (await credentials.issue(city, "device", "d1", **NOW))["username"] == "d1"
    token = await credentials.issue(city, "service", "traccar", **NOW)
    assert set(token) == {"token"}
    assert await city.credentials.find_token("service", token["token"]) == "traccar"


async def test_rotating_ends_the_old_secret_and_revoking_every_one(city: Store) -> None:
    old = await credentials.issue(city, "device", "d1", **NOW)
    new = await credentials.rotate(city, "device", "d1", **NOW)
    assert not await city.credentials.check("device", "d1", old["password"])
    assert await city.credentials.check("device", "d1", new["password"])
    assert await credentials.revoke(city, "device", "d1", **NOW) == {"revoked": "d1"}
    assert not await city.credentials.check("device", "d1", new["password"])


async def test_who_is_not_there_gets_nothing(city: Store) -> None:
    for kind, holder in (("officer", "o2"), ("device", "d9")):
        with pytest.raises(NoSuchHolderError, match=holder):
            await credentials.issue(city, kind, holder, **NOW)  # type: ignore[arg-type]
    for call in (credentials.rotate, credentials.revoke):
        with pytest.raises(NoSuchHolderError, match="d1"):
            await call(city, "device", "d1", **NOW)


async def test_all_devices_at_once_into_a_file_of_ones_own(city: Store, tmp_path: Path) -> None:
    await credentials.issue(city, "device", "d2", **NOW)
    file = tmp_path / "devices.csv"
    assert await credentials.issue_all_devices(city, file, **NOW) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open(encoding="utf-8", newline="") as text:
        found = {row["username"]: row["password"] for row in csv.DictReader(text)}
    assert set(found) == {"d1", "d3"}
    assert await city.credentials.check("device", "d3", found["d3"])
    with pytest.raises(FileExistsError):
        await credentials.issue_all_devices(city, file, **NOW, renew=True)
    assert await city.credentials.check("device", "d3", found["d3"])
    assert await credentials.issue_all_devices(city, tmp_path / "again.csv", **NOW, renew=True) == 3
    assert not await city.credentials.check("device", "d3", found["d3"])
