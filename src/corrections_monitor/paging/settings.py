"""What the sender of pages goes by: for every channel, and for all together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from corrections_monitor.paging.channels import is_read_by_people, particular
from corrections_monitor.paging.results import RetrySettings

LEASE_MIN_MS = 30_000  # a slow database must not make a worker lose what it is sending


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """``concurrency`` is attempts at once in one lane, ``timeout_s`` bounds each of them; ``per_minute`` is
    messages in one lane, 0: no throttle."""

    timeout_s: float = 10.0
    concurrency: int = 8
    per_minute: int = 0


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """``by_channel`` by what a ladder may call a channel, for those that differ from ``channel``.

    ``flood_per_minute``: messages to one officer over one channel that people read; 0: no limit.
    """

    channel: ChannelSettings = ChannelSettings()
    by_channel: Mapping[str, ChannelSettings] = field(default_factory=dict)
    flood_per_minute: int = 6
    retry: RetrySettings = field(default_factory=RetrySettings)

    def of(self, channel: str) -> ChannelSettings:
        """Of this channel; the most particular name counts."""
        return particular(channel, self.by_channel) or self.channel

    def flood_of(self, channel: str) -> int:
        """How many messages a minute over this channel are no flood; 0: no limit."""
        return self.flood_per_minute if is_read_by_people(channel) else 0

    @property
    def lease_ms(self) -> int:
        """Twice as long as any attempt can last: a message claimed has a place, and is sent at once."""
        longest_s = max(s.timeout_s for s in (self.channel, *self.by_channel.values()))
        return max(round(2 * longest_s * 1_000), LEASE_MIN_MS)
