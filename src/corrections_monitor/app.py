"""The only wiring: which parts a process is made of, how they start, and how they stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corrections_monitor.clock import Clock, SteadyClock, SystemClock
from corrections_monitor.config import Config, ConfigFaults, Keeping, load
from corrections_monitor.errors import FailedError, first_line
from corrections_monitor.exchange.outgoing import OutgoingDesk
from corrections_monitor.exchange.roster import RosterDesk
from corrections_monitor.health import HealthServer
from corrections_monitor.ingest.broker import BrokerSession
from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.ingest.ways_in import broker_session, device_endpoint
from corrections_monitor.live.digests import DigestDesk
from corrections_monitor.live.doors import Doors
from corrections_monitor.live.monitor import Monitor
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.times import HOUR_MS
from corrections_monitor.notify import Supervisor
from corrections_monitor.paging.commands import CommandSender
from corrections_monitor.paging.mqtt import Publish
from corrections_monitor.paging.once import publish_once
from corrections_monitor.paging.results import RetrySettings
from corrections_monitor.paging.way_out import manner, open_channels, way_out, ways
from corrections_monitor.store import Lead, Role, Store
from corrections_monitor.store.api_rows import Away, DatabaseFault
from corrections_monitor.store.journal import NotLeadingError
from corrections_monitor.store.maintenance import Limits
from corrections_monitor.store.schema import SchemaBehindError
from corrections_monitor.watch import anchors
from corrections_monitor.watch.orders import blind_by_heartbeat
from corrections_monitor.watch.standing import NO_DATABASE, Standing
from corrections_monitor.watch.teller import Teller
from corrections_monitor.watch.watchman import Watchman

log = logging.getLogger(__name__)

PAGING_POOL_MAX = 4  # connections of its own, so that a storm of pages never queues before a batch
LEAD_AGAIN_S = 1.0
SCHEMA_AGAIN_S = 2.0
LEAVE_S = 20.0  # systemd gives 30
CONNECT_S = 5.0  # then begun anew: a pool's own pauses between attempts grow, and with them our absence


class LeadLostError(Exception):
    """The database session that makes this daemon the one in charge is gone."""


@dataclass(slots=True)
class _Process:
    """What lasts as long as the process of ``run``; ``config`` is the one last read without fault."""

    config: Config
    config_file: Path | None
    told: Callable[[str], None]
    clock: SteadyClock = field(default_factory=lambda: SteadyClock(SystemClock()))
    metrics: Metrics = field(default_factory=Metrics)
    standing: Standing = field(default_factory=Standing)
    supervisor: Supervisor = field(default_factory=lambda: Supervisor(os.environ))
    monitor: Monitor | None = None  # while in charge

    def lag_s(self) -> float:
        """How old what is judged is."""
        return self.monitor.lag_s if self.monitor is not None else 0.0


async def run_daemon(config: Config, config_file: Path | None, told: Callable[[str], None]) -> None:
    """``run``: ingest, detection, rules, paging, until SIGTERM or SIGINT.

    ``told`` is given lines for the operator.  Raises FailedError.
    """
    url = config.database.engine_url or config.database.url
    if url is None:
        raise FailedError(
            "database.url: no database is named (CORRECTIONS_DATABASE_URL); `demo` brings its own"
        )
    if config.mqtt.url is None and config.device_endpoint.listen is None:
        raise FailedError(
            "mqtt.url, device_endpoint.listen: no way in (CORRECTIONS_MQTT_URL, CORRECTIONS_DEVICE_LISTEN)"
        )
    process = _Process(config, config_file, told)
    standing, clock = process.standing, process.clock
    stop, folder = _stop_signals(), config.state_dir
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(
                HealthServer(config.run.listen, standing.ready, process.metrics.registry, process.lag_s)
            )
        except OSError as fault:
            raise FailedError(f"run.listen: {config.run.listen}: {fault.strerror or fault}") from None
        await stack.enter_async_context(
            _beside(
                standing.beat(folder, clock, process.metrics, process.supervisor),
                _watchman(config, clock, lambda: standing.look(folder, clock), standing.roads),
                _reload(process),
                *_signs_of_life(config, standing),
            )
        )
        # Whether it is fit to monitor is what readyz says; a standby is up as much as the one in charge.
        process.supervisor.ready("starting")
        working = asyncio.create_task(_keep_monitoring(process, url))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        process.supervisor.stopping()
        stopping.cancel()
        if not working.done():
            await _end_well(process)
            working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


async def _keep_monitoring(process: _Process, url: str) -> None:
    """Monitor, and begin anew whenever the lead is lost: the process stays, and with it its watchman."""
    while True:
        try:
            await _monitor(process, url)
        except* (LeadLostError, NotLeadingError) as lost:
            log.error("no longer in charge, beginning anew: %s", lost.exceptions[0])
        except* DatabaseFault as fault:  # while waiting for the lead
            log.error("the database went away, beginning anew: %s", first_line(fault.exceptions[0]))
        process.metrics.leader.set(0)
        await asyncio.sleep(LEAD_AGAIN_S)


async def _end_well(process: _Process) -> None:
    """The batch under way is committed and the state saved, unless that cannot be."""
    monitor = process.monitor
    if monitor is not None and monitor.blind_reason() is None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await monitor.leave()


async def _monitor(process: _Process, url: str) -> None:
    """Connect, wait until no other daemon leads, then work."""
    config, clock, metrics, standing = process.config, process.clock, process.metrics, process.standing
    async with AsyncExitStack() as stack:
        stack.callback(_leave, process, "no longer in charge: the session with the database was lost")
        _leave(process, NO_DATABASE)
        async with _store(url, "engine", 1, told=lambda reason: _leave(process, reason)):
            pass  # an older schema may know nothing of leads
        lead = await stack.enter_async_context(Store.lead(url, lambda: _stand_by(process)))
        store = await stack.enter_async_context(_store(url, "engine", config.database.pool_max, lead))
        paging_store = await stack.enter_async_context(_store(url, "engine", PAGING_POOL_MAX, lead))
        metrics.leader.set(1)
        standing.reason = "starting"
        inbox = Inbox(config.ingest.inbox_max_messages, config.ingest.inbox_max_bytes, clock)
        broker = broker_session(config.mqtt, inbox, clock)
        doors = Doors(store, clock)
        endpoint = await _endpoint(stack, doors, config, inbox, clock)
        roads: list[Publish] = [r.publish for r in (broker, endpoint) if r is not None]
        direct = endpoint.publish if endpoint is not None else None
        reach = ways(config.paging, mqtt=bool(roads))
        monitor = Monitor(store, config, clock, inbox, metrics, reach)
        pages = await stack.enter_async_context(way_out(paging_store, config, roads, clock, metrics, direct))
        retry = RetrySettings(config.paging.retry_first_ms, config.paging.retry_max_ms)
        commands = CommandSender(paging_store, roads, monitor.county_of, retry, clock)
        digests = DigestDesk(paging_store, lambda: process.config, monitor.cases, reach, clock)
        roster = RosterDesk(paging_store, lambda: process.config, clock, metrics)
        outgoing = OutgoingDesk(paging_store, lambda: process.config, clock, metrics)
        process.monitor = standing.monitor = monitor
        standing.reason = None
        standing.roads[:] = roads
        standing.ways_in = lambda: _no_way_in(broker)
        async with asyncio.TaskGroup() as group:
            group.create_task(monitor.run(), name="monitor")
            group.create_task(pages.run(), name="pages")
            group.create_task(commands.run(), name="commands")
            group.create_task(digests.run(), name="digests")
            group.create_task(roster.run(), name="roster")
            group.create_task(outgoing.run(), name="outgoing")
            group.create_task(_hear(store, monitor, doors, pages.wake, commands.wake), name="hear")
            group.create_task(doors.run(), name="doors")
            group.create_task(_keep_house(store, config, clock, metrics), name="house")
            group.create_task(_lost(lead.lost), name="lead")
            group.create_task(_watch(process, monitor), name="watch")
            group.create_task(standing.survey(paging_store, clock, metrics, pages.lying), name="survey")
            group.create_task(standing.keep_orders(config.state_dir, clock), name="orders")
            if broker is not None:
                group.create_task(broker.run(), name="broker")
            group.create_task(_count_sources(metrics, broker, endpoint), name="sources")


def _stand_by(process: _Process) -> None:
    process.standing.reason = "standby: another daemon is in charge"
    process.supervisor.status("standby")


def _leave(process: _Process, reason: str) -> None:
    process.monitor = None
    process.standing.leave(reason)


def _no_way_in(broker: BrokerSession | None) -> str | None:
    if broker is None or broker.connected:
        return None
    return f"the broker does not answer: {broker.last_error or 'connecting'}"


async def _endpoint(
    stack: AsyncExitStack, doors: Doors, config: Config, inbox: Inbox, clock: Clock
) -> DeviceEndpoint | None:
    own = config.device_endpoint
    try:
        endpoint = device_endpoint(own, doors.authenticate, inbox, clock)
        if endpoint is not None:
            doors.on_revoked = endpoint.drop
            await endpoint.start()
            stack.push_async_callback(endpoint.close)
    except OSError as fault:  # the address, or a certificate
        raise FailedError(f"device_endpoint.listen: {own.listen}: {fault.strerror or fault}") from None
    return endpoint


async def _hear(
    store: Store,
    monitor: Monitor,
    doors: Doors,
    wake_pages: Callable[[], None],
    wake_commands: Callable[[], None],
) -> None:
    """Pass on what other processes tell through the database."""
    async for channel, _ in store.listen("cases", "answers", "pages", "commands", "credentials"):
        if channel == "cases":
            monitor.notices.cases = True
        elif channel == "answers":
            monitor.notices.answers = True
        elif channel == "commands":
            wake_commands()
        elif channel == "credentials":
            doors.changed.set()
        else:
            wake_pages()


async def _keep_house(store: Store, config: Config, clock: Clock, metrics: Metrics) -> None:
    """Partitions ahead, retention, once an hour; how much room is left; once a day an anchor of the audit."""
    while True:
        try:
            keeping = config.keeping
            await store.maintenance.run(
                clock.wall_ms(), config.detection.retention_ms, keeping.after_term_ms, _limits_of(keeping)
            )
            room = await store.maintenance.room(clock.wall_ms())
            if anchors.is_due(config.state_dir, clock.wall_ms()):
                anchors.note(config.state_dir, clock.wall_ms(), await store.audit.head())
        except Exception as fault:
            log.warning("maintenance failed, trying again later: %s", type(fault).__name__)
            await asyncio.sleep(60)
            continue
        metrics.partition_days_ahead.set(room.days_ahead)
        for table, share in room.keys_free.items():
            metrics.key_headroom.labels(table).set(share)
        await asyncio.sleep(HOUR_MS / 1_000)


def _limits_of(keeping: Keeping) -> Limits:
    """How long each table keeps its rows."""
    return Limits(
        violations_ms=keeping.violations_ms,
        commands_ms=keeping.commands_ms,
        digests_ms=keeping.digests_ms,
        quarantine_ms=keeping.quarantine_ms,
        exchanges_ms=keeping.exchanges_ms,
        audit_ms=keeping.audit_ms,
    )


async def _lost(lost: asyncio.Event) -> None:
    await lost.wait()
    raise LeadLostError("the database session that makes this daemon the one in charge was lost")


async def _watch(process: _Process, monitor: Monitor) -> None:
    """Tell systemd, metrics and the operator how we stand; the watchdog lives on turns of the monitor."""
    supervisor, metrics = process.supervisor, process.metrics
    await monitor.turned.wait()
    supervisor.status("monitoring")
    process.told("ready")
    period_s = min(1.0, supervisor.watchdog_s or 1.0)
    was_ready = True
    while True:
        if monitor.turned.is_set():
            monitor.turned.clear()
            supervisor.alive()
        is_ready, why = process.standing.ready()
        metrics.blind.set(0 if is_ready else 1)
        if is_ready != was_ready:
            was_ready = is_ready
            supervisor.status("monitoring" if is_ready else f"blind: {why}")
            log.log(
                logging.INFO if is_ready else logging.ERROR, "in sight again" if is_ready else f"blind: {why}"
            )
        await asyncio.sleep(period_s)


async def _reload(process: _Process) -> None:
    """SIGHUP: read the configuration again; a faulty one changes nothing."""
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)
    while True:
        await asked.wait()
        asked.clear()
        process.supervisor.reloading(process.clock.monotonic_s())
        try:
            process.config = load(process.config_file, os.environ)
        except ConfigFaults as faults:
            for fault in faults.faults:
                log.error("configuration not changed: %s", fault)
        else:
            if process.monitor is not None:
                process.monitor.reload(process.config)
            log.info("configuration read again")
        process.supervisor.ready("configuration read again")


async def _count_sources(
    metrics: Metrics, broker: BrokerSession | None, endpoint: DeviceEndpoint | None
) -> None:
    while True:
        if broker is not None:
            metrics.sources_connected.labels("broker").set(int(broker.connected))
        if endpoint is not None:
            metrics.sources_connected.labels("endpoint").set(endpoint.connection_count)
        await asyncio.sleep(1)


def _signs_of_life(config: Config, standing: Standing) -> list[Coroutine[Any, Any, None]]:
    watch = config.watch
    if watch.heartbeat_url is None:
        return []
    return [standing.signal_life(watch.heartbeat_url, watch.heartbeat_every_ms / 1_000)]


async def _watchman(
    config: Config, clock: Clock, look: Callable[[], str | None], roads: Sequence[Publish]
) -> None:
    """Watch whether anybody is monitoring; ``roads`` are looked at when there is something to tell."""
    paging = config.paging
    once = publish_once(config.mqtt)

    async def by_mqtt(topic: str, payload: bytes) -> bool:
        taken = [await publish(topic, payload) for publish in roads]
        return any(taken) or (once is not None and await once(topic, payload))

    reach = ways(paging, mqtt=bool(once or config.device_endpoint.listen))
    async with open_channels(paging, [by_mqtt]) as channels:
        teller = Teller(channels, reach, manner(config), paging.timeout_ms / 1_000, clock)
        tell_after_s = config.watch.tell_after_ms / 1_000
        await Watchman(config.state_dir, look, teller, tell_after_s, clock).run()


@asynccontextmanager
async def _beside(*tasks: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Tasks that run as long as the block, whatever becomes of it."""
    running = [asyncio.create_task(task) for task in tasks]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def run_api(config: Config, listening: Callable[[int], None]) -> None:
    """``serve``: API and console, until SIGTERM or SIGINT.  Raises FailedError."""
    from corrections_monitor.api.server import serve  # slow to load, and ``run`` has no use for it

    url = config.database.api_url or config.database.url
    if url is None:
        raise FailedError(
            "database.url: no database is named (CORRECTIONS_DATABASE_URL); `demo` brings its own"
        )
    supervisor, stop = Supervisor(os.environ), _stop_signals()

    def up(port: int) -> None:
        supervisor.ready(f"listening on port {port}")
        listening(port)

    clock, folder = SteadyClock(SystemClock()), config.state_dir
    watching = _watchman(config, clock, lambda: blind_by_heartbeat(folder, clock), ())
    async with _beside(watching, _follow(clock)), _store(url, "api", config.database.pool_max) as store:
        beat = asyncio.create_task(_beat(supervisor))
        try:
            await serve(store, config, clock, Metrics().registry, stop, up)
        except OSError as fault:
            raise FailedError(f"http.listen: {config.http.listen}: {fault.strerror or fault}") from None
        finally:
            supervisor.stopping()
            beat.cancel()


async def _follow(clock: SteadyClock) -> None:
    while True:
        if clock.proven_ms:
            clock.follow()
        await asyncio.sleep(1)


async def _beat(supervisor: Supervisor) -> None:
    while supervisor.watchdog_s is not None:
        supervisor.alive()
        await asyncio.sleep(supervisor.watchdog_s)


@asynccontextmanager
async def _store(
    url: str,
    role: Role,
    pool_max: int,
    lead: Lead | None = None,
    told: Callable[[str], None] = lambda reason: None,
) -> AsyncIterator[Store]:
    """The store, waited for as long as it takes, or as the lead lasts; ``told`` what it waits for."""
    term = None if lead is None else lead.term
    store: Store | None = None
    while store is None:
        try:
            store = await Store.open(url, role, term=term, max_size=pool_max, timeout_s=CONNECT_S)
        except Away:
            if lead is not None and lead.lost.is_set():
                raise LeadLostError("the lead was lost before work began") from None
            log.error("the database cannot be reached, trying again")
        except SchemaBehindError as fault:
            log.error("%s", fault)
            told(str(fault))
            await asyncio.sleep(SCHEMA_AGAIN_S)
    try:
        yield store
    finally:
        await store.close()


def _stop_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
