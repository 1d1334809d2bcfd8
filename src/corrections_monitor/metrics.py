"""Every metric of the program (CONTRACT §7), in one file.

A process makes one ``Metrics`` and hands it down; there is no global registry, so that two runs in one
process (tests, the demo) never share a number.  Series of closed label sets exist from the start at 0:
an alert rule over a series that does not exist yet never fires.

Labels hold kinds, reasons and channel types, never a person, a device or an officer.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from corrections_monitor.model.episodes import Kind, Severity

# Ingest is judged against "committed within a second"; the first buckets show a healthy batch.
_LAG_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
# From an episode's beginning to its detection: two report intervals (1 min … 30 min) and thresholds.
_DETECTION_BUCKETS_S = (1, 5, 10, 20, 30, 60, 120, 240, 600, 1_200, 3_600, 10_800, 86_400)
# Officers must have a violation within 4 min (NIJ 1004.00, 5.3.5); a page should leave in a second.
_PAGE_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 240, 600, 3_600)
_STEP_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_BATCH_BUCKETS = (1, 10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000)


class Metrics:
    """The instruments, each an attribute named as the metric without its prefix and unit suffix."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"corrections_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"corrections_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"corrections_{name}", text, labels, buckets=buckets, registry=registry)

        # The way in.
        self.messages = counter(
            "messages_total", "MQTT messages taken, by what became of them", "source", "outcome"
        )
        self.quarantined = counter(
            "quarantined_total", "Unusable messages and fixes kept in quarantine", "reason"
        )
        self.fixes_stored = counter("fixes_stored_total", "New fixes committed")
        self.ingest_lag = histogram("ingest_lag_seconds", "From arrival to commit, per batch", _LAG_BUCKETS_S)
        self.batch_size = histogram("batch_size", "Messages per committed batch", _BATCH_BUCKETS)
        self.commits_failed = counter(
            "commits_failed_total", "Batches whose transaction failed and was repeated"
        )
        self.inbox_messages = gauge("inbox_messages", "Messages taken in and not yet committed")
        self.sources_connected = gauge(
            "sources_connected", "Sessions up: broker 0 or 1, endpoint connections", "source"
        )

        # Judgement.
        self.engine_step = histogram("engine_step_seconds", "One step of engine and rules", _STEP_BUCKETS_S)
        self.detection_lag = gauge(
            "detection_lag_seconds", "How old what is judged is, while more is waiting than one batch"
        )
        self.detection_latency = histogram(
            "detection_latency_seconds",
            "From an episode's beginning to its detection",
            _DETECTION_BUCKETS_S,
            "kind",
        )
        self.episodes_opened = counter("episodes_opened_total", "Episodes opened", "kind")
        self.episodes_open = gauge("episodes_open", "Episodes open now", "kind")
        self.people_monitored = gauge("people_monitored", "People with an order in force and a device bound")
        self.people_silent = gauge(
            "people_silent", "Of these, people with a silence or unmonitored episode open"
        )

        self.device_clocks_off = gauge(
            "device_clocks_off", "Devices whose clocks are off: set right, or beyond that", "state"
        )

        # The way out.
        self.pages = counter("pages_total", "Attempts to hand a page to a channel", "channel", "outcome")
        self.page_delay = histogram(
            "page_delay_seconds",
            "From detected (a later step: from due) to handed to the channel",
            _PAGE_BUCKETS_S,
        )
        self.pages_waiting = gauge("pages_waiting", "Pages due and not yet handed to their channel")
        self.pages_oldest = gauge(
            "pages_oldest_seconds", "Age of the oldest page due and not yet handed over"
        )
        self.alerts_unacknowledged = gauge(
            "alerts_unacknowledged", "Open alerts nobody has answered", "severity"
        )
        self.alerts_oldest = gauge(
            "alerts_unacknowledged_oldest_seconds",
            "Age of the oldest open alert nobody has answered",
            "severity",
        )

        # Exchange with other systems.
        self.roster_exchanges = counter("roster_exchanges_total", "Rosters looked for, by outcome", "outcome")
        self.roster_pending = gauge("roster_pending", "Rosters that wait for a person to confirm")
        self.roster_faults = gauge("roster_faults", "Faults of the last roster that came")
        self.outgoing_rows = counter("outgoing_rows_total", "Violations given to other systems", "sink")
        self.outgoing_failures = counter(
            "outgoing_failures_total", "Attempts to give violations that failed and are repeated", "sink"
        )
        self.outgoing_oldest = gauge(
            "outgoing_oldest_seconds", "How long violations have been waiting to be given", "sink"
        )

        # The house.
        self.blind = gauge("blind", "1 when this process is not fit to monitor (readyz answers 503)")
        self.heartbeat = gauge(
            "heartbeat_timestamp_seconds", "When this process was last fit to monitor (Unix time)"
        )
        self.leader = gauge("leader", "1 when this process is the one that judges")
        self.partition_days_ahead = gauge(
            "partition_days_ahead", "Days for which partitions are made in advance"
        )
        self.key_headroom = gauge(
            "key_headroom_ratio", "Share of a generated key's range still free", "table"
        )

        for outcome in ("applied", "pending", "same", "unchanged", "faulty", "not-now"):
            self.roster_exchanges.labels(outcome)
        for state in ("set_right", "beyond"):
            self.device_clocks_off.labels(state)
        for kind in Kind:
            self.episodes_opened.labels(kind)
            self.episodes_open.labels(kind)
        for severity in Severity:
            self.alerts_unacknowledged.labels(str(severity))
            self.alerts_oldest.labels(str(severity))
        self.blind.set(1)  # until the first proof of the contrary
