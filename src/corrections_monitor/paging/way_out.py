"""The way out as configured: which channels there are, and the worker that serves them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from corrections_monitor.clock import Clock
from corrections_monitor.config import ChannelOptions, Config, Paging
from corrections_monitor.metrics import Metrics
from corrections_monitor.paging.by_apprise import AppriseChannel
from corrections_monitor.paging.channels import APPRISE, MQTT, WEBHOOK, Channel, Ways
from corrections_monitor.paging.mqtt import MqttChannel, Publish
from corrections_monitor.paging.notices import Manner, Notices
from corrections_monitor.paging.outbox import OutboxWorker
from corrections_monitor.paging.results import RetrySettings
from corrections_monitor.paging.settings import ChannelSettings, OutboxSettings
from corrections_monitor.paging.webhook import WebhookChannel
from corrections_monitor.rules.text import Naming
from corrections_monitor.store import Store


def ways(paging: Paging, *, mqtt: bool) -> Ways:
    """The ways to every officer; ``mqtt``: the daemon has a broker or an endpoint."""
    return Ways(mqtt, tuple(hook.name for hook in paging.webhooks))


@asynccontextmanager
async def way_out(
    store: Store,
    config: Config,
    roads: Sequence[Publish],
    clock: Clock,
    metrics: Metrics,
    direct: Publish | None = None,
) -> AsyncIterator[OutboxWorker]:
    """The worker with its channels, which are closed at the end; the caller runs it.

    ``roads`` are the ``publish`` of the broker's session and of the endpoint, those that there are;
    ``direct`` is the endpoint's.
    """
    settings = outbox_settings(config.paging)
    async with open_channels(config.paging, roads, direct) as channels:
        notices = Notices(store, manner(config), clock)
        yield OutboxWorker(store.outbox, notices.of, channels, settings, clock, metrics)


@asynccontextmanager
async def open_channels(
    paging: Paging, roads: Sequence[Publish], direct: Publish | None = None
) -> AsyncIterator[dict[str, Channel]]:
    """The channels by name or kind, closed at the end."""
    settings = outbox_settings(paging)
    async with AsyncExitStack() as stack:
        channels: dict[str, Channel] = {
            APPRISE: AppriseChannel(lambda name: 2 * settings.of(name).concurrency)
        }
        if roads:
            channels[MQTT] = MqttChannel(roads, direct)
        for hook in paging.webhooks:
            name = f"{WEBHOOK}:{hook.name}"
            channel = WebhookChannel(hook.url, hook.secret, settings.of(name).timeout_s)
            stack.push_async_callback(channel.close)
            channels[name] = channel
        yield channels


def manner(config: Config) -> Manner:
    """How pages are worded.  Officers' own topics and signed webhooks get the alert as the API gives it,
    unless told otherwise: they pass through nobody else's hands."""
    site, paging = config.site, config.paging
    said = {name: c.personal_data for name, c in paging.channels.items() if c.personal_data is not None}
    otherwise = {MQTT: Naming.FULL, WEBHOOK: Naming.FULL} | said
    return Manner(
        site.language, paging.personal_data, site.timezone, config.http.public_url, paging.link_expires_ms,
        otherwise,
    )  # fmt: skip


def outbox_settings(paging: Paging) -> OutboxSettings:
    """What the worker goes by."""
    every = ChannelSettings(paging.timeout_ms / 1_000, paging.channel_concurrency)
    return OutboxSettings(
        every,
        {name: _settings(options, every) for name, options in paging.channels.items()},
        paging.flood_per_minute,
        RetrySettings(
            first_ms=paging.retry_first_ms,
            longest_ms=paging.retry_max_ms,
            attempts_max=paging.attempts_max,
        ),
    )


def _settings(options: ChannelOptions, every: ChannelSettings) -> ChannelSettings:
    return ChannelSettings(
        every.timeout_s if options.timeout_ms is None else options.timeout_ms / 1_000,
        every.concurrency if options.concurrency is None else options.concurrency,
        options.per_minute or 0,
    )
