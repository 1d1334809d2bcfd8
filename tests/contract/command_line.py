"""The program as its users call it: argument list, environment and files in; status, output and files out.

Starting Python with all imports takes two seconds a call.  So one process imports everything once and forks
for every call; the child then runs the installed script, as if it had just been started.  A few tests start
the script itself (:func:`script`) to hold that it is the same thing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sys.executable).parent / "corrections-monitor"

_SERVER = """
import json, os, runpy, sys
import corrections_monitor.cli
from corrections_monitor.verbs import database, folders, recordings
import simulators.city, simulators.scenario, simulators.score
for line in sys.stdin:
    call = json.loads(line)
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        for number, path in ((1, call["stdout"]), (2, call["stderr"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.environ.clear()
        os.environ.update(call["env"])
        os.chdir(call["cwd"])
        sys.argv = [call["program"], *call["argv"]]
        status = 0
        try:
            if os.path.isabs(call["program"]):
                runpy.run_path(call["program"], run_name="__main__")
            else:
                runpy.run_module(call["program"], run_name="__main__", alter_sys=True)
        except SystemExit as exit_:
            if isinstance(exit_.code, str):
                print(exit_.code, file=sys.stderr)
            status = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
        except BaseException:
            import traceback
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@dataclass(frozen=True)
class Result:
    """What a call left behind."""

    status: int
    out: str
    err: str

    @property
    def faults(self) -> list[str]:
        """The lines on standard error."""
        return self.err.splitlines()


class CommandLine:
    """Calls of ``corrections-monitor`` and ``python -m simulators``."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="corrections-contract-")
        self.home = Path(self._folder.name)
        self._server = subprocess.Popen(
            [sys.executable, "-c", _SERVER],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(10)
        self._folder.cleanup()

    def monitor(self, *argv: object, env: dict[str, str] | None = None) -> Result:
        """``corrections-monitor ARGV``."""
        return self._call(str(SCRIPT), argv, env)

    def simulators(self, *argv: object, env: dict[str, str] | None = None) -> Result:
        """``python -m simulators ARGV``."""
        return self._call("simulators", argv, env)

    def _call(self, program: str, argv: tuple[object, ...], env: dict[str, str] | None) -> Result:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        out, err = self.home / "stdout", self.home / "stderr"
        call = {
            "program": program,
            "argv": [str(word) for word in argv],
            "env": environment(self.home, env),
            "cwd": str(self.home),
            "stdout": str(out),
            "stderr": str(err),
        }
        self._server.stdin.write(json.dumps(call) + "\n")
        self._server.stdin.flush()
        status = int(self._server.stdout.readline())
        return Result(status, out.read_text("utf-8"), err.read_text("utf-8"))


def environment(home: Path, env: dict[str, str] | None) -> dict[str, str]:
    """The caller's environment without any setting of the program, and then ``env``."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CORRECTIONS_")}
    return plain | {"CORRECTIONS_STATE_DIR": str(home / "state")} | (env or {})


def script(*argv: object, cwd: Path, env: dict[str, str] | None = None) -> Result:
    """The installed script in a process of its own."""
    done = subprocess.run(
        [SCRIPT, *map(str, argv)],
        cwd=cwd,
        env=environment(cwd, env),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Result(done.returncode, done.stdout, done.stderr)
