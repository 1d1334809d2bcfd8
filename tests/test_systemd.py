"""The units, as systemd itself judges them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parent.parent / "systemd").glob("*.service"))
EXPOSURE_MAX = 1.5


def analyzed(*arguments: str) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, check=False
    )
    text = done.stdout + done.stderr
    if "unrecognized option" in text:
        pytest.skip("systemd-analyze is older than version 250")
    return text


def test_there_is_a_unit_for_each_process() -> None:
    assert [unit.name for unit in UNITS] == ["corrections-monitor-api.service", "corrections-monitor.service"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unit_is_hardened(unit: Path) -> None:
    text = analyzed("security", "--offline=true", str(unit))
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", text)
    assert exposure is not None, text
    assert float(exposure[1]) <= EXPOSURE_MAX


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unit_has_no_mistakes(unit: Path) -> None:
    complaints = [
        line
        for line in analyzed("verify", str(unit)).splitlines()
        # The program is not installed where the tests run; other units of the machine are not ours.
        if unit.name in line and "is not executable" not in line
    ]
    assert not complaints


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_hang_is_noticed_and_nothing_stays_down(unit: Path) -> None:
    lines = unit.read_text("utf-8").splitlines()
    for needed in ("Type=notify", "WatchdogSec=30", "Restart=always", "StartLimitIntervalSec=0"):
        assert needed in lines
