"""What an operator sees of the configuration: defaults, replacements, and faults all at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from corrections_monitor import demo as demo_room
from corrections_monitor.config import ChannelOptions, Config, ConfigFaults, Webhook, load
from corrections_monitor.config_reading import ANY_NAME, leaves
from corrections_monitor.config_schema import SCHEMA, SHORT_NAMES, MqttVersion
from corrections_monitor.config_values import Listen
from corrections_monitor.model.cases import Supervision
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import LadderRow, LadderStep, Language, RulesSettings, Rung
from corrections_monitor.paging.settings import ChannelSettings
from corrections_monitor.paging.way_out import outbox_settings
from corrections_monitor.rules.text import Naming

CONFIG = Path(__file__).parent.parent / "config"


def written(folder: Path, text: str) -> Path:
    path = folder / "monitor.toml"
    path.write_text(text, "utf-8")
    return path


def faults_of(path: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigFaults) as caught:
        load(path, environ or {})
    return str(caught.value).splitlines()


# -- the files we ship ------------------------------------------------------------------------------


def test_the_annotated_file_equals_the_defaults() -> None:
    assert load(CONFIG / "monitor.toml", {}) == load(None, {}) == Config()


def test_the_annotated_file_shows_every_key() -> None:
    shown = {
        line.lstrip("# ").split("=")[0].strip().strip('"')
        for line in (CONFIG / "monitor.toml").read_text("utf-8").splitlines()
        if "=" in line
    }
    assert {path[-1] for path in leaves(SCHEMA)} <= shown


def test_every_attribute_can_be_configured() -> None:
    """A setting that no key fills would be a lie; the language comes from [site]."""
    for section in dataclasses.fields(Config):
        value = getattr(Config(), section.name)
        if section.name in ("rules", "state_dir"):
            continue
        keys = {path[-1] for path in leaves(SCHEMA) if path[0] == section.name}
        for attribute in dataclasses.fields(value):
            if attribute.name in ("tls", "webhooks", "channels") or (section.name, attribute.name) == (
                "detection",
                "language",
            ):
                continue
            assert attribute.name.removesuffix("_ms") in keys, f"{section.name}.{attribute.name}"


def test_every_rule_can_be_configured() -> None:
    assert {f.name for f in dataclasses.fields(RulesSettings)} == {
        "severities", "ladders", "ladder_rows", "rejoin_ms", "ack_expires_ms", "ack_reminder_ms", "repeat_ms"
    }  # fmt: skip
    assert set(RulesSettings().severities) == set(Kind)
    assert set(RulesSettings().ladders) == {severity for severity in Severity if severity.pages}


def test_the_demo_is_quick() -> None:
    demo = load(Path(demo_room.__file__).with_name("demo.toml"), {})
    assert demo.detection.silence_min_ms == 45_000
    strict = dict(demo.rules.severities[Kind.SILENCE_DEVICE].by_level)["strict"]
    assert strict[0] == (0, Severity.MAJOR)


# -- values -----------------------------------------------------------------------------------------


def test_a_file_says_what_differs_from_the_defaults(tmp_path: Path) -> None:
    config = load(
        written(
            tmp_path,
            """
            state_dir = "/var/lib/corrections-monitor"
            site = {timezone = "Asia/Urumqi", language = "en"}
            [mqtt]
            url = "mqtt://broker:1884"
            version = "3.1.1"
            [device_endpoint]
            listen = "[::]:1883"
            [detection]
            silence_min = 90
            order_notice_days = [30, 3]
            [rules.severity]
            zone.exit = "major, critical after 5m"
            [rules.severity_by_person.P1]
            curfew = "critical"
            [rules.ladder]
            major = ["station-duty", "city-duty after 1h30m"]
            [paging.webhooks.centre]
            url = "https://centre.example/hook"
            secret = "sixteen characters"
            """,
        ),
        {},
    )
    assert config.state_dir == Path("/var/lib/corrections-monitor")
    assert config.site.timezone == ZoneInfo("Asia/Urumqi")
    assert config.detection.language is config.site.language is Language.EN
    assert config.mqtt.version is MqttVersion.V311
    assert config.device_endpoint.listen == Listen("::", 1883)
    assert config.detection.silence_min_ms == 90_000
    assert config.detection.order_notice_days == (30, 3)
    assert config.rules.severities[Kind.ZONE_EXIT].steps == (
        (0, Severity.MAJOR),
        (300_000, Severity.CRITICAL),
    )
    assert config.rules.severities[Kind.CURFEW].steps == ((0, Severity.MAJOR),)
    assert config.rules.severities[Kind.CURFEW].by_person == (("P1", ((0, Severity.CRITICAL),)),)
    assert config.rules.ladders[Severity.MAJOR] == (
        LadderStep(0, (Rung.STATION_DUTY,)),
        LadderStep(5_400_000, (Rung.CITY_DUTY,)),
    )
    assert config.paging.webhooks == (Webhook("centre", "https://centre.example/hook", "sixteen characters"),)


def test_settings_do_not_leak_from_one_load_into_the_next(tmp_path: Path) -> None:
    load(None, {"CORRECTIONS_RULES__SEVERITY__CURFEW": "info"})
    assert load(None, {}) == Config()


# -- the environment --------------------------------------------------------------------------------


def test_the_environment_replaces_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path, '[detection]\nsilence_min = "10m"\n[rules.severity_by_office.S-01]\nsos = "major"\n'
    )
    config = load(
        path,
        {
            "CORRECTIONS_DETECTION__SILENCE_MIN": "45s",
            "CORRECTIONS_DETECTION__SILENCE_INTERVALS": "2.5",
            "CORRECTIONS_DETECTION__ORDER_NOTICE_DAYS": "10, 2",
            "CORRECTIONS_HTTP__SECURE_COOKIES": "true",
            "CORRECTIONS_RULES__SEVERITY__SILENCE_DEVICE": "major, critical after 1h",
            "CORRECTIONS_RULES__SEVERITY_BY_OFFICE__S_01__SOS": "minor",
            "CORRECTIONS_RULES__SEVERITY_BY_OFFICE__S-02__SOS": "info",
            "HOME": "/root",
        },
    )
    assert config.detection.silence_min_ms == 45_000
    assert config.detection.silence_intervals == 2.5
    assert config.detection.order_notice_days == (10, 2)
    assert config.http.secure_cookies is True
    assert config.rules.severities[Kind.SILENCE_DEVICE].steps[1] == (3_600_000, Severity.CRITICAL)
    assert config.rules.severities[Kind.SOS].by_office == (
        ("S-01", ((0, Severity.MINOR),)),
        ("S-02", ((0, Severity.INFO),)),
    )


def test_the_variables_that_are_always_there() -> None:
    config = load(
        None,
        {
            "CORRECTIONS_DATABASE_URL": "postgresql:///corrections?host=/run/postgresql",
            "CORRECTIONS_MQTT_URL": "",
            "CORRECTIONS_DEVICE_LISTEN": ":0",
            "CORRECTIONS_HTTP_LISTEN": "0.0.0.0:80",
            "CORRECTIONS_RUN_LISTEN": "localhost:9000",
            "CORRECTIONS_STATE_DIR": "/tmp/a b",
        },
    )
    assert len(SHORT_NAMES) == 6
    assert config.database.url == "postgresql:///corrections?host=/run/postgresql"
    assert config.mqtt.url is None, "empty means none"
    assert config.device_endpoint.listen == Listen("0.0.0.0", 0)
    assert str(config.http.listen) == "0.0.0.0:80"
    assert config.run.listen == Listen("localhost", 9000)
    assert config.state_dir == Path("/tmp/a b")


def test_a_value_may_lie_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "database-url"
    secret.write_text("postgresql://u:p@db/corrections\n")
    for variable in ("CORRECTIONS_DATABASE_URL_FILE", "CORRECTIONS_DATABASE__URL_FILE"):
        assert load(None, {variable: str(secret)}).database.url == "postgresql://u:p@db/corrections"


def test_a_webhook_may_come_from_the_environment_alone(tmp_path: Path) -> None:
    path = written(tmp_path, '[paging.webhooks.duty-centre]\nurl = "https://centre.example"\n')
    hook = "CORRECTIONS_PAGING__WEBHOOKS__DUTY_CENTRE__SECRET"
    assert load(path, {hook: "0123456789abcdef"}).paging.webhooks[0].name == "duty-centre"


def test_variables_of_the_tests_are_no_configuration() -> None:
    assert load(None, {"CORRECTIONS_TEST_DATABASE_URL": "anything"}) == Config()


# -- faults -----------------------------------------------------------------------------------------


def test_all_faults_are_told_at_once_each_with_file_field_value_and_what_was_expected(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        state_dri = "x"
        http = 3
        [site]
        timezone = "Mars/Olympus"
        [detection]
        silence_min = "5 parsecs"
        silence_mim = "5m"
        battery_low_pct = true
        battery_critical_pct = 101
        gap_intervals = nan
        [rules.severity]
        "zone.exti" = "critical"
        curfew = "major, minor"
        [rules.ladder]
        critical = "station-chief after 3m"
        minor = "station-duty"
        [paging.webhooks.centre]
        url = "ftp://centre"
        """,
    )
    faults = faults_of(path, {"CORRECTIONS_RUN_LISTEN": "9464", "CORRECTIONS_DETECTION__SILENCE_MNI": "1s"})
    assert all(line.startswith((f"{path}: ", "CORRECTIONS_")) for line in faults)
    told = [line.removeprefix(f"{path}: ") for line in faults]
    for beginning in (
        "state_dri: unknown key; did you mean state_dir?",
        "http: expected a table [http]",
        'site.timezone: "Mars/Olympus": expected a time zone',
        'detection.silence_min: "5 parsecs": expected a duration',
        "detection.silence_mim: unknown key; did you mean silence_min?",
        "detection.battery_low_pct: true: expected a whole number from 0 to 100",
        "detection.battery_critical_pct: 101: expected a whole number from 0 to 100",
        "detection.gap_intervals: nan: expected a number from 1 to 1000",
        'rules.severity."zone.exti": unknown key; did you mean zone.exit?',
        'rules.severity.curfew: "major, minor": expected steps',
        'rules.ladder.critical: "station-chief after 3m": expected steps',
        "rules.ladder.minor: unknown key",
        "paging.webhooks.centre.url: (value not shown): expected a URL",
        "paging.webhooks.centre.secret: is missing",
        'CORRECTIONS_RUN_LISTEN: run.listen: "9464": expected an address',
        "CORRECTIONS_DETECTION__SILENCE_MNI: unknown variable; did you mean CORRECTIONS_DETECTION__SILENCE_M",
    ):
        assert any(line.startswith(beginning) for line in told), beginning
    assert len(faults) == 16


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "[detection]\nbattery_critical_pct = 30",
            "detection.battery_critical_pct: expected at most battery_low_pct",
        ),
        (
            "[ingest]\ninbox_max_messages = 10",
            "ingest.batch_max_messages: expected at most inbox_max_messages",
        ),
        ('[http.tls]\nkey = "a"', "http.tls: expected both certificate and key, or neither"),
        ('[http.tls]\nclient_ca = "a"', "http.tls.client_ca: expected certificate and key beside it"),
    ],
)
def test_values_that_are_wrong_only_together(tmp_path: Path, text: str, fault: str) -> None:
    path = written(tmp_path, text)
    assert faults_of(path) == [f"{path}: {fault}"]


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    missing = tmp_path / "no.toml"
    assert faults_of(missing) == [f"{missing}: cannot be read: No such file or directory"]
    assert faults_of(tmp_path) == [f"{tmp_path}: cannot be read: Is a directory"]
    broken = written(tmp_path, "[site\n")
    assert len(faults_of(broken)) == 1
    assert "line 1" in faults_of(broken)[0]
    broken.write_bytes(b"\xff\xfe")
    assert faults_of(broken) == [f"{broken}: is not UTF-8 text"]


