"""The geofence asked of PostGIS: the server named by ``CORRECTIONS_BENCH_POSTGIS_URL``, else Debian's.

Zones lie in a table with a GiST index, fixes in one of their own; what is timed is the CPU of the one backend
that counts who is inside.  On a server elsewhere it is the time it takes.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray

from benchmarks.report import Row
from benchmarks.whole import cpu_s

URL = "CORRECTIONS_BENCH_POSTGIS_URL"
DEBIAN = Path("/usr/lib/postgresql")
CONTROL = "/usr/share/postgresql/{}/extension/postgis.control"
TABLES = """
CREATE EXTENSION IF NOT EXISTS postgis;
SET max_parallel_workers_per_gather = 0;
CREATE TEMPORARY TABLE zones (zone int, shape geometry(Geometry, 4326));
CREATE TEMPORARY TABLE pairs (zone int, place geometry(Point, 4326));
CREATE TEMPORARY TABLE fixes (place geometry(Point, 4326));
"""
WAYS = {
    "PostGIS, pair by pair": "pairs JOIN zones USING (zone) WHERE ST_Contains(shape, place)",
    "PostGIS, a GiST index of all zones": "fixes JOIN zones ON ST_Contains(shape, place)",
}


class NoPostgisError(Exception):
    """There is none; the message says why."""


@contextmanager
def server() -> Iterator[str]:
    """The URL of a server that has PostGIS.  Raises NoPostgisError."""
    if url := os.environ.get(URL):
        yield url
        return
    found = [f for f in DEBIAN.glob("[0-9]*") if Path(CONTROL.format(f.name)).exists()]
    if not found:
        raise NoPostgisError(f"apt install postgresql-15-postgis-3, or set {URL}")
    binaries = max(found, key=lambda f: int(f.name)) / "bin"
    account = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to be root's
    with tempfile.TemporaryDirectory(prefix="postgis-", dir="/tmp") as made:
        folder = Path(made)
        if account:
            subprocess.run(["chown", account, made], check=True)

        def ran(*command: str) -> None:
            subprocess.run(command, check=True, cwd=made, user=account, stdout=subprocess.DEVNULL)

        data, control = str(folder / "data"), str(binaries / "pg_ctl")
        ran(str(binaries / "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--no-sync")
        options = f"-k {made} -h '' -c shared_buffers=512MB -c work_mem=256MB -c temp_buffers=512MB"
        ran(control, "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={made}"
        finally:
            ran(control, "-D", data, "-w", "-m", "immediate", "stop")


def asked(
    geometries: NDArray[np.object_],
    zone: NDArray[np.int32],
    places: NDArray[np.object_],
    fixes: NDArray[np.object_],
    repeats: int,
) -> list[Row]:
    """Fixes a second of either way; none where no server is found.

    ``places[n]`` is compared with ``geometries[zone[n]]``; ``fixes`` are the same places, each once.
    """
    try:
        with server() as url, psycopg.connect(url) as connection:
            connection.execute(TABLES)
            shapes = shapely.to_wkb(geometries, hex=True, include_srid=True).tolist()
            _copy(connection, "zones", list(zip(range(len(shapes)), shapes, strict=True)))
            points = shapely.to_wkb(places, hex=True).tolist()
            _copy(connection, "pairs", list(zip(zone.tolist(), points, strict=True)))
            _copy(connection, "fixes", [(p,) for p in shapely.to_wkb(fixes, hex=True).tolist()])
            connection.execute("CREATE INDEX ON zones USING gist (shape); CREATE INDEX ON zones (zone)")
            connection.execute("ANALYZE zones; ANALYZE pairs; ANALYZE fixes")
            return [
                Row(what, "fixes/s", [len(fixes) / _seconds(connection, joined) for _ in range(repeats)])
                for what, joined in WAYS.items()
            ]
    except NoPostgisError as reason:
        print(f"geofence: PostGIS is left out: {reason}")
        return []


def _copy(connection: psycopg.Connection, table: str, rows: list[tuple[object, ...]]) -> None:
    with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _seconds(connection: psycopg.Connection, joined: str) -> float:
    """CPU seconds of the backend, or seconds by the clock where it is on another machine."""
    backend = connection.info.backend_pid
    began_s, before_s = time.monotonic(), cpu_s(backend)
    connection.execute(f"SELECT count(*) FROM {joined}")
    return (cpu_s(backend) - before_s) or (time.monotonic() - began_s)
