"""The configuration (``config/monitor.toml`` explains every key): TOML and environment → frozen objects.

``load`` gives all faults at once, each naming file or variable, field, value and what was expected.
Durations are milliseconds inside, text such as "45s" outside; a key in the file is the attribute's name
without ``_ms``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.config_reading import (
    ConfigFaults,
    Tree,
    read,
    replace_from_environment,
    tree_of_file,
)
from corrections_monitor.config_rules import rows_alike, rules_settings
from corrections_monitor.config_schema import (
    SCHEMA,
    SHORT_NAMES,
    FileFormat,
    LogFormat,
    LogLevel,
    MqttVersion,
)
from corrections_monitor.config_values import Listen
from corrections_monitor.model.cases import Role
from corrections_monitor.model.settings import CommandSettings, DetectionSettings, Language, RulesSettings
from corrections_monitor.model.times import DAY_MS
from corrections_monitor.model.timing import Timing
from corrections_monitor.rules.text import Naming

__all__ = ["Config", "ConfigFaults", "load"]


@dataclass(frozen=True, slots=True)
class Site:
    """Where the house stands: civil time and language of everything people read."""

    timezone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    language: Language = Language.ZH


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long what is no longer needed stays (个人信息保护法 第十九条)."""

    after_term_ms: int = 30 * DAY_MS  # from the end of a term (解矫) to the deletion of its positions
    violations_ms: int = 1_825 * DAY_MS  # from their end: episodes, alerts and all that hangs on them
    commands_ms: int = 365 * DAY_MS
    digests_ms: int = 365 * DAY_MS
    quarantine_ms: int = 90 * DAY_MS  # and no more than ingest.quarantine_max_rows
    exchanges_ms: int = 365 * DAY_MS
    audit_ms: int = 1_825 * DAY_MS  # six months at least


@dataclass(frozen=True, slots=True)
class Roster:
    """The roster of another system (社区矫正信息管理系统); no source means none."""

    source: str | None = None  # a folder, or an HTTPS address
    at: Timing = Timing(3 * 3_600_000 + 30 * 60_000)
    whole: bool = False  # what it no longer names ends
    fewer_max: float = 0.1  # so many fewer people monitored need no confirmation
    ca: Path | None = None
    certificate: Path | None = None  # our own, where the other side asks for one
    key: Path | None = None
    authorization: str | None = field(default=None, repr=False)  # the whole header


@dataclass(frozen=True, slots=True)
class Receiver:
    """A platform that is given violations as signed JSON."""

    name: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Violations given back to other systems (违规回传); neither folder nor webhooks means to none."""

    folder: Path | None = None
    formats: tuple[FileFormat, ...] = (FileFormat.CSV,)
    at: Timing = Timing(None, 15 * 60_000)
    personal_data: Naming = Naming.FULL
    webhooks: tuple[Receiver, ...] = ()


@dataclass(frozen=True, slots=True)
class Database:
    """One URL for all, or one per process role; none at all means the embedded PostgreSQL."""

    url: str | None = field(default=None, repr=False)
    engine_url: str | None = field(default=None, repr=False)  # instead of url in `run`
    api_url: str | None = field(default=None, repr=False)  # instead of url in `serve`
    pool_max: int = 8


@dataclass(frozen=True, slots=True)
class Mqtt:
    """The broker; no url means none."""

    url: str | None = field(default=None, repr=False)
    client_id: str | None = None  # ours, which nobody without our password can know
    version: MqttVersion = MqttVersion.AUTO
    ca: Path | None = None  # instead of the system's own, for mqtts
    receive_maximum: int = 10_000  # unacknowledged messages the broker may have sent us
    keepalive_ms: int = 30_000
    session_expiry_ms: int = 7 * 86_400_000
    reconnect_max_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files; none means no TLS."""

    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None  # demand client certificates signed by these


@dataclass(frozen=True, slots=True)
class DeviceEndpoint:
    """The daemon's own MQTT listener for devices and officers; no address means none."""

    listen: Listen | None = None
    connections_max: int = 20_000
    receive_maximum: int = 64  # unacknowledged messages of one connection
    packet_bytes_max: int = 262_144
    connect_timeout_ms: int = 10_000
    tls: Tls = Tls()


