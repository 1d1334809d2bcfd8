"""What may be sent now: places in a lane, throttles, floods."""

from __future__ import annotations

from collections import Counter

from corrections_monitor.paging.choosing import BUNDLE_MAX, Pace, choose
from corrections_monitor.paging.settings import ChannelSettings, OutboxSettings
from corrections_monitor.store.outbox import DuePage

SETTINGS = OutboxSettings(
    ChannelSettings(concurrency=4),
    {"sms": ChannelSettings(concurrency=4, per_minute=3)},
    flood_per_minute=3,
)
MAIL, SMS = "apprise:mailto:1a2b", "apprise:sms"


class Sender:
    """Chooses and, as the worker does, counts what was sent; every attempt ends at once."""

    def __init__(self, settings: OutboxSettings = SETTINGS) -> None:
        self.settings = settings
        self.throttle: Pace[str] = Pace()
        self.flood: Pace[tuple[str, str]] = Pace()

    def send(self, due: list[DuePage], now_s: float = 0.0, **held: int) -> list[list[int]]:
        choice = choose(due, held, self.settings, self.throttle, self.flood, now_s)
        self.held_s = choice.held_s
        by_id = {page.page_id: page for page in due}
        for message in choice.messages:
            page = by_id[message[0]]
            self.throttle.spend(page.lane, self.settings.of(page.channel).per_minute, now_s)
            self.flood.spend(page.whom, self.settings.flood_of(page.channel), now_s)
        return choice.messages


def pages(
    count: int, channel: str = MAIL, officer: str = "li", first: int = 0, urgent: bool = False
) -> list[DuePage]:
    lane = f"mqtt:{officer}" if channel == "mqtt" else channel
    return [DuePage(first + n, lane, channel, officer, urgent) for n in range(count)]


def test_a_few_pages_go_one_by_one() -> None:
    assert Sender().send(pages(3)) == [[0], [1], [2]]


def test_more_than_an_officer_may_be_sent_go_as_one_message() -> None:
    assert Sender().send(pages(4)) == [[0, 1, 2, 3]]
    (first, second) = Sender().send(pages(BUNDLE_MAX + 10))
    assert (len(first), len(second)) == (BUNDLE_MAX, 10)


def test_a_flood_that_trickles_is_gathered_until_the_minute_is_over() -> None:
    sender, waiting, sent = Sender(), list[DuePage](), list[tuple[int, int]]()
    for second in range(0, 121, 4):
        waiting += pages(1, first=second)
        for message in sender.send(waiting, second):
            sent.append((second, len(message)))
            waiting = [page for page in waiting if page.page_id not in message]
    assert sent[:3] == [(0, 1), (4, 1), (8, 1)]
    assert sent[3] == (60, 13), "all that came since, in one message"
    assert max(Counter(second // 60 for second, _ in sent).values()) <= 3


def test_a_flood_to_one_officer_holds_up_nobody_else() -> None:
    sender = Sender()
    for second in (0, 10, 20):
        sender.send(pages(1), second)
    assert sender.send(pages(3) + pages(1, officer="wang", first=10), 30) == [[10]]
    assert sender.held_s == {0: 30, 1: 30, 2: 30}, "until the first of his three is a minute ago"
    assert sender.send(pages(1), 60) == [[0]]
    sender.flood.forget(200)
    assert sender.flood._sent == {}


def test_the_first_page_of_a_critical_alert_is_neither_held_back_nor_bundled() -> None:
    sender = Sender()
    urgent = pages(2, SMS, first=90, urgent=True)
    assert sender.send(urgent + pages(5, SMS)) == [[90], [91], [0, 1, 2, 3, 4]]
    again = pages(4, SMS, first=95, urgent=True)
    assert sender.send(again + pages(5, SMS, first=10), 1.0) == [[95], [96], [97], [98]]
    assert set(sender.held_s) == {10, 11, 12, 13, 14}


def test_a_throttled_lane_is_given_no_more_in_any_minute() -> None:
    sender, sent = Sender(), list[int]()
    left = [page for n in range(30) for page in pages(1, SMS, officer=f"o{n}", first=n)]
    for second in range(240):
        for message in sender.send(left, second):
            sent.append(second)
            left = [page for page in left if page.page_id not in message]
    assert len(sent) == 12
    assert all(sum(s <= other < s + 60 for other in sent) <= 3 for s in sent)


def test_what_a_throttle_lets_through_goes_to_an_officer_in_one_message() -> None:
    assert Sender(OutboxSettings(by_channel={"sms": ChannelSettings(per_minute=2)})).send(
        pages(2, SMS) + pages(4, SMS, officer="wang", first=10)
    ) == [[0], [1]]
    assert Sender().send(pages(2, SMS) + pages(4, SMS, officer="wang", first=10)) == [
        [0],
        [1],
        [10, 11, 12, 13],
    ]


def test_a_full_lane_takes_nothing_and_another_all_it_has_places_for() -> None:
    due = pages(6, "webhook:a", urgent=True) + pages(6, "webhook:b", first=10)
    assert Sender().send(due, **{"webhook:a": 4, "webhook:b": 1}) == [[10], [11], [12]]


def test_programs_are_given_alerts_one_at_a_time_and_are_not_flooded() -> None:
    for channel in ("mqtt", "webhook:police"):
        assert Sender(OutboxSettings(flood_per_minute=2)).send(pages(8, channel)) == [[n] for n in range(8)]


def test_no_limit_is_no_limit() -> None:
    settings = OutboxSettings(ChannelSettings(concurrency=99), flood_per_minute=0)
    assert Sender(settings).send(pages(90)) == [[n] for n in range(90)]
