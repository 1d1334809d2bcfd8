"""Passwords for a delivery of devices at once, and slips to hand out with them."""

from __future__ import annotations

import asyncio
import csv
import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from psycopg import conninfo

from corrections_monitor.cli import main
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
from corrections_monitor.slips import Slip, code_text, slips_pdf
from corrections_monitor.store import Store

BANDS = [f"B-{n:06d}" for n in range(1, 11)]
ADDRESS = "mqtts://jz.panjin.example.cn:8883"


@pytest.fixture
def city(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ten bands and a phone at two stations."""

    async def fill() -> None:
        store = await Store.open(database_url, "owner")
        offices = {
            "c": Office("c", None, Level.CITY, "盘锦市司法局"),
            "s1": Office("s1", "c", Level.STATION, "兴隆台司法所"),
            "s2": Office("s2", "c", Level.STATION, "大洼司法所"),
        }
        people = {
            f"p{n}": Person(f"p{n}", f"王{n}", Category.PROBATION, f"s{1 + n % 2}", "o") for n in range(11)
        }
        devices = {(d, 0): Device(d, DeviceKind.BAND, f"p{n}") for n, d in enumerate(BANDS)}
        devices["手机 7/8", 0] = Device("手机 7/8", DeviceKind.PHONE, "p10")
        officers = {"o": Officer("o", "c", "李", Role.ADMIN, "li")}
        await store.save_cases(
            CaseSet(offices=offices, officers=officers, people=people, devices=devices), "test", 1
        )
        await store.close()

    asyncio.run(fill())
    parts = conninfo.conninfo_to_dict(database_url)
    url = f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}"
    monkeypatch.setenv("CORRECTIONS_DATABASE_URL", url)
    return database_url


def scanned(pdf: Path, folder: Path) -> list[set[str]]:
    """What the codes on each page say, as a scanner reads them off the printed page."""
    for command in ("pdftoppm", "zbarimg"):
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not installed")
    subprocess.run(["pdftoppm", "-r", "300", "-gray", "-png", str(pdf), str(folder / "page")], check=True)
    return [
        set(
            subprocess.run(
                ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(page)],
                capture_output=True, check=True,
            ).stdout.decode().split("\n")
        ) - {""}
        for page in sorted(folder.glob("page*.png"))
    ]  # fmt: skip


def issue(*arguments: str) -> int:
    return main(["credentials", "issue", "device", *arguments])


def test_a_delivery_gets_passwords_and_slips_whose_codes_say_the_same(
    city: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passwords, slips = tmp_path / "passwords.csv", tmp_path / "slips.pdf"
    assert issue("--all-devices", str(passwords), "--slips", str(slips), "--address", ADDRESS) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"file": str(passwords), "devices": 11, "slips": str(slips)}
    assert [stat.S_IMODE(file.stat().st_mode) for file in (passwords, slips)] == [0o600, 0o600]
    with passwords.open(encoding="utf-8", newline="") as text:
        issued = {row["username"]: row["password"] for row in csv.DictReader(text)}
    host = ADDRESS.removeprefix("mqtts://")
    expected = {f"mqtts://{device}:{issued[device]}@{host}" for device in BANDS}
    expected.add(f"mqtts://%E6%89%8B%E6%9C%BA%207%2F8:{issued['手机 7/8']}@{host}")
    pages = scanned(slips, tmp_path)
    assert [len(page) for page in pages] == [8, 3]
    assert set.union(*pages) == expected
    # A second time nobody is without one, and what was written is not written over.
    assert issue("--all-devices", str(passwords)) == 1
    assert (
        issue("--all-devices", str(tmp_path / "more.csv"), "--slips", str(slips), "--address", ADDRESS) == 1
    )
    assert not (tmp_path / "more.csv").exists()


def test_only_those_of_a_list_and_all_its_faults_at_once(
    city: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed, passwords = tmp_path / "list.csv", tmp_path / "passwords.csv"
    listed.write_text(f"\ufeffnote,device_id\nx,{BANDS[3]}\ny,X-1\nz,X-2\n", "utf-8")
    slips = ("--slips", str(tmp_path / "slips.pdf"), "--address", ADDRESS)
    assert issue("--all-devices", str(passwords), "--of", str(listed), *slips) == 1
    assert capsys.readouterr().err == "device X-1: bound to nobody\ndevice X-2: bound to nobody\n"
    assert {file.name for file in tmp_path.iterdir()} == {"list.csv"}
    listed.write_text(f"device_id\n{BANDS[3]}\n", "utf-8")
    assert issue("--all-devices", str(passwords), "--of", str(listed), *slips) == 0
    assert [line.partition(",")[0] for line in passwords.read_text().splitlines()] == ["username", BANDS[3]]


@pytest.mark.parametrize(
    "wrong",
    [
        ("B-000001", "--slips", "x.pdf", "--address", ADDRESS),
        ("--all-devices", "x.csv", "--slips", "x.pdf"),
        ("--all-devices", "x.csv", "--slips", "x.pdf", "--address", "jz.example.cn"),
        ("--all-devices", "x.csv", "--slips", "x.pdf", "--address", "mqtts://u:p@jz.example.cn:8883"),
    ],
)
def test_a_wrong_call_is_one_line(
    wrong: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert issue(*wrong) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_slip_of_a_long_name_stays_readable(tmp_path: Path) -> None:
    slip = Slip("B" * 60, "p" * 43, "手环", "盘锦市兴隆台区司法局渤海街道司法所")
    (tmp_path / "one.pdf").write_bytes(slips_pdf([slip], ADDRESS, "2026-11-27"))
    assert scanned(tmp_path / "one.pdf", tmp_path) == [{code_text(slip, ADDRESS)}]
