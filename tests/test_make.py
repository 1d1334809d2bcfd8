"""The make targets, without running them: what is passed on, and that a space in the path does no harm."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TARGETS = ("setup", "demo", "test", "chaos", "console", "bench", "lint", "sbom", "wheelhouse", "deb")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    there = tmp_path / "a folder"
    there.mkdir()
    shutil.copy(ROOT / "Makefile", there)
    return there


def make(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_make_alone_lists_the_targets(folder: Path) -> None:
    listed = make(folder)
    assert all(f"make {target}\t" in listed for target in TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_sets_up_first(folder: Path, target: str) -> None:
    first = make(folder, "-n", target).splitlines()[0]
    assert first.split()[0] == ".ci/setup"


@pytest.mark.parametrize("target", ["demo", "test", "bench"])
def test_arguments_are_passed_on(folder: Path, target: str) -> None:
    last = make(folder, "-n", target, "ARGS=--for 60s --port 8080").splitlines()[-1]
    assert last.startswith("exec .venv/bin/")
    assert last.endswith(" --for 60s --port 8080")


def test_the_scripts_are_sound() -> None:
    scripts = [ROOT / ".ci" / "setup", ROOT / ".ci" / "run", *(ROOT / "packaging").glob("[!d]*")]
    scripts += [ROOT / "packaging" / "deb", *(ROOT / "packaging" / "debian").glob("p*")]
    assert len(scripts) == 8
    for script in scripts:
        subprocess.run(["bash", "-n", str(script)], check=True)
