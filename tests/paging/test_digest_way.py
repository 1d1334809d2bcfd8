"""The daily digest on its way: once an office and day, late after an absence, through the outbox."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from by_hand import claim
from outgoing import MANNER, Outgoing, quick
from receivers import HttpReceiver
from town import T0, TOWN, an_episode, opened

from corrections_monitor.config import Config, DutyDesk
from corrections_monitor.live.digests import DigestDesk
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.alerts import Purpose
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import DAY_MS, HOUR_MS
from corrections_monitor.paging.by_apprise import AppriseChannel
from corrections_monitor.paging.channels import APPRISE, Ways
from corrections_monitor.paging.notices import Notices
from corrections_monitor.store import Store
from corrections_monitor.store.api_digests import newest_digests
from corrections_monitor.store.outbox import PageState

DUE_AT_MS = 17 * HOUR_MS  # an hour after T0, which is 16:00 at the site
OFFICES = 4  # with somebody to read


@dataclass
class StandingClock:
    now_ms: int = T0

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic_s(self) -> float:
        return self.now_ms / 1_000


def desk(
    store: Store,
    clock: StandingClock,
    digest_ms: int | None = DUE_AT_MS,
    *,
    mqtt: bool = False,
    cases: CaseSet = TOWN,
) -> DigestDesk:
    config = replace(Config(), duty=DutyDesk(digest_ms=digest_ms))
    return DigestDesk(store, lambda: config, lambda: cases, Ways(mqtt=mqtt, webhooks=("platform",)), clock)


async def counted(store: Store, sql: str) -> int:
    async with store.seeing(["*"]) as connection:
        row = await (await connection.execute(sql)).fetchone()
    assert row is not None
    return int(row[0])


async def days_of(store: Store, office: str) -> list[str]:
    return [digest.day for digest in await newest_digests(store, ["*"], office, 10)]


async def test_it_goes_once_a_day_whoever_looks_however_often(store: Store) -> None:
    await store.save_cases(TOWN, "test", T0)
    clock = StandingClock()
    assert await desk(store, clock).look() == 0  # the first daemon begins with what is due next
    clock.now_ms = T0 + HOUR_MS - 1
    assert await desk(store, clock).look() == 0
    clock.now_ms += 1
    assert await desk(store, clock).look() == OFFICES
    assert [await desk(store, clock).look() for _ in range(3)] == [0, 0, 0]
    # Killed before it could note the day: made again, and nothing goes twice.
    await store.put_state("digest", "2027-01-14", clock.now_ms)
    assert await desk(store, clock).look() == 0
    clock.now_ms += DAY_MS
    assert await desk(store, clock).look() == OFFICES
    assert await days_of(store, "s1") == ["2027-01-16", "2027-01-15"]


async def test_after_an_absence_the_newest_goes_late(store: Store) -> None:
    await store.save_cases(TOWN, "test", T0)
    clock = StandingClock()
    await desk(store, clock).look()
    clock.now_ms = T0 + 3 * DAY_MS  # 16:00, three days later: yesterday's was due 23 hours ago
    assert await desk(store, clock).look() == OFFICES
    [digest] = await newest_digests(store, ["*"], "k1", 10)
    assert (digest.day, digest.late) == ("2027-01-17", True)


async def test_never_is_never(store: Store) -> None:
    await store.save_cases(TOWN, "test", T0)
    clock = StandingClock()
    await desk(store, clock, None).look()
    clock.now_ms += 5 * DAY_MS
    assert await desk(store, clock, None).look() == 0


async def test_it_reaches_the_officers_of_the_office_over_their_own_channels(
    store: Store, database_url: str, receiver: HttpReceiver
) -> None:
    url = receiver.url.replace("http://", "json://")
    cases = replace(
        TOWN,
        officers={
            n: replace(o, channels=(url,) if n in ("own2", "county-duty") else ())
            for n, o in TOWN.officers.items()
        },
    )
    clock = StandingClock()
    outgoing = Outgoing(store, database_url, clock, Metrics(), cases)  # type: ignore[arg-type]
    await outgoing.decide(opened(an_episode(Kind.BATTERY_LOW)))
    await desk(store, clock, cases=cases).look()
    clock.now_ms = T0 + 2 * HOUR_MS
    await desk(store, clock, cases=cases).look()
    assert await counted(store, "SELECT count(*) FROM pages WHERE digest_id IS NOT NULL") == 2
    async with outgoing.worker({APPRISE: AppriseChannel(lambda _: 4)}, quick(10.0)):
        await outgoing.settle("sent")
    told = {(body := json.loads(post.body))["title"]: body["message"] for post in receiver.posts}
    assert set(told) == {"【每日简报】建设司法所 1月15日", "【每日简报】双台子区司法局 1月15日"}
    assert told["【每日简报】建设司法所 1月15日"].startswith("没有未处置警情。")
    assert "近一天一般事项：电量低 1" in told["【每日简报】双台子区司法局 1月15日"]


async def test_a_digest_is_kept_as_long_as_what_it_tells_of(store: Store) -> None:
    await store.save_cases(TOWN, "test", T0)
    clock = StandingClock()
    await desk(store, clock).look()
    clock.now_ms = T0 + HOUR_MS
    await desk(store, clock).look()
    for days, kept in ((179, OFFICES), (181, 0)):
        await store.maintenance.run(clock.now_ms + days * DAY_MS, 180 * DAY_MS, 30 * DAY_MS)
        assert await counted(store, "SELECT count(*) FROM digests") == kept


async def test_in_a_flood_it_goes_in_one_message_with_the_alerts_and_on_our_own_topic_it_has_their_shape(
    store: Store, database_url: str
) -> None:
    clock = StandingClock()
    outgoing = Outgoing(store, database_url, clock, Metrics())  # type: ignore[arg-type]
    (alert_id,) = await outgoing.decide(opened(an_episode(Kind.ZONE_EXIT)), ways=Ways(mqtt=True))
    await desk(store, clock, mqtt=True).look()
    clock.now_ms = T0 + HOUR_MS
    await desk(store, clock, mqtt=True).look()
    pages = [page for page in await claim(store.outbox, clock.now_ms) if page.page.officer_id == "duty1"]
    assert [page.page.purpose for page in pages] == [Purpose.STEP, Purpose.DIGEST]
    notices = Notices(store, MANNER, clock)
    both, alone = await notices.of(pages), await notices.of(pages[1:])
    assert "离开规定区域" in both.text.title
    assert "【每日简报】红旗司法所 1月15日\n未处置警情 1 条" in both.text.body
    assert both.alert["alert_id"] == alert_id
    assert both.alert.keys() | {"digest"} == alone.alert.keys()
    assert (alone.alert["state"], alone.alert["kinds"]) == ("resolved", [])
    assert alone.alert["digest"] == alone.text.body
    # A receipt of what has no timeline is a receipt all the same.
    assert await store.outbox.record(pages[1], PageState.DELIVERED, clock.now_ms)
