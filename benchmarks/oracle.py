"""Random worlds of 24 hours: the engine against a plain reference, and against itself cut otherwise, judged
row by row, killed and restored.  ``--seeds=N`` worlds from ``--first=N`` on, ``--processes=N`` at a time (as
many as there are cores); ``--quick``: a small slice.

A world on which they disagree is made small and printed; then the benchmark fails.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from benchmarks.report import Row, report

DETECTION = Path(__file__).parents[1] / "tests" / "detection"
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


def main() -> int:
    """0 when there is no disagreement, else 1."""
    parser = argparse.ArgumentParser(prog="oracle")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options, _ = parser.parse_known_args()
    many = options.seeds or (20 if options.quick else WHOLE)
    digest, kinds, wrong, began = hashlib.sha256(), Counter[str](), list[int](), time.monotonic()
    seeds = range(options.first, options.first + many)
    sys.path.insert(0, str(DETECTION))
    with Pool(options.processes) as pool:
        for done, (seed, found) in enumerate(zip(seeds, pool.imap(judged, seeds), strict=True), 1):
            digest.update(found.digest.encode())
            kinds += found.count
            if found.differs:
                wrong.append(seed)
                print(
                    f"seed {seed}: {found.differs}; missing {found.missing}; surplus {found.surplus}",
                    flush=True,
                )
                if len(wrong) <= SHRUNK_AT_MOST:
                    print("\n".join(small(seed)), flush=True)
            _progress(done, many, len(wrong), began)
    told_of = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    print(f"seeds {options.first} to {options.first + many - 1}: {len(wrong)} disagree {wrong}")
    print(f"told: {told_of}\nhash {digest.hexdigest()}")
    about = {
        "first": options.first,
        "hash": digest.hexdigest(),
        "told": dict(sorted(kinds.items())),
        "wrong": wrong,
    }
    rows = [
        Row("random worlds of 24 h judged twice over", "worlds", [many], WHOLE, extra=about),
        Row("of them engine and reference disagree on", "worlds", [len(wrong)], 0, at_most=True),
    ]
    name = "oracle-quick" if options.quick else "oracle"
    report(name, rows, date=datetime.now(UTC).isoformat(timespec="seconds"), packages=("numpy", "shapely"))
    return 1 if wrong else 0


def _progress(done: int, many: int, wrong: int, began: float) -> None:
    if done % 10 and done != many:
        return
    each_s = (time.monotonic() - began) / done
    left_min = each_s * (many - done) / 60
    how_far = f"{done} of {many} worlds of {HOURS} h, {wrong} disagree"
    print(f"{how_far}, {each_s:.1f} s each, {left_min:.0f} min to go", flush=True)
