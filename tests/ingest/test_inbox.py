"""The queue between sockets and pipeline: bounds, order, acknowledgement, and its promise about time."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mqtt_world import NOW_MS, HandClock

from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.ingest.message import Message


class Sender:
    """A connection that remembers what was acknowledged, buffer by buffer."""

    def __init__(self) -> None:
        self.buffers: list[list[int]] = []

    def acknowledge(self, packet_ids: list[int], size: int) -> None:
        self.buffers.append(packet_ids)


def put(inbox: Inbox, text: bytes, sender: Sender | None = None, packet_id: int = 0) -> None:
    inbox.put(Message("t", text, inbox.stamp()), sender, packet_id)


async def test_nothing_is_acknowledged_before_the_commit(clock: HandClock) -> None:
    inbox, one, other = Inbox(10, 1_000, clock), Sender(), Sender()
    put(inbox, b"a", one, 1)
    put(inbox, b"b", other, 1)
    put(inbox, b"c", one, 2)
    intake = await inbox.take(10, 0)
    assert one.buffers == other.buffers == []
    intake.ack()
    assert one.buffers == [[1, 2]]
    assert other.buffers == [[1]]


async def test_an_intake_is_answered_once(clock: HandClock) -> None:
    inbox = Inbox(10, 1_000, clock)
    put(inbox, b"a")
    intake = await inbox.take(10, 0)
    intake.ack()
    with pytest.raises(AssertionError, match="once"):
        intake.retry()


async def test_what_waits_when_the_clock_is_set_forward_arrives_by_the_new_time(clock: HandClock) -> None:
    inbox = Inbox(10, 1_000, clock)
    put(inbox, b"a")
    clock.now_ms += 3_600_000
    inbox.not_before(clock.now_ms)
    intake = await inbox.take(10, 0)
    assert [m.arrival_ms for m in intake.messages] == [clock.now_ms]


async def test_a_failed_transaction_is_taken_again_with_the_same_arrivals(clock: HandClock) -> None:
    inbox, sender = Inbox(10, 1_000, clock), Sender()
    put(inbox, b"a", sender, 1)
    clock.now_ms += 5
    put(inbox, b"b", sender, 2)
    failed = await inbox.take(10, 0)
    put(inbox, b"c", sender, 3)
    failed.retry()
    again = await inbox.take(10, 0)
    assert [m.payload for m in again.messages] == [b"a", b"b", b"c"]
    assert [m.arrival_ms for m in again.messages][:2] == [NOW_MS, NOW_MS + 5]
    again.ack()
    assert sender.buffers == [[1, 2, 3]]


async def test_an_older_intake_put_back_keeps_what_was_promised_since(clock: HandClock) -> None:
    inbox = Inbox(10, 1_000, clock)
    put(inbox, b"a")
    first = await inbox.take(10, 0)
    clock.now_ms += 50
    put(inbox, b"b")
    second = await inbox.take(10, 0)
    second.ack()
    first.retry()
    third = await inbox.take(10, 0)
    assert third.messages[0].arrival_ms > second.now_ms


async def test_an_empty_inbox_gives_an_empty_intake_that_is_good_for_a_tick(clock: HandClock) -> None:
    inbox = Inbox(10, 1_000, clock)
    intake = await inbox.take(10, 0.001)
    assert intake.messages == []
    assert intake.now_ms == NOW_MS
    put(inbox, b"a")
    later = await inbox.take(10, 0)
    assert later.messages[0].arrival_ms == NOW_MS + 1


async def test_take_returns_as_soon_as_enough_has_come(clock: HandClock) -> None:
    inbox = Inbox(10, 1_000, clock)
    taking = asyncio.create_task(inbox.take(2, 60))
    await asyncio.sleep(0)
    put(inbox, b"a")
    await asyncio.sleep(0)
    assert not taking.done()
    put(inbox, b"b")
    intake = await asyncio.wait_for(taking, 5)
    assert len(intake.messages) == 2


async def test_one_millisecond_is_never_in_two_intakes(clock: HandClock) -> None:
    inbox = Inbox(10, 1_000, clock)
    for text in (b"a", b"b", b"c"):
        put(inbox, text)
    first, second = await inbox.take(2, 0), await inbox.take(2, 0)
    assert [m.arrival_ms for m in first.messages] == [NOW_MS, NOW_MS]
    assert second.messages[0].arrival_ms > first.now_ms


@pytest.mark.parametrize(("messages", "size"), [(3, 10_000), (100, 30)])
async def test_sources_are_told_when_it_is_full_and_when_there_is_room(
    clock: HandClock, messages: int, size: int
) -> None:
    inbox = Inbox(messages, size, clock)
    told: list[bool] = []
    for _ in range(3):
        assert not inbox.full
        put(inbox, b"x" * 10)
    assert inbox.full
    inbox.when_room(lambda: told.append(True))
    (await inbox.take(1, 0)).ack()
    assert told == []
    (await inbox.take(1, 0)).ack()
    assert told == [True]
    assert not inbox.full


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("move"), st.integers(-5_000, 5_000)),
            st.tuples(st.just("put"), st.integers(1, 4)),
            st.tuples(st.just("take"), st.integers(1, 4)),
            st.tuples(st.just("fail"), st.integers(1, 4)),
        ),
        max_size=40,
    )
)
def test_whatever_the_clock_does_no_row_comes_behind_a_tick(steps: list[tuple[str, int]]) -> None:
    async def play() -> None:
        clock = HandClock()
        inbox = Inbox(1_000, 1_000_000, clock)
        number, taken, tick_ms = 0, [], -1
        for step, size in steps:
            if step == "move":
                clock.now_ms += size
            elif step == "put":
                for _ in range(size):
                    number += 1
                    put(inbox, b"%d" % number)
            else:
                intake = await inbox.take(size, 0)
                arrivals = [m.arrival_ms for m in intake.messages]
                assert arrivals == sorted(arrivals)
                assert all(tick_ms < a <= intake.now_ms for a in arrivals)
                if step == "fail":
                    intake.retry()
                    continue
                intake.ack()
                taken += [int(m.payload) for m in intake.messages]
                assert intake.now_ms > tick_ms
                tick_ms = intake.now_ms
        taken += [int(m.payload) for m in (await inbox.take(1_000, 0)).messages]
        assert taken == list(range(1, number + 1))

    asyncio.run(play())
