"""Random worlds of 24 hours: the engine against a plain reference, and against itself cut otherwise, judged
row by row, killed and restored.

10,000 worlds take hours, so they may be judged in pieces: a run goes on where the one before was broken
off, as long as neither engine nor reference nor worlds have changed since; what it found is written down as
it goes.  ``--seeds=N``: no more than so many this time; ``--anew``: from the first one; ``--processes=N`` at
a time (as many as there are cores); ``--quick``: a small slice, which is kept apart.

A world on which they disagree is made small and printed; then the benchmark fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, Row, report

ROOT = Path(__file__).parents[1]
DETECTION = ROOT / "tests" / "detection"
HOURS = 24
WHOLE = 10_000  # seeds
SHRUNK_AT_MOST = 3  # disagreements made small: each takes a minute or more


def judged(seed: int) -> Any:
    """The verdict on the world of a seed."""
    sys.path.insert(0, str(DETECTION))
    from oracle import verdict
    from worlds import world

    return verdict(world(seed), seed)


def small(seed: int) -> Iterator[str]:
    """The story on which they disagree, as small as it can be made."""
    from oracle import shrunk, told, verdict
    from worlds import world

    yield from told(shrunk(world(seed), lambda w: bool(verdict(w, seed).differs)))


@dataclass
class Judged:
    """What was found of the worlds 0 to ``worlds`` - 1 by the sources whose hash is ``of``; ``hash`` is of
    all that the engine told, in order."""

    of: str
    worlds: int = 0
    hash: str = ""
    told: dict[str, int] = field(default_factory=dict)
    wrong: list[int] = field(default_factory=list)

    def add(self, seed: int, found: Any) -> None:
        """One more world."""
        self.worlds = seed + 1
        self.hash = hashlib.sha256(f"{self.hash} {found.digest}".encode()).hexdigest()
        self.told = dict(sorted((Counter(self.told) + found.count).items()))
        self.wrong += [seed] if found.differs else []

    def report(self, name: str) -> None:
        """Print it and write it down."""
        rows = [
            Row(
                "random worlds of 24 h judged twice over", "worlds", [self.worlds], WHOLE, extra=asdict(self)
            ),
            Row("of them engine and reference disagree on", "worlds", [len(self.wrong)], 0, at_most=True),
        ]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        report(name, rows, date=now, packages=("numpy", "shapely"))


def sources() -> str:
    """The hash of everything that a verdict hangs on."""
    package = ROOT / "src" / "corrections_monitor"
    found = [p for room in ("model", "geofence", "detection") for p in (package / room).rglob("*.py")]
    found += [package / "replay.py", package / "live" / "codec.py"]
    found += [p for p in DETECTION.rglob("*.py") if not p.name.startswith("test_")]
    total = hashlib.sha256()
    for path in sorted(found):
        total.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return total.hexdigest()


def _so_far(name: str) -> Judged:
    path, of = RESULTS / f"{name}.json", sources()
    before = json.loads(path.read_text(encoding="utf-8"))["rows"][0]["extra"] if path.exists() else {}
    return Judged(**before) if before.get("of") == of else Judged(of)


def main() -> int:
    """0 when there is no disagreement, else 1."""
    parser = argparse.ArgumentParser(prog="oracle")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options, _ = parser.parse_known_args()
    name = "oracle-quick" if options.quick else "oracle"
    judged_so_far = Judged(sources()) if options.anew or options.quick else _so_far(name)
    first = judged_so_far.worlds
    most = options.seeds or (20 if options.quick else WHOLE)
    seeds = range(first, first + min(most, WHOLE - first))
    print(f"worlds {first} to {seeds.stop - 1}", flush=True)
    began = time.monotonic()
    sys.path.insert(0, str(DETECTION))
    with Pool(options.processes) as pool:
        for seed, found in zip(seeds, pool.imap(judged, seeds), strict=True):
            judged_so_far.add(seed, found)
            if found.differs:
                said = f"{found.differs}; missing {found.missing}; surplus {found.surplus}"
                print(f"seed {seed}: {said}", flush=True)
                if len(judged_so_far.wrong) <= SHRUNK_AT_MOST:
                    print("\n".join(small(seed)), flush=True)
            _progress(seed + 1 - first, len(seeds), len(judged_so_far.wrong), began)
            if (seed + 1) % 100 == 0:
                judged_so_far.report(name)
    judged_so_far.report(name)
    return 1 if judged_so_far.wrong else 0


def _progress(done: int, many: int, wrong: int, began: float) -> None:
    if done % 10 and done != many:
        return
    each_s = (time.monotonic() - began) / done
    left_min = each_s * (many - done) / 60
    how_far = f"{done} of {many} worlds of {HOURS} h, {wrong} disagree"
    print(f"{how_far}, {each_s:.1f} s each, {left_min:.0f} min to go", flush=True)
