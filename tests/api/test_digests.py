"""Daily digests over HTTP: of one's own offices, as they were sent."""

from __future__ import annotations

from dataclasses import replace

import small_city as world
from conftest import Api

from corrections_monitor.config import Config
from corrections_monitor.live.digests import DigestDesk
from corrections_monitor.model.cases import Role
from corrections_monitor.model.times import DAY_MS
from corrections_monitor.paging.channels import Ways


async def test_an_office_reads_its_own_digest_and_the_county_what_is_below(api: Api) -> None:
    for person in ("p-a1", "p-a2", "p-b1"):
        line, alert = world.violation(person)
        async with api.store.transaction() as tx:
            await tx.write_alerts([replace(alert, opened_ms=world.NOW_MS - 2 * DAY_MS)])
            await tx.write_lines([line])
    desk = DigestDesk(api.store, Config, world.cases, Ways(), api.clock)
    await desk.look()
    api.clock.now_ms += DAY_MS
    assert await desk.look() == len(world.OFFICES)
    county, station = await api.login(Role.AUDITOR, "county-a"), await api.login(Role.OFFICER, "station-a1")
    [digest] = (await county.get("/api/v1/offices/county-a/digests")).json()["items"]
    assert (digest["day"], digest["open"], digest["late"]) == ("2026-11-25", 2, True)
    assert digest["by_age"] == {"under_1d": 0, "1d_to_3d": 0, "over_3d": 2}
    assert {(o["officer_id"], o["alerts"]) for o in digest["owners"]} == {
        ("officer-station-a1", 1),
        ("officer-station-a2", 1),
    }
    [own] = (await station.get("/api/v1/offices/station-a1/digests")).json()["items"]
    assert (own["open"], [o["name"] for o in own["owners"]]) == (1, ["officer@station-a1"])
    for elsewhere in ("county-a", "station-a2", "station-b1"):
        assert (await station.get(f"/api/v1/offices/{elsewhere}/digests")).status_code == 404
