"""Random worlds of 24 hours: the engine against a plain reference, and against itself cut otherwise, judged
row by row, killed and restored.  ``--seeds=N`` worlds from ``--first=N`` on; ``--quick``: a small slice.

A world on which they disagree is made small and printed; then the benchmark fails.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections import Counter
from pathlib import Path

DETECTION = Path(__file__).parents[1] / "tests" / "detection"
HOURS = 24
SHRUNK_AT_MOST = 3  # disagreements made small: each takes a minute or more


def main() -> int:
    """0 when there is no disagreement, else 1."""
    sys.path.insert(0, str(DETECTION))
    from oracle import shrunk, told, verdict
    from worlds import world

    parser = argparse.ArgumentParser(prog="oracle")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int)
    options, _ = parser.parse_known_args()
    many = options.seeds or (20 if options.quick else 10_000)
    digest, kinds, wrong, began = hashlib.sha256(), Counter[str](), list[int](), time.monotonic()
    for done, seed in enumerate(range(options.first, options.first + many), 1):
        found = verdict(world(seed), seed)
        digest.update(found.digest.encode())
        kinds += found.count
        if found.differs:
            wrong.append(seed)
            print(
                f"seed {seed}: {found.differs}; missing {found.missing}; surplus {found.surplus}", flush=True
            )
            if len(wrong) <= SHRUNK_AT_MOST:
                small = shrunk(world(seed), lambda w, seed=seed: bool(verdict(w, seed).differs))
                print("\n".join(told(small)), flush=True)
        if done % 10 == 0 or done == many:
            each_s = (time.monotonic() - began) / done
            left_min = each_s * (many - done) / 60
            print(
                f"{done} of {many} worlds of {HOURS} h, {len(wrong)} disagree, {each_s:.1f} s each, "
                f"{left_min:.0f} min to go",
                flush=True,
            )
    told_of = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    print(f"seeds {options.first} to {options.first + many - 1}: {len(wrong)} disagree {wrong}")
    print(f"told: {told_of}\nhash {digest.hexdigest()}")
    return 1 if wrong else 0
