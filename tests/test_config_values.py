"""Single values: what is taken and what is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrections_monitor.config_values import (
    Listen,
    Unfit,
    clock_time,
    duration,
    duration_ms,
    format_duration,
    is_open_to_plaintext,
    listen,
    masked,
    number,
    steps,
    truth,
    url,
    whole,
    whole_numbers,
)


@pytest.mark.parametrize(
    ("given", "ms"),
    [
        ("45s", 45_000),
        ("5m", 300_000),
        ("6h", 21_600_000),
        ("14d", 1_209_600_000),
        ("250ms", 250),
        ("1h30m", 5_400_000),
        ("1h 30m", 5_400_000),
        ("0.5s", 500),
        ("0s", 0),
        (45, 45_000),
        (0.25, 250),
        ("45", 45_000),
    ],
)
def test_durations(given: str | float, ms: int) -> None:
    assert duration_ms(given) == ms


@pytest.mark.parametrize(
    "given", ["", "m5", "5 minutes", "-5m", -1, True, None, [], "nan", "inf", "1e400", "9" * 400]
)
def test_what_is_no_duration(given: object) -> None:
    with pytest.raises(Unfit, match='such as "45s"'):
        duration_ms(given)  # type: ignore[arg-type]


@given(st.integers(0, 10**12))
def test_a_duration_survives_being_written_and_read(ms: int) -> None:
    assert duration_ms(format_duration(ms)) == ms


@pytest.mark.parametrize(("given", "ms"), [("00:00", 0), (" 08:30", 30_600_000), ("Never", None)])
def test_times_of_day(given: str, ms: int | None) -> None:
    assert clock_time(given) == ms


@pytest.mark.parametrize("given", ["24:00", "8:00", "08:60", "", 8, None, "08:00:00"])
def test_what_is_no_time_of_day(given: object) -> None:
    with pytest.raises(Unfit, match='such as "08:00"'):
        clock_time(given)


def test_bounds_are_allowed_themselves() -> None:
    read = duration("1s", "1m")
    assert (read("1s"), read("60s")) == (1_000, 60_000)
    for outside in ("999ms", "61s"):
        with pytest.raises(Unfit, match="from 1s to 1m"):
            read(outside)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("127.0.0.1:8080", Listen("127.0.0.1", 8080)),
        (":1883", Listen("0.0.0.0", 1883)),
        ("[::1]:0", Listen("::1", 0)),
        ("db.example:65535", Listen("db.example", 65535)),
    ],
)
def test_addresses_to_listen_on(given: str, expected: Listen) -> None:
    assert listen(given) == expected
    assert listen(str(expected)) == expected


@pytest.mark.parametrize(
    "given", ["8080", "host", "host:", "host:65536", "::1:80", "http://h:1", "h/:1", "", 8080, None]
)
def test_what_is_no_address(given: object) -> None:
    with pytest.raises(Unfit):
        listen(given)


@pytest.mark.parametrize("given", ["mqtt://h", "mqtts://u:p@h:8883", "mqtt://[::1]:1883"])
def test_urls(given: str) -> None:
    assert url("mqtt", "mqtts", example="x")(given) == given


@pytest.mark.parametrize(
    "given", ["h", "mqtt:h", "http://h", "mqtt://", "mqtt://h:99999", "mqtt://h:x", "mqtt://a b", 5]
)
def test_what_is_no_url(given: object) -> None:
    with pytest.raises(Unfit):
        url("mqtt", "mqtts", example="x")(given)


def test_a_masked_url_keeps_all_but_the_password() -> None:
    assert masked("mqtt://me:secret@h:1883/x") == "mqtt://me:***@h:1883/x"
    assert (
        masked("from mqtt://me:p@ss@h to mqtt://you:secret@i") == "from mqtt://me:***@h to mqtt://you:***@i"
    )
    assert masked("mqtt://h:1883") == "mqtt://h:1883"


def test_steps_ascend_from_the_start() -> None:
    read = steps(["minor", "major"])
    assert read("minor, major after 30m") == ((0, "minor"), (1_800_000, "major"))
    assert read(["major"]) == ((0, "major"),)
    for wrong in (
        "",
        "minor after 5m",
        "minor, major",
        "minor, major after 0s",
        "grave",
        [1],
        7,
        "minor, major after x",
    ):
        with pytest.raises(Unfit, match="ascending from the start, of minor, major"):
            read(wrong)


def test_numbers_are_not_truth_values_and_truth_is_no_number() -> None:
    for read in (whole(0, 10), number(0, 10), whole_numbers(0, 10)):
        with pytest.raises(Unfit):
            read(True)
    for wrong in (1, "maybe", None):
        with pytest.raises(Unfit):
            truth(wrong)
    assert truth("Yes") is True


@pytest.mark.parametrize(
    ("given", "is_open"),
    [
        ("postgresql://a@db.example.gov.cn/city", True),
        ("postgresql://a@10.0.0.3:5432/city?application_name=x", True),
        ("postgresql:///city?host=db2,localhost", True),
        ("postgresql://a@db.example.gov.cn/city?sslmode=verify-full", False),
        ("postgresql://a@db/city?sslmode=disable", False),  # said in so many words
        ("postgresql://a@localhost/city", False),
        ("postgresql://a@127.0.0.2/city", False),
        ("postgresql://a@[::1]:5433/city", False),
        ("postgresql:///city?host=/var/run/postgresql", False),
    ],
)
def test_a_database_elsewhere_is_open_to_plaintext_unless_its_url_speaks_of_tls(
    given: str, is_open: bool
) -> None:
    assert is_open_to_plaintext(given) is is_open


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers())))
def test_no_value_is_ever_an_exception_of_another_kind(value: object) -> None:
    readers = (
        duration(),
        listen,
        whole(0, 5),
        number(0, 5),
        whole_numbers(0, 5),
        truth,
        steps(["a", "b"]),
        url("mqtt", example="x"),
    )
    for read in readers:
        with contextlib.suppress(Unfit):
            read(value)
