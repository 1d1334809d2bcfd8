"""The metrics of CONTRACT §7, as a scraper sees them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from corrections_monitor.metrics import Metrics
from corrections_monitor.model.episodes import Kind

PROMISED = [
    ("messages_total", {"source", "outcome"}),
    ("quarantined_total", {"reason"}),
    ("fixes_stored_total", set()),
    ("ingest_lag_seconds_bucket", {"le"}),
    ("detection_latency_seconds_bucket", {"kind", "le"}),
    ("episodes_opened_total", {"kind"}),
    ("episodes_open", {"kind"}),
    ("pages_total", {"channel", "outcome"}),
    ("page_delay_seconds_bucket", {"le"}),
    ("alerts_unacknowledged", {"severity"}),
    ("people_monitored", set()),
    ("people_silent", set()),
    ("batch_size_bucket", {"le"}),
    ("engine_step_seconds_bucket", {"le"}),
    ("blind", set()),
    ("leader", set()),
]


def scraped(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def used(metrics: Metrics) -> Metrics:
    """Every instrument with one value."""
    metrics.messages.labels("broker", "stored").inc()
    metrics.quarantined.labels("future").inc()
    metrics.detection_latency.labels(Kind.CURFEW).observe(1)
    metrics.pages.labels("webhook", "delivered").inc()
    metrics.key_headroom.labels("fixes").set(1)
    metrics.sources_connected.labels("broker").set(1)
    metrics.outgoing_oldest.labels("files").set(0)
    return metrics


@pytest.mark.parametrize(("name", "labels"), PROMISED)
def test_promised_metrics_exist_under_their_names(name: str, labels: set[str]) -> None:
    series = re.search(rf"^corrections_{name}(?:{{(.*?)}})? ", scraped(used(Metrics())), re.M)
    assert series is not None
    assert set(re.findall(r'(\w+)="', series[1] or "")) == labels


def test_every_kind_and_severity_exists_before_its_first_event() -> None:
    """An alert rule over a series that is not there never fires."""
    text = scraped(Metrics())
    for kind in Kind:
        assert f'corrections_episodes_opened_total{{kind="{kind}"}} 0.0' in text
        assert f'corrections_episodes_open{{kind="{kind}"}} 0.0' in text
    assert 'corrections_alerts_unacknowledged{severity="critical"} 0.0' in text


def test_a_process_is_blind_until_it_has_shown_that_it_sees() -> None:
    assert "corrections_blind 1.0" in scraped(Metrics())


def test_two_runs_in_one_process_share_no_number() -> None:
    first, second = Metrics(), Metrics()
    first.fixes_stored.inc(5)
    assert "corrections_fixes_stored_total 0.0" in scraped(second)


def test_alert_rules_and_dashboard_name_only_metrics_that_exist() -> None:
    known = set(re.findall(r"^(corrections_\w+?)(?:\{| )", scraped(used(Metrics())), re.M))
    folder = Path(__file__).parent.parent / "config"
    files = [*folder.glob("prometheus/*.yml"), *folder.glob("grafana/*.json")]
    assert files
    for file in files:
        named = set(re.findall(r"corrections_\w+", file.read_text("utf-8")))
        assert named <= known, f"{file.name}: {sorted(named - known)}"