@dataclass(frozen=True, slots=True)
class Http:
    """API and console (``serve``)."""

    listen: Listen = Listen("127.0.0.1", 8080)
    public_url: str | None = None  # as officers reach it; no links in messages without
    session_ms: int = 12 * 3_600_000
    secure_cookies: bool = False  # true behind a TLS proxy
    tiles: str | None = field(default=None, repr=False)  # of the map; may hold a key
    tiles_notice: str | None = None  # whose map it is
    tiles_gcj02: bool = False  # drawn in GCJ-02: the console shifts what it draws
    video_call: str | None = field(
        default=None, repr=False
    )  # 视频点名, {person_id} and {officer_id} filled in
    second_factor: tuple[Role, ...] = ()  # roles that may do nothing before they have one
    tls: Tls = Tls()


@dataclass(frozen=True, slots=True)
class Oidc:
    """Logging in by another platform's OpenID provider; no issuer means none."""

    issuer: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    username_claim: str = "preferred_username"  # which claim names the officer's username


@dataclass(frozen=True, slots=True)
class Run:
    """healthz, readyz and metrics of ``run``."""

    listen: Listen = Listen("127.0.0.1", 9464)
    blind_after_ms: int = 30_000  # serve is not ready when no daemon has been in charge for this long


@dataclass(frozen=True, slots=True)
class Ingest:
    """Bounds of the way in: what one commit takes and what may wait in memory."""

    batch_max_messages: int = 5_000
    batch_max_wait_ms: int = 200
    inbox_max_messages: int = 50_000
    inbox_max_bytes: int = 20 * 1_048_576  # with what Python needs beside it, 50 MB at most
    quarantine_max_rows: int = 100_000
    quarantine_max_bytes: int = 64 * 1_048_576


@dataclass(frozen=True, slots=True)
class DutyDesk:
    """What the duty desk is told beside alerts (值班)."""

    gap_notice_ms: int = 3 * DAY_MS  # so far ahead hours with nobody on call are shown
    alerts_per_day: int = 12  # to one officer; more is over budget
    digest_ms: int | None = 8 * 3_600_000  # civil time of day, after midnight; None: no digest


@dataclass(frozen=True, slots=True)
class Webhook:
    """One receiver of every page as signed JSON (CONTRACT §6)."""

    name: str
    url: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChannelOptions:
    """What is otherwise for one channel than for all; None: as for all."""

    timeout_ms: int | None = None
    concurrency: int | None = None
    per_minute: int | None = None  # messages of one provider, server, webhook, or officer's MQTT
    personal_data: Naming | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """The way out to officers.  ``channels`` by what a ladder may call them."""

    webhooks: tuple[Webhook, ...] = ()
    channels: Mapping[str, ChannelOptions] = field(default_factory=dict)
    personal_data: Naming = Naming.INITIALS
    link_expires_ms: int = 12 * 3_600_000
    timeout_ms: int = 10_000  # of one attempt on one channel
    channel_concurrency: int = 8  # attempts at once on one channel
    flood_per_minute: int = 6  # messages to one officer on one channel; more go as one
    failover_after_ms: int = 30_000  # a channel that has not taken a page by then is stood in for
    attempts_max: int = 12
    retry_first_ms: int = 2_000
    retry_max_ms: int = 120_000


@dataclass(frozen=True, slots=True)
class Watch:
    """Who watches the watchman; no url means nobody from outside."""

    tell_after_ms: int = 10_000  # blindness, or sight, that lasts shorter is told to nobody
    heartbeat_url: str | None = field(
        default=None, repr=False
    )  # a dead man's switch, POSTed to while in sight
    heartbeat_every_ms: int = 30_000


@dataclass(frozen=True, slots=True)
class Log:
    format: LogFormat = LogFormat.TEXT
    level: LogLevel = LogLevel.INFO


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the operator decides."""

    site: Site = Site()
    state_dir: Path = Path("state")
    keeping: Keeping = Keeping()
    roster: Roster = Roster()
    outgoing: Outgoing = Outgoing()
    database: Database = Database()
    mqtt: Mqtt = Mqtt()
    device_endpoint: DeviceEndpoint = DeviceEndpoint()
    http: Http = Http()
    oidc: Oidc = Oidc()
    run: Run = Run()
    ingest: Ingest = Ingest()
    detection: DetectionSettings = DetectionSettings()
    rules: RulesSettings = field(default_factory=RulesSettings)
    commands: CommandSettings = field(default_factory=CommandSettings)
    duty: DutyDesk = DutyDesk()
    paging: Paging = Paging()
    watch: Watch = Watch()
    log: Log = Log()


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration of a file (None: the defaults) with the environment's replacements.

    Raises ConfigFaults with every fault.
    """
    tree = tree_of_file(path) if path is not None else Tree({}, "defaults")
    replace_from_environment(tree, environ, SCHEMA, SHORT_NAMES)
    values = read(tree, SCHEMA)
    _check_together(tree, values)
    if tree.faults:
        raise ConfigFaults(tree.faults)
    return _built(values)