def test_a_missing_secret_file_names_variable_and_file(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    faults = faults_of(None, {"CORRECTIONS_DATABASE_URL_FILE": str(gone)})
    assert faults == [f'CORRECTIONS_DATABASE_URL_FILE: "{gone}" cannot be read: No such file or directory']


def test_two_variables_for_one_value_are_a_fault() -> None:
    faults = faults_of(None, {"CORRECTIONS_RUN_LISTEN": ":1", "CORRECTIONS_RUN__LISTEN": ":2"})
    assert faults == [
        "CORRECTIONS_RUN_LISTEN: run.listen: CORRECTIONS_RUN__LISTEN sets it too: expected one of the two"
    ]


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    environ = {
        "CORRECTIONS_DATABASE_URL": "postgresql://u:hunter2@h/d",
        "CORRECTIONS_MQTT_URL": "mqtt://u:hunter2@h",
        "CORRECTIONS_PAGING__WEBHOOKS__C__URL": "https://u:hunter2@h",
        "CORRECTIONS_PAGING__WEBHOOKS__C__SECRET": "hunter2hunter2hunter2",
    }
    assert "hunter2" not in repr(load(None, environ))
    wrong = {
        name: value.replace("://", ":/", 1).replace("hunter2hunter2hunter2", "hunter2")
        for name, value in environ.items()
    }
    faults = faults_of(None, wrong)
    assert len(faults) == 4
    assert "hunter2" not in "".join(faults)


def test_the_schema_has_no_path_twice() -> None:
    named = [path for path in leaves(SCHEMA) if ANY_NAME not in path]
    assert len(named) == len(set(named))


# -- the ladder's table -------------------------------------------------------------------------------


def test_a_step_names_several_posts_and_its_channels(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "[rules.ladder]\n"
        'major = "station-duty + own-officer by mqtt + webhook:police else sms, city-duty after 90s"\n',
    )
    assert load(path, {}).rules.ladders[Severity.MAJOR] == (
        LadderStep(0, (Rung.STATION_DUTY, Rung.OWN_OFFICER), (("mqtt", "webhook:police"), ("sms",))),
        LadderStep(90_000, (Rung.CITY_DUTY,)),
    )


def test_a_channel_may_differ_from_all_others(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "[paging.channels.sms]\nper_minute = 20\nconcurrency = 2\n"
        '[paging.channels."webhook:police"]\npersonal_data = "full"\ntimeout = "30s"\n',
    )
    paging = load(path, {"CORRECTIONS_PAGING__CHANNELS__SMS__TIMEOUT": "5s"}).paging
    assert paging.channels == {
        "sms": ChannelOptions(timeout_ms=5_000, concurrency=2, per_minute=20),
        "webhook:police": ChannelOptions(timeout_ms=30_000, personal_data=Naming.FULL),
    }
    settings = outbox_settings(paging)
    assert settings.of("apprise:sms#1") == ChannelSettings(5.0, 2, 20)
    assert settings.of("webhook:police") == ChannelSettings(30.0, 8, 0)
    assert settings.of("webhook:city") == settings.of("mqtt") == ChannelSettings(10.0, 8, 0)
    assert settings.lease_ms == 60_000


@pytest.mark.parametrize(
    "steps",
    ["mayor", "station-duty by", "station-duty by mqtt else",
     "station-duty by mqtt else +", "station-duty after 1m", "station-duty, city-duty", "station-duty +", "",
     "station-duty by MQTT", "station-duty, city-duty after 1m, city-duty after 1m"],
)  # fmt: skip
def test_a_ladder_that_cannot_be_climbed_is_a_fault(tmp_path: Path, steps: str) -> None:
    [fault] = faults_of(written(tmp_path, f'[rules.ladder]\ncritical = "{steps}"\n'))
    assert "rules.ladder.critical" in fault
    assert "expected steps such as" in fault


def test_rows_of_the_ladder_table(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
[rules.ladder_for.sos]
kind = "sos"
level = "strict"
severity = "critical"
office = "K1"
steps = "county-duty"
""",
    )
    assert load(path, {}).rules.ladder_rows == (
        LadderRow(
            (LadderStep(0, (Rung.COUNTY_DUTY,)),), Severity.CRITICAL, Kind.SOS, Supervision.STRICT, "K1"
        ),
    )


def test_rows_of_the_ladder_table_that_say_too_little_or_contradict(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
[rules.ladder_for]
all = { steps = "city-duty" }
none = { kind = "sos" }
one = { kind = "curfew", steps = "city-duty" }
two = { kind = "curfew", steps = "county-duty" }
wrong = { severity = "minor", steps = "city-duty" }
""",
    )
    text = "\n".join(faults_of(path))
    assert "rules.ladder_for.all: expected one of severity, kind, level, office" in text
    assert "rules.ladder_for.none.steps: is missing" in text
    assert "rules.ladder_for.two: is about the same alerts as one" in text
    assert "rules.ladder_for.wrong.severity" in text
