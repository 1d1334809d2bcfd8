"""A lost device: its secret is revoked, and it is heard no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from one_station import Band, station, write
from program import Daemon, call_well, device_passwords, wait_for


async def test_who_is_revoked_is_hung_up_on_and_let_in_no_more(
    tmp_path: Path, database_url: str, daemon: Callable[..., Daemon]
) -> None:
    call_well("import", write(station("a", "b"), tmp_path / "cases"), database_url=database_url)
    passwords = device_passwords(tmp_path, database_url)
    run = daemon(endpoint=True)
    run.start()
    lost, other = (Band(run.device_port, p, passwords[f"band-{p}"]).sender for p in ("a", "b"))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(sender.run()) for sender in (lost, other)]
        await asyncio.to_thread(wait_for, lambda: lost.connected and other.connected, "both are connected")
        call_well("credentials", "revoke", "device", "band-a", database_url=database_url)
        await asyncio.to_thread(wait_for, lambda: "refused" in lost.last_error, "it is not let in")
        assert not lost.connected
        assert other.connected
        assert other.connects == 1
        for task in tasks:
            task.cancel()
    assert run.stop() == 0
