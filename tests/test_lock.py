"""The lock files hold what pyproject asks for, each release by its hashes, from no index in particular."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
ASKED = {
    "runtime.txt": PROJECT["dependencies"],
    "dev.txt": [*PROJECT["dependencies"], *EXTRAS["embedded"], *EXTRAS["dev"]],
}


def locked(file: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / file).read_text("utf-8")
    return {canonicalize_name(n): v for n, v in re.findall(r"^([\w.-]+)==(\S+)", lines, re.M)}


@pytest.mark.parametrize("file", ASKED)
def test_the_lock_satisfies_the_project(file: str) -> None:
    pins = locked(file)
    for text in ASKED[file]:
        asked = Requirement(text)
        name = canonicalize_name(asked.name)
        if name != "corrections-monitor":
            assert name in pins, f"{text}: not locked; run make lock"
            assert asked.specifier.contains(pins[name], prereleases=True), (
                f"{text}: locked {pins[name]}; run make lock"
            )


@pytest.mark.parametrize("file", ASKED)
def test_every_release_is_held_by_hashes(file: str) -> None:
    text = (ROOT / "requirements" / file).read_text("utf-8")
    releases = re.split(r"\n(?=\w)", text)[1:]
    assert len(releases) == len(locked(file))
    assert all("--hash=sha256:" in release for release in releases)
    assert not re.search(r"index-url|find-links|https?://|file:", text)


def test_tests_run_what_is_deployed() -> None:
    assert locked("runtime.txt").items() <= locked("dev.txt").items()
