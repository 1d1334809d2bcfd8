"""The page that loads everything else."""

from __future__ import annotations

import re
from pathlib import Path

from console_world import ROOT

CONSOLE = ROOT / "src/corrections_monitor/console"


def needed(module: Path) -> set[Path]:
    """What a module imports, directly or not, itself among it."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        names = re.findall(r'^(?:import|export)[^;]*?from "(\.[^"]+)"', file.read_text("utf-8"), re.M)
        waiting += [(file.parent / name).resolve() for name in names]
    return found


def test_what_the_start_needs_is_asked_for_at_once() -> None:
    """Else the first paint waits for one round trip after another."""
    page = (CONSOLE / "index.html").read_text("utf-8")
    preloaded = re.findall(r'<link rel="modulepreload" href="console/([^"]+)">', page)
    wanted = {str(file.relative_to(CONSOLE)) for file in needed(CONSOLE / "main.js")} - {"main.js"}
    assert sorted(preloaded) == sorted(wanted)
