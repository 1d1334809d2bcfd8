"""Scrape configuration and alert rules, as Prometheus itself reads them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def promtool(*arguments: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run(["promtool", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_is_sound() -> None:
    promtool("check", "config", "config/prometheus/prometheus.yml")


def test_rules_fire_when_they_should_and_only_then() -> None:
    promtool("test", "rules", "tests/prometheus_alerts.yml")
