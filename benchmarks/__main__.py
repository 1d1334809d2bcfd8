"""Runs the benchmarks one after another, each in a process of its own: ``make bench ARGS="store --quick"``.

A benchmark is a module of this folder with a ``main()``; names choose some, all else is passed on.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The modules of this folder that have a ``main``."""
    return [
        path.stem
        for path in sorted(FOLDER.glob("[!_]*.py"))
        if any(
            isinstance(n, ast.FunctionDef) and n.name == "main"
            for n in ast.parse(path.read_text("utf-8")).body
        )
    ]


def main() -> int:
    """0 when every benchmark ran and met what it promises, else 1; 2 for an unknown name."""
    available = names()
    chosen = [a for a in sys.argv[1:] if not a.startswith("-")]
    options = [a for a in sys.argv[1:] if a.startswith("-")]
    for unknown in sorted(set(chosen) - set(available)):
        print(
            f"benchmarks: no benchmark {unknown!r}: expected some of {', '.join(available)}", file=sys.stderr
        )
        return 2
    failed = []
    for name in chosen or available:
        print(f"\n== {name}", flush=True)
        run = f"import sys; from benchmarks.{name} import main; sys.exit(main())"
        if subprocess.run([sys.executable, "-c", run, *options], check=False, cwd=FOLDER.parent).returncode:
            failed.append(name)
    if failed:
        print(f"benchmarks: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
