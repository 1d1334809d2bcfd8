"""The channels an officer has, and what a channel is.

The name of a channel is its kind, then what tells its *lane*: the thing that can be dead, slow or
overloaded as a whole.  The worker keeps lanes apart, so that one never delays another.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from corrections_monitor.model.cases import Officer
from corrections_monitor.paging.results import Result
from corrections_monitor.rules.text import PageText

MQTT, WEBHOOK, APPRISE, NOWHERE = "mqtt", "webhook", "apprise", "nowhere"

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


def channels_for(officer: Officer, ways: Ways, wanted: Sequence[str] = ()) -> list[tuple[str, str]]:
    """The (channel, address) pairs over which the officer is told; no two channels are the same.

    ``wanted`` are the channels the step of the ladder names, by name, kind or Apprise scheme; an officer
    who has none of them is told over all he has.  There is always one: a page that can go nowhere is a row
    that fails, not a row that is missing.
    """
    found = _all_channels(officer, ways)
    named = [(channel, address) for channel, address in found if not _words_of(channel).isdisjoint(wanted)]
    return named or found or [(NOWHERE, "")]


def _words_of(channel: str) -> set[str]:
    """What a ladder may call a channel: ``apprise:mailto:1a2b#1`` is apprise, mailto, and its whole name."""
    lane = lane_of(channel)
    return {channel, lane, *lane.split(":")[:2]}


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
