"""What an officer is told of a page: read from the database at the moment of sending."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from by_hand import claim
from outgoing import MANNER, Outgoing
from receivers import RunningClock
from town import T0, TOWN, an_episode, opened

from corrections_monitor.links import Link, read_link
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.alerts import Answer
from corrections_monitor.model.cases import Area, Circle, Device, DeviceKind, Zone, ZoneKind
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import Fixes
from corrections_monitor.model.times import ALWAYS
from corrections_monitor.paging.channels import Ways
from corrections_monitor.paging.notices import Notices
from corrections_monitor.store import Store
from corrections_monitor.store.answers import Given
from corrections_monitor.store.links import link_key

RING = ((122.0, 41.0), (122.2, 41.0), (122.2, 41.2), (122.0, 41.2), (122.0, 41.0))
ZONES = {
    "home": Zone("home", "姓名p1住所", ZoneKind.INCLUSION, "p1", Circle(122.05, 41.1, 150.0)),
    "district": Zone("district", "双台子区辖区", ZoneKind.INCLUSION, "k1", Area(((RING,),))),
    "others": Zone("others", "别人家", ZoneKind.INCLUSION, "p2", Circle(122.06, 41.1, 150.0)),
}


async def test_a_page_tells_the_place_in_words_and_links_to_the_alert(
    store: Store, database_url: str, clock: RunningClock
) -> None:
    outgoing = Outgoing(store, database_url, clock, Metrics())
    band = Device("band-1", DeviceKind.BAND, "p1")
    await store.save_cases(replace(TOWN, devices={("band-1", ALWAYS.from_ms): band}, zones=ZONES), "test", T0)
    (alert_id,) = await outgoing.decide(opened(an_episode(Kind.ZONE_EXIT)), ways=Ways(mqtt=True))
    await store_fix(store, "band-1", T0 - 60_000, 122.0602, 41.1078)
    (claimed, *_) = await claim(store.outbox, clock.wall_ms(), 4, 30_000)
    notice = await Notices(store, MANNER, clock).of([claimed])
    rows = dict(row.split("：", 1) for row in notice.text.body.splitlines())
    assert rows["位置"].startswith("双台子区辖区，“姓某某某住所”东北方向 1.2 公里（15:59 定位，1 分钟前")
    assert "查看" not in rows
    base, token = rows["查看并确认（限本人）"].rsplit("/", 1)
    assert base == "https://jz.example.cn/a"
    link = read_link(await link_key(store, T0), token)
    assert link == Link(alert_id, claimed.page.officer_id, claimed.page.due_ms + MANNER.link_expires_ms)


async def test_who_is_told_that_others_have_it_gets_a_link_to_read_and_a_name(
    store: Store, database_url: str, clock: RunningClock
) -> None:
    outgoing = Outgoing(store, database_url, clock, Metrics())
    (alert_id,) = await outgoing.decide(opened(an_episode(Kind.ZONE_EXIT)), ways=Ways(mqtt=True))
    async with store.transaction() as tx:
        at_ms = clock.wall_ms()
        assert (await tx.answer(alert_id, Given(Answer.ACKNOWLEDGED, "duty1", at_ms))).won
        assert not (await tx.answer(alert_id, Given(Answer.ACKNOWLEDGED, "duty2", at_ms))).won
        await tx.tell_beaten(alert_id, "duty2", "mqtt", "topic", at_ms)
    (claimed,) = await claim(store.outbox, clock.wall_ms(), 4, 30_000)
    notice = await Notices(store, MANNER, clock).of([claimed])
    rows = dict(row.split("：", 1) for row in notice.text.body.splitlines())
    assert rows["说明"] == "该警情已由 Duty1 接手，您不必处理。"
    assert rows["查看"] == f"https://jz.example.cn/#/board?alert={alert_id}"


async def store_fix(store: Store, device_id: str, t_ms: int, lon: float, lat: float) -> None:
    """One GNSS fix, stored as the daemon stores it."""
    fixes = Fixes(
        message=np.zeros(1, np.int64),
        t_ms=np.array([t_ms]),
        lon=np.array([lon]),
        lat=np.array([lat]),
        acc_m=np.array([8.0], np.float32),
        spd_mps=np.array([1.5], np.float32),
        hdg_deg=np.full(1, np.nan, np.float32),
        src=np.zeros(1, np.uint8),
    )
    async with store.transaction() as tx:
        await tx.insert_fixes(await store.device_numbers([device_id]), fixes, np.array([t_ms]))
