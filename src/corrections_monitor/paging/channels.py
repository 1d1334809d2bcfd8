"""The channels an officer has, and what a channel is.

The name of a channel is its kind, then what tells its *lane*: the thing that can be dead, slow or
overloaded as a whole.  The worker keeps lanes apart, so that one never delays another.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from corrections_monitor.model.alerts import Page
from corrections_monitor.model.cases import Officer
from corrections_monitor.paging.results import Result
from corrections_monitor.rules.text import PageText

MQTT, WEBHOOK, APPRISE, NOWHERE = "mqtt", "webhook", "apprise", "nowhere"

T = TypeVar("T")

# Apprise URLs of these schemes name a server of their own; those of all others share their provider's.
_OWN_SERVER = frozenset({"mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms"})


@dataclass(frozen=True, slots=True)
class Notice:
    """What a channel is given to send.

    ``address`` is the channel's own (topic, Apprise URL, name of the webhook); ``key`` is the same for
    every attempt; ``alert`` the alert object of CONTRACT §6, plain JSON.
    """

    officer_id: str
    channel: str
    address: str
    key: str
    alert: Mapping[str, Any]
    text: PageText


class Channel(Protocol):
    """One kind of way to officers."""

    async def send(self, notice: Notice) -> Result:
        """Hand the notice over.  Raises nothing it can put into words; may be cancelled at any time."""
        ...


@dataclass(frozen=True, slots=True)
class Ways:
    """Which ways there are besides the officers' own addresses."""

    mqtt: bool = False  # the daemon has a broker or an endpoint of its own
    webhooks: tuple[str, ...] = ()  # their names


def channels_for(officer: Officer, ways: Ways) -> list[tuple[str, str]]:
    """The (channel, address) pairs over which the officer can be told; no two channels are the same.

    There is always one: a page that can go nowhere is a row that fails, not a row that is missing.
    """
    return _all_channels(officer, ways) or [(NOWHERE, "")]


def addressed(page: Page, officer: Officer, ways: Ways, failover_ms: int) -> list[tuple[Page, str, str]]:
    """The page as it goes into the outbox: (page, channel, address).

    A step of the ladder may name channels: those of its first turn that the officer has are used at once,
    those of each next turn ``failover_ms`` later, if no channel of an earlier one has taken the page by
    then.  Who has none of those named, or if none are named, is told over all he has at once.
    """
    left = channels_for(officer, ways)
    turns = []
    for names in page.channels:
        turn = [way for way in left if not set(names_of(way[0])).isdisjoint(names)]
        if turn:
            turns.append(turn)
            left = [way for way in left if way not in turn]
    return [
        (replace(page, turn=number, due_ms=page.due_ms + number * failover_ms), channel, address)
        for number, turn in enumerate(turns or [left])
        for channel, address in turn
    ]


def names_of(channel: str) -> list[str]:
    """What ladder and settings may call a channel, the most particular first: ``apprise:mailto:1a2b#1`` is
    itself, its lane, ``mailto``, and ``apprise``."""
    lane = lane_of(channel)
    kind, *rest = lane.split(":")
    return list(dict.fromkeys((channel, lane, *rest[:1], kind)))


def particular(channel: str, table: Mapping[str, T]) -> T | None:
    """What the table holds for the channel under its most particular name."""
    return next((table[name] for name in names_of(channel) if name in table), None)


def _all_channels(officer: Officer, ways: Ways) -> list[tuple[str, str]]:
    found = [(MQTT, page_topic(officer.officer_id))] if ways.mqtt else []
    found += [(f"{WEBHOOK}:{name}", name) for name in ways.webhooks]
    seen: Counter[str] = Counter()
    for url in dict.fromkeys(officer.channels):
        lane = _apprise_lane(url)
        # A second address in the same lane needs a name of its own: the outbox holds one row per name.
        found.append((f"{lane}#{seen[lane]}" if seen[lane] else lane, url))
        seen[lane] += 1
    return found


def page_topic(officer_id: str) -> str:
    """The officer's own topic (CONTRACT §2)."""
    return f"cm/v1/officers/{officer_id}/page"


def kind_of(channel: str) -> str:
    """mqtt, webhook, apprise or nowhere: what metrics are kept by."""
    return channel.partition(":")[0]


def is_read_by_people(channel: str) -> bool:
    """Whether a message is read as it is sent, not taken apart by a program."""
    return kind_of(channel) == APPRISE


def lane_of(channel: str) -> str:
    """What is dead or slow together."""
    return channel.partition("#")[0]


def _apprise_lane(url: str) -> str:
    """Scheme, and for servers of their own a short hash: hosts in Apprise URLs can be secrets."""
    scheme = url.partition("://")[0].lower()
    if scheme not in _OWN_SERVER:
        return f"{APPRISE}:{scheme}"
    server = urlsplit(url).netloc.rpartition("@")[2].lower()
    return f"{APPRISE}:{scheme}:{hashlib.sha256(server.encode()).hexdigest()[:8]}"
