"""The keys of the configuration file: names, readers and bounds, as one tree.

The meaning and default of each stands in ``config/monitor.toml``; a test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum

from corrections_monitor.config_reading import ANY_NAME, Key, Schema, TreePath
from corrections_monitor.config_values import (
    at_least_by_law,
    choice,
    choices,
    clock_time,
    duration,
    ladder,
    listen,
    number,
    path,
    roster_place,
    secret,
    steps,
    text,
    time_zone,
    timing,
    truth,
    url,
    whole,
    whole_numbers,
)
from corrections_monitor.model.cases import Role, Supervision
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import Language, Rung
from corrections_monitor.rules.text import Naming


class MqttVersion(StrEnum):
    """``auto``: 5, and 3.1.1 where the broker refuses it."""

    AUTO = "auto"
    V5 = "5"
    V311 = "3.1.1"


class PagingSeverity(StrEnum):
    """The severities that page."""

    MAJOR = "major"
    CRITICAL = "critical"


class FileFormat(StrEnum):
    """In what form violations are written out."""

    CSV = "csv"
    JSON = "json"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_POSTGRES = url("postgresql", "postgres", example="postgresql://user@host/database")
_BROKER = url("mqtt", "mqtts", example="mqtt://user:password@host:1883")
_HOOK = url("http", "https", example="https://host/path")

_SEVERITY_STEPS = steps([str(severity) for severity in Severity])
_LADDER = ladder(list(Rung))

_TLS: Schema = {
    "certificate": Key("certificate", path, optional=True),
    "key": Key("key", path, optional=True),
    "client_ca": Key("client_ca", path, optional=True),
}
_BY_KIND: Schema = {kind.value: Key(kind.value, _SEVERITY_STEPS) for kind in Kind}


def _at_least(name: str, least: str, most: str = "3650d") -> Key:
    return Key(f"{name}_ms", duration(least, most))


SCHEMA: Schema = {
    "state_dir": Key("state_dir", path),
    "site": {
        "timezone": Key("timezone", time_zone),
        "language": Key("language", choice(Language)),
    },
    "keeping": {
        "after_term": _at_least("after_term", "0s"),
        "violations": _at_least("violations", "184d", "36500d"),
        "commands": _at_least("commands", "30d"),
        "digests": _at_least("digests", "30d"),
        "quarantine": _at_least("quarantine", "1d"),
        "exchanges": _at_least("exchanges", "30d"),
        "audit": Key("audit_ms", at_least_by_law("184d", "网络安全法 第二十一条 (six months)")),
    },
    "roster": {
        "source": Key("source", roster_place, optional=True),
        "at": Key("at", timing),
        "whole": Key("whole", truth),
        "fewer_max": Key("fewer_max", number(0, 1)),
        "ca": Key("ca", path, optional=True),
        "certificate": Key("certificate", path, optional=True),
        "key": Key("key", path, optional=True),
        "authorization": Key("authorization", secret(8), secret=True, optional=True),
    },
    "outgoing": {
        "folder": Key("folder", path, optional=True),
        "formats": Key("formats", choices(FileFormat)),
        "at": Key("at", timing),
        "personal_data": Key("personal_data", choice(Naming)),
        "webhooks": {
            ANY_NAME: {
                "url": Key("url", _HOOK, secret=True),
                "secret": Key("secret", secret(16), secret=True),
                "ca": Key("ca", path),
            },
        },
    },
    "database": {
        "url": Key("url", _POSTGRES, secret=True, optional=True),
        "engine_url": Key("engine_url", _POSTGRES, secret=True, optional=True),
        "api_url": Key("api_url", _POSTGRES, secret=True, optional=True),
        "pool_max": Key("pool_max", whole(2, 200)),
    },
    "mqtt": {
        "url": Key("url", _BROKER, secret=True, optional=True),
        "client_id": Key("client_id", text, optional=True),
        "version": Key("version", choice(MqttVersion)),
        "ca": Key("ca", path, optional=True),
        "receive_maximum": Key("receive_maximum", whole(1, 65_535)),
        "keepalive": _at_least("keepalive", "5s", "10h"),
        "session_expiry": _at_least("session_expiry", "1m"),
        "reconnect_max": _at_least("reconnect_max", "1s", "1h"),
    },
    "device_endpoint": {
        "listen": Key("listen", listen, optional=True),
        "connections_max": Key("connections_max", whole(1, 1_000_000)),
        "receive_maximum": Key("receive_maximum", whole(1, 65_535)),
        "packet_bytes_max": Key("packet_bytes_max", whole(1_024, 16 * 1_048_576)),
        "connect_timeout": _at_least("connect_timeout", "1s", "10m"),
        "tls": _TLS,
    },
    "http": {
        "listen": Key("listen", listen),
        "public_url": Key("public_url", _HOOK, optional=True),
        "session": _at_least("session", "1m", "30d"),
        "secure_cookies": Key("secure_cookies", truth),
        "tiles": Key("tiles", _HOOK, optional=True),
        "tiles_notice": Key("tiles_notice", text, optional=True),
        "tiles_gcj02": Key("tiles_gcj02", truth),
        "video_call": Key("video_call", _HOOK, optional=True),
        "second_factor": Key("second_factor", choices(Role)),
        "tls": _TLS,
    },
    "oidc": {
        "issuer": Key("issuer", _HOOK, optional=True),
        "client_id": Key("client_id", text, optional=True),
        "client_secret": Key("client_secret", secret(8), secret=True, optional=True),
        "username_claim": Key("username_claim", text),
    },
    "run": {
        "listen": Key("listen", listen),
        "blind_after": _at_least("blind_after", "1s", "1h"),
    },
    "ingest": {
        "batch_max_messages": Key("batch_max_messages", whole(1, 1_000_000)),
        "batch_max_wait": _at_least("batch_max_wait", "1ms", "1m"),
        "inbox_max_messages": Key("inbox_max_messages", whole(1, 100_000_000)),
        "inbox_max_bytes": Key("inbox_max_bytes", whole(1_048_576, 1 << 40)),
        "quarantine_max_rows": Key("quarantine_max_rows", whole(1_000, 1 << 40)),
        "quarantine_max_bytes": Key("quarantine_max_bytes", whole(1_048_576, 1 << 40)),
    },
    "detection": {
        "silence_intervals": Key("silence_intervals", number(1, 1_000)),
        "silence_min": _at_least("silence_min", "1s"),
        "unheard": _at_least("unheard", "1s"),
        "travel_grace": _at_least("travel_grace", "0s"),
        "battery_low_pct": Key("battery_low_pct", whole(0, 100)),
        "battery_critical_pct": Key("battery_critical_pct", whole(0, 100)),
        "inferred_clear": _at_least("inferred_clear", "1s"),
        "gap_intervals": Key("gap_intervals", number(1, 1_000)),
        "gap_close": _at_least("gap_close", "1s"),
        "order_notice_days": Key("order_notice_days", whole_numbers(0, 92)),
        "future_tolerance": _at_least("future_tolerance", "0s"),
        "clock_within": _at_least("clock_within", "1m"),
        "retention": _at_least("retention", "1d"),
        "late": _at_least("late", "1s"),
        "outage_people_min": Key("outage_people_min", whole(2, 1_000_000)),
        "outage_share": Key("outage_share", number(0, 1)),
        "outage_window": _at_least("outage_window", "1s", "1d"),
        "evidence_gap": _at_least("evidence_gap", "0s"),
    },
    "rules": {
        "rejoin": _at_least("rejoin", "0s"),
        "severity": _BY_KIND,
        "severity_by_level": {level.value: _BY_KIND for level in Supervision},
        "severity_by_office": {ANY_NAME: _BY_KIND},
        "severity_by_person": {ANY_NAME: _BY_KIND},
        "ladder": {severity.value: Key(severity.value, _LADDER) for severity in PagingSeverity},
        "ladder_for": {
            ANY_NAME: {
                "severity": Key("severity", choice(PagingSeverity)),
                "kind": Key("kind", choice(Kind)),
                "level": Key("level", choice(Supervision)),
                "office": Key("office", text),
                "steps": Key("steps", _LADDER),
            },
        },
        "repeat": _at_least("repeat", "0s"),
        "ack_reminder": _at_least("ack_reminder", "0s"),
        "ack_expires": {severity.value: Key(severity.value, duration()) for severity in PagingSeverity},
    },
    "duty": {
        "gap_notice": _at_least("gap_notice", "0s", "62d"),
        "alerts_per_day": Key("alerts_per_day", whole(1, 10_000)),
        "digest": Key("digest_ms", clock_time),
    },
    "paging": {
        "personal_data": Key("personal_data", choice(Naming)),
        "link_expires": _at_least("link_expires", "1m", "30d"),
        "timeout": _at_least("timeout", "100ms", "10m"),
        "channel_concurrency": Key("channel_concurrency", whole(1, 1_000)),
        "flood_per_minute": Key("flood_per_minute", whole(0, 1_000)),
        "failover_after": _at_least("failover_after", "1s", "1h"),
        "attempts_max": Key("attempts_max", whole(1, 1_000)),
        "retry_first": _at_least("retry_first", "10ms", "1h"),
        "retry_max": _at_least("retry_max", "10ms", "1d"),
        "channels": {
            ANY_NAME: {
                "timeout": _at_least("timeout", "100ms", "10m"),
                "concurrency": Key("concurrency", whole(1, 1_000)),
                "per_minute": Key("per_minute", whole(0, 100_000)),
                "personal_data": Key("personal_data", choice(Naming)),
            },
        },
        "webhooks": {
            ANY_NAME: {
                "url": Key("url", _HOOK, secret=True),
                "secret": Key("secret", secret(16), secret=True),
            },
        },
    },
    "commands": {
        "pursuit": _at_least("pursuit", "0s", "1h"),
        "expires": _at_least("expires", "10s", "7d"),
    },
    "watch": {
        "tell_after": _at_least("tell_after", "1s", "20s"),
        "heartbeat_url": Key("heartbeat_url", _HOOK, secret=True, optional=True),
        "heartbeat_every": _at_least("heartbeat_every", "1s", "1h"),
    },
    "log": {
        "format": Key("format", choice(LogFormat)),
        "level": Key("level", choice(LogLevel)),
    },
}

SHORT_NAMES: dict[str, TreePath] = {
    "DATABASE_URL": ("database", "url"),
    "MQTT_URL": ("mqtt", "url"),
    "DEVICE_LISTEN": ("device_endpoint", "listen"),
    "HTTP_LISTEN": ("http", "listen"),
    "RUN_LISTEN": ("run", "listen"),
    "STATE_DIR": ("state_dir",),
}
"""The variables that are always there (CONTRACT §5), without their prefix."""