def _built(values: dict[str, Any]) -> Config:
    def part(name: str) -> dict[str, Any]:
        found: dict[str, Any] = values.get(name, {})
        return found

    def with_tls(name: str) -> dict[str, Any]:
        return {**part(name), "tls": Tls(**part(name).get("tls", {}))}

    site = Site(**part("site"))
    webhooks = tuple(Webhook(name, **hook) for name, hook in part("paging").get("webhooks", {}).items())
    channels = {name: ChannelOptions(**row) for name, row in part("paging").get("channels", {}).items()}
    receivers = tuple(Receiver(name, **hook) for name, hook in part("outgoing").get("webhooks", {}).items())
    config = Config(
        site=site,
        keeping=Keeping(**part("keeping")),
        roster=Roster(**part("roster")),
        outgoing=Outgoing(**{**part("outgoing"), "webhooks": receivers}),
        database=Database(**part("database")),
        mqtt=Mqtt(**part("mqtt")),
        device_endpoint=DeviceEndpoint(**with_tls("device_endpoint")),
        http=Http(**with_tls("http")),
        oidc=Oidc(**part("oidc")),
        run=Run(**part("run")),
        ingest=Ingest(**part("ingest")),
        detection=DetectionSettings(**part("detection"), language=site.language),
        rules=rules_settings(part("rules")),
        paging=Paging(**{**part("paging"), "webhooks": webhooks, "channels": channels}),
        commands=CommandSettings(**part("commands")),
        duty=DutyDesk(**part("duty")),
        watch=Watch(**part("watch")),
        log=Log(**part("log")),
    )
    return replace(config, state_dir=values["state_dir"]) if "state_dir" in values else config


def _check_together(tree: Tree, values: dict[str, Any]) -> None:
    """Faults of values that are sound alone and wrong together."""
    for name in ("device_endpoint", "http"):
        tls = values.get(name, {}).get("tls", {})
        if bool(tls.get("certificate")) != bool(tls.get("key")):
            tree.fault((name, "tls"), "expected both certificate and key, or neither")
        elif tls.get("client_ca") and not tls.get("certificate"):
            tree.fault((name, "tls", "client_ca"), "expected certificate and key beside it")
    if len({"issuer", "client_id", "client_secret"} & values.get("oidc", {}).keys()) in (1, 2):
        tree.fault(("oidc",), "expected issuer, client_id and client_secret, or none of them")
    if bool(values.get("roster", {}).get("certificate")) != bool(values.get("roster", {}).get("key")):
        tree.fault(("roster",), "expected both certificate and key, or neither")
    for section in ("paging", "outgoing"):
        for hook in values.get(section, {}).get("webhooks", {}):
            for missing in sorted({"url", "secret"} - tree.values[section]["webhooks"][hook].keys()):
                tree.fault((section, "webhooks", hook, missing), "is missing")
    for name, row in values.get("rules", {}).get("ladder_for", {}).items():
        if "steps" not in tree.values["rules"]["ladder_for"][name]:
            tree.fault(("rules", "ladder_for", name, "steps"), "is missing")
        if row.keys() <= {"steps"}:
            tree.fault(("rules", "ladder_for", name), "expected one of severity, kind, level, office")
    for first, second in rows_alike(values.get("rules", {})):
        tree.fault(("rules", "ladder_for", second), f"is about the same alerts as {first}")
    for section, low, high, defaults in _ORDERED:
        given = values.get(section, {})
        low_value, high_value = (given.get(n, getattr(defaults, n)) for n in (low, high))
        if low_value > high_value:
            tree.fault((section, low.removesuffix("_ms")), f"expected at most {high.removesuffix('_ms')}")


# Section, attribute, the attribute that it must not exceed, and the defaults of both.
_ORDERED = (
    ("detection", "battery_critical_pct", "battery_low_pct", DetectionSettings()),
    ("ingest", "batch_max_messages", "inbox_max_messages", Ingest()),
    ("paging", "retry_first_ms", "retry_max_ms", Paging()),
)
