"""The way out as configured: which channels there are, and the worker that serves them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from corrections_monitor.clock import Clock
from corrections_monitor.config import Config, Paging
from corrections_monitor.metrics import Metrics
from corrections_monitor.paging.by_apprise import AppriseChannel
from corrections_monitor.paging.channels import APPRISE, MQTT, WEBHOOK, Channel, Ways
from corrections_monitor.paging.mqtt import MqttChannel, Publish
from corrections_monitor.paging.notices import Manner, Notices
from corrections_monitor.paging.outbox import OutboxSettings, OutboxWorker
from corrections_monitor.paging.results import RetrySettings
from corrections_monitor.paging.webhook import WebhookChannel
from corrections_monitor.store import Store


def ways(paging: Paging, *, mqtt: bool) -> Ways:
    """The ways to every officer; ``mqtt``: the daemon has a broker or an endpoint."""
    return Ways(mqtt, tuple(hook.name for hook in paging.webhooks))


@asynccontextmanager
async def way_out(
    store: Store, config: Config, roads: Sequence[Publish], clock: Clock, metrics: Metrics
) -> AsyncIterator[OutboxWorker]:
    """The worker with its channels, which are closed at the end; the caller runs it.

    ``roads`` are the ``publish`` of the broker's session and of the endpoint, those that there are.
    """
    async with open_channels(config.paging, roads) as channels:
        notices = Notices(store, manner(config), clock)
        yield OutboxWorker(store.outbox, notices.of, channels, _settings(config.paging), clock, metrics)


@asynccontextmanager
async def open_channels(paging: Paging, roads: Sequence[Publish]) -> AsyncIterator[dict[str, Channel]]:
    """The channels by name or kind, closed at the end."""
    async with AsyncExitStack() as stack:
        channels: dict[str, Channel] = {APPRISE: AppriseChannel(2 * paging.channel_concurrency)}
        if roads:
            channels[MQTT] = MqttChannel(roads)
        for hook in paging.webhooks:
            channel = WebhookChannel(hook.url, hook.secret, paging.timeout_ms / 1_000)
            stack.push_async_callback(channel.close)
            channels[f"{WEBHOOK}:{hook.name}"] = channel
        yield channels


def manner(config: Config) -> Manner:
    """How pages are worded."""
    site, naming = config.site, config.paging.personal_data
    return Manner(site.language, naming, site.timezone, config.http.public_url, config.paging.link_expires_ms)


def _settings(paging: Paging) -> OutboxSettings:
    return OutboxSettings(
        timeout_s=paging.timeout_ms / 1_000,
        concurrency=paging.channel_concurrency,
        retry=RetrySettings(
            first_ms=paging.retry_first_ms,
            longest_ms=paging.retry_max_ms,
            attempts_max=paging.attempts_max,
        ),
    )
