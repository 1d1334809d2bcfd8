"""``demo`` (演示): embedded database, daemon, API, a simulated Panjin, and what happens told in the terminal.

Everything that is started is a child of this process and ends with it, however it ends; the data stay in
the state directory for the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import secrets
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corrections_monitor import cases as case_folder
from corrections_monitor import credentials
from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.demo_terminal import Terminal
from corrections_monitor.model.cases import CaseSet, Level, Role
from corrections_monitor.store import Store
from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate

DEFAULT_STATE = Path(".demo")
_QUICK = Path(__file__).with_name("demo.toml")
DEFAULT_PORT = 8080
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 10.0
_HERE = "127.0.0.1"
_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Children:
    """The processes that were started, each with a log of its own."""

    logs: Path
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
        with (self.logs / f"{name}.log").open("wb") as log:
            self.running[name] = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(environ),
                start_new_session=True,  # Ctrl-C reaches us, and we stop them in order
                preexec_fn=_die_with_parent,
            )

    async def first_to_end(self) -> str:
        """Wait until any of them ends; returns its name."""
        waits = {asyncio.create_task(p.wait()): name for name, p in self.running.items()}
        done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        return waits[done.pop()]

    async def stop(self) -> None:
        """End them, newest first, so that nobody speaks to a daemon that is gone."""
        for name in reversed(list(self.running)):
            child = self.running.pop(name)
            if child.returncode is not None:
                continue
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_WITHIN_S):
                    await child.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await child.wait()

    def last_words(self, name: str) -> str:
        lines = (self.logs / f"{name}.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def _die_with_parent() -> None:
    """A killed demo must not leave a daemon behind (prctl(2), Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def run_demo(seconds: float | None, port: int | None, people: int, config: Config) -> int:
    """The whole demo; returns the exit status."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    terminal = Terminal(sys.stdout, config.site.timezone)
    clock = SystemClock()
    began_s = clock.monotonic_s()
    state = config.state_dir if os.environ.get("CORRECTIONS_STATE_DIR") else DEFAULT_STATE
    state.mkdir(parents=True, exist_ok=True)
    terminal.say(f"embedded PostgreSQL in {state}/postgresql …")
    server = await asyncio.to_thread(EmbeddedServer.start, state / "postgresql")
    children = Children(state)
    try:
        url = server.url()
        await asyncio.to_thread(migrate, url)
        store = await Store.open(url, "owner", max_size=4)
        try:
            return await _with_store(
                store, url, state, children, terminal, stop, seconds, port, people, config, began_s
            )
        finally:
            terminal.say("stopping everything that was started …")
            await children.stop()
            await store.close()
    finally:
        await asyncio.to_thread(server.stop)
        terminal.say(f"stopped; the data stay in {state}")


async def _with_store(
    store: Store,
    url: str,
    state: Path,
    children: Children,
    terminal: Terminal,
    stop: asyncio.Event,
    seconds: float | None,
    port: int | None,
    people: int,
    config: Config,
    began_s: float,
) -> int:
    clock = SystemClock()
    terminal.say(f"a simulated Panjin of {people} people …")
    found = await _city(state, people, config)
    await store.save_cases(found, "demo", clock.wall_ms())
    logins = await _logins(store, found, state, clock)
    hook_secret = secrets.token_hex(16)
    hook = await terminal.listen_for_pages(found, hook_secret)
    device_port, run_port = _free_port(), _free_port()
    api_port = port if port is not None else _free_port(DEFAULT_PORT)
    environ = _environment(url, device_port, run_port, api_port, hook, hook_secret, state)
    program = [sys.executable, "-m", "corrections_monitor.cli"]
    quick = ["--config", str(_QUICK)]
    await children.start("run", [*program, "run", *quick], environ)
    await children.start("serve", [*program, "serve", *quick], environ)
    await terminal.wait_until_answers(
        f"http://{_HERE}:{run_port}/readyz", children.first_to_end, READY_WITHIN_S
    )
    await terminal.wait_until_answers(
        f"http://{_HERE}:{api_port}/healthz", children.first_to_end, READY_WITHIN_S
    )
    fleet = [sys.executable, "-m", "simulators", "fleet", "--cases", str(state / "cases"), "--quick"]
    fleet += ["--mqtt", f"mqtt://{_HERE}:{device_port}", "--credentials", str(state / "devices.csv")]
    fleet += ["--truth", str(state / "truth.ndjson")]
    await children.start("fleet", fleet, environ)
    terminal.ready(api_port, run_port, device_port, logins, clock.monotonic_s() - began_s)
    watching = asyncio.create_task(terminal.follow(store))
    ended = asyncio.create_task(children.first_to_end())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({ended, stopped}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    watching.cancel()
    stopped.cancel()
    if ended.done() and not stop.is_set():
        terminal.say(f"{ended.result()} ended by itself: {children.last_words(ended.result())}")
        return 1
    ended.cancel()
    terminal.summary()
    return 0


async def _city(state: Path, people: int, config: Config) -> CaseSet:
    """Write the city anew, its curfews about to begin, and read it as any case folder."""
    folder = state / "cases"
    command = ["-m", "simulators", "city", str(folder), "--people", str(people), "--quick"]
    child = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await child.communicate()
    if child.returncode != 0:
        raise RuntimeError(errors.decode(errors="replace").strip())
    return await asyncio.to_thread(case_folder.read, folder, config.site.timezone)


async def _logins(
    store: Store, found: CaseSet, state: Path, clock: SystemClock
) -> list[tuple[str, dict[str, str]]]:
    """New secrets for every device and for one officer of each kind."""
    devices = state / "devices.csv"
    devices.unlink(missing_ok=True)
    now_ms = clock.wall_ms()
    await credentials.issue_all_devices(store, devices, actor="demo", now_ms=now_ms, renew=True)
    chosen: list[tuple[str, str]] = []
    for label, role, level in (
        ("市局主管 supervisor", Role.SUPERVISOR, Level.CITY),
        ("所长 station chief", Role.CHIEF, Level.STATION),
        ("司法所 officer", Role.OFFICER, Level.STATION),
        ("管理员 admin", Role.ADMIN, None),
        ("检察 auditor", Role.AUDITOR, None),
    ):
        officer = next(
            (
                o
                for o in found.officers.values()
                if o.role is role and (level is None or found.offices[o.office_id].level is level)
            ),
            None,
        )
        if officer is not None:
            chosen.append((label, officer.officer_id))
    return [
        (label, await credentials.issue(store, "officer", officer_id, actor="demo", now_ms=now_ms))
        for label, officer_id in chosen
    ]


def _environment(
    url: str, device_port: int, run_port: int, api_port: int, hook: str, hook_secret: str, state: Path
) -> dict[str, str]:
    return {
        **os.environ,
        "CORRECTIONS_DATABASE_URL": url,
        "CORRECTIONS_DEVICE_LISTEN": f"{_HERE}:{device_port}",
        "CORRECTIONS_RUN_LISTEN": f"{_HERE}:{run_port}",
        "CORRECTIONS_HTTP_LISTEN": f"{_HERE}:{api_port}",
        "CORRECTIONS_STATE_DIR": str(state),
        "CORRECTIONS_PAGING__WEBHOOKS__TERMINAL__URL": hook,
        "CORRECTIONS_PAGING__WEBHOOKS__TERMINAL__SECRET": hook_secret,
    }


def _free_port(wished: int = 0) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HERE, wished))
        except OSError:
            probe.bind((_HERE, 0))
        return int(probe.getsockname()[1])
