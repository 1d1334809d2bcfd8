"""Reading single values of the configuration: durations, addresses, URLs, steps.

A reader takes what TOML or an environment variable holds (a variable is always text) and returns the
value, or raises ``Unfit`` saying what was expected.  Readers know nothing of files or fields; those are
added to the fault by ``config_reading``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from corrections_monitor.model.settings import Turns
from corrections_monitor.model.timing import Timing

Reader = Callable[[object], Any]


class Unfit(ValueError):
    """The value is not what was expected; the text completes "expected …"."""


_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d)\s*)+\Z")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_TRUTH = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def duration_ms(value: str | int | float) -> int:
    """Milliseconds of ``"45s"``, ``"5m"``, ``"1h30m"``, ``"14d"``, ``"250ms"`` or a number of seconds.

    Raises Unfit for anything else, and for negative or absurdly long ones (over 100 years).
    """
    expected = 'a duration such as "45s", "5m", "6h", "14d" or a number of seconds'
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unfit(expected)
    text = str(value).strip()
    if _DURATION.match(text):
        total = sum(float(number) * _UNIT_MS[unit] for number, unit in _DURATION_PART.findall(text))
    else:
        try:
            total = float(text) * 1_000
        except ValueError:
            raise Unfit(expected) from None
    if not 0 <= total <= 100 * 366 * _UNIT_MS["d"]:
        raise Unfit(expected)
    return round(total)


def format_duration(ms: int) -> str:
    """The shortest text that ``duration_ms`` reads back to the same number."""
    for unit in ("d", "h", "m", "s"):
        if ms and ms % _UNIT_MS[unit] == 0:
            return f"{ms // _UNIT_MS[unit]}{unit}"
    return f"{ms}ms" if ms else "0s"


def duration(least: str = "0s", most: str = "36500d") -> Reader:
    """A reader of durations between two bounds, both allowed; gives milliseconds."""
    low, high = duration_ms(least), duration_ms(most)

    def read(value: object) -> int:
        ms = duration_ms(value)  # type: ignore[arg-type]
        if not low <= ms <= high:
            raise Unfit(f"a duration from {least} to {most}")
        return ms

    return read


def whole(least: int, most: int) -> Reader:
    """A reader of whole numbers between two bounds, both allowed."""

    def read(value: object) -> int:
        expected = f"a whole number from {least} to {most}"
        if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,18}\s*", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Unfit(expected)
        return value

    return read


def number(least: float, most: float) -> Reader:
    """A reader of numbers between two bounds, both allowed."""

    def read(value: object) -> float:
        expected = f"a number from {least:g} to {most:g}"
        try:
            found = float(value) if isinstance(value, str | int | float) else None
        except (ValueError, OverflowError):
            found = None
        # A NaN fails the comparison, which is what is wanted.
        if found is None or isinstance(value, bool) or not least <= found <= most:
            raise Unfit(expected)
        return found

    return read


def whole_numbers(least: int, most: int) -> Reader:
    """A reader of lists of whole numbers; text holds them with commas between."""
    one = whole(least, most)

    def read(value: object) -> tuple[int, ...]:
        parts = value.split(",") if isinstance(value, str) else value
        try:
            if not isinstance(parts, list) or not parts:
                raise Unfit("")
            return tuple(one(part) for part in parts)
        except Unfit:
            raise Unfit(f"a list of whole numbers from {least} to {most}, such as [14, 7, 1]") from None

    return read


def truth(value: object) -> bool:
    """Read true or false."""
    found = _TRUTH.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise Unfit("true or false")
    return found


def text(value: object) -> str:
    """Read text that is not empty and has no control characters."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Unfit("text that is not empty")
    return value.strip()


def secret(chars_min: int) -> Reader:
    """A reader of shared secrets, too short ones refused."""

    def read(value: object) -> str:
        if not isinstance(value, str) or len(value) < chars_min or not value.isprintable():
            raise Unfit(f"a secret of at least {chars_min} characters")
        return value

    return read


def choice(kind: type[StrEnum]) -> Reader:
    """A reader of one of an enumeration's values."""

    def read(value: object) -> StrEnum:
        try:
            return kind(str(value).strip().lower())
        except ValueError:
            raise Unfit("one of " + ", ".join(kind)) from None

    return read


def choices(kind: type[StrEnum]) -> Reader:
    """A reader of lists of an enumeration's values, none included; text holds them with commas between."""
    one = choice(kind)

    def read(value: object) -> tuple[StrEnum, ...]:
        parts = [p for p in value.split(",") if p.strip()] if isinstance(value, str) else value
        try:
            if not isinstance(parts, list):
                raise Unfit("")
            return tuple(one(part) for part in parts)
        except Unfit:
            raise Unfit("a list of " + ", ".join(kind)) from None

    return read


def path(value: object) -> Path:
    """Read the path of a file or folder; ``~`` is the user's home."""
    try:
        return Path(text(value)).expanduser()
    except (Unfit, RuntimeError):
        raise Unfit("a path") from None


def time_zone(value: object) -> ZoneInfo:
    """Read the name of a time zone of the tz database."""
    try:
        return ZoneInfo(text(value))
    except (Unfit, ValueError, OSError, KeyError):
        raise Unfit('a time zone such as "Asia/Shanghai"') from None


_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z")


def clock_time(value: object) -> int | None:
    """Read a civil time of day as milliseconds since midnight; ``never`` is None."""
    match = _CLOCK.match(str(value).strip())
    if match is None and str(value).strip().lower() != "never":
        raise Unfit('a time of day such as "08:00", or "never"')
    return None if match is None else (60 * int(match[1]) + int(match[2])) * _UNIT_MS["m"]


def timing(value: object) -> Timing:
    """Read ``"03:30"``, a civil time of every day, or ``"every 15m"``."""
    expected = 'a time of day such as "03:30", or "every 15m" (at least a minute)'
    said = str(value).strip().lower()
    if said.startswith("every "):
        try:
            every_ms = duration_ms(said.removeprefix("every ").strip())
        except Unfit:
            raise Unfit(expected) from None
        if every_ms < _UNIT_MS["m"]:
            raise Unfit(expected)
        return Timing(None, every_ms)
    match = _CLOCK.match(said)
    if match is None:
        raise Unfit(expected)
    return Timing((60 * int(match[1]) + int(match[2])) * _UNIT_MS["m"])


def roster_place(value: object) -> str:
    """Read where a roster comes from: the path of a folder, or an HTTPS address."""
    expected = 'a folder such as "/srv/roster", or an address such as "https://host/roster.zip"'
    try:
        found = text(value)
    except Unfit:
        raise Unfit(expected) from None
    if "://" not in found:
        return str(path(found))
    if not found.startswith("https://"):
        raise Unfit(expected)
    return str(url("https", example="https://host/roster.zip")(found))


def at_least_by_law(least: str, law: str) -> Reader:
    """A reader of durations with a lower bound that a law sets."""
    low, read_any = duration_ms(least), duration()

    def read(value: object) -> int:
        ms = int(read_any(value))
        if ms < low:
            raise Unfit(f"a duration of at least {least}, as {law} demands")
        return ms

    return read


def listen(value: object) -> Listen:
    """Read ``host:port``, ``[ipv6]:port`` or ``:port`` (all addresses)."""
    expected = 'an address to listen on such as "127.0.0.1:8080" or ":1883"'
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:\[\]/]*)):(\d{1,5})", str(value).strip())
    if not isinstance(value, str) or match is None or int(match[3]) > 65_535:
        raise Unfit(expected)
    return Listen(match[1] or match[2] or "0.0.0.0", int(match[3]))  # noqa: S104  (":port" asks for it)


def url(*schemes: str, example: str) -> Reader:
    """A reader of URLs of given schemes, with a host (or a path for a socket) and a sound port."""

    def read(value: object) -> str:
        expected = f"a URL such as {example}"
        try:
            found = text(value)
            parts = urlsplit(found)
            port = parts.port  # raises ValueError when it is no number or too large
        except (Unfit, ValueError):
            raise Unfit(expected) from None
        has_place = bool(parts.hostname) or (port is None and "host=" in parts.query)
        if parts.scheme not in schemes or not has_place or re.search(r"\s", found):
            raise Unfit(expected)
        return found

    return read


def is_open_to_plaintext(database_url: str) -> bool:
    """Whether a PostgreSQL URL leads to another machine and says nothing of TLS: libpq would then take a
    server at its word that it has none.  ``sslmode=disable`` says something."""
    parts = urlsplit(database_url)
    asked = parse_qs(parts.query)
    hosts = asked.get("host", [parts.hostname or ""])[0].split(",")
    return "sslmode" not in asked and not all(map(_is_here, hosts))


def _is_here(host: str) -> bool:
    """This machine, or a socket in its file system."""
    if host in ("", "localhost") or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def masked(text: str) -> str:
    """The text with the passwords of all URLs in it masked, fit for a log or an error."""
    return re.sub(r"(?<=://)([^/\s:]*):[^/\s]*@", r"\1:***@", text)


def steps(words: Sequence[str]) -> Reader:
    """A reader of things that happen one after another: ``"minor, major after 30m, critical after 3h"``.

    Gives ((offset_ms, word), …), offsets strictly ascending from 0; text or a list of its parts.
    """
    expected = (
        f'steps such as "{words[0]}, {words[-1]} after 30m", ascending from the start, of ' + ", ".join(words)
    )

    def read(value: object) -> tuple[tuple[int, str], ...]:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(p, str) for p in parts) or not parts:
            raise Unfit(expected)
        found: list[tuple[int, str]] = []
        for part in parts:
            word, _, after = part.strip().lower().partition(" after ")
            try:
                offset_ms = duration_ms(after.strip()) if after else 0
            except Unfit:
                raise Unfit(expected) from None
            if word.strip() not in words or (offset_ms <= found[-1][0] if found else offset_ms != 0):
                raise Unfit(expected)
            found.append((offset_ms, word.strip()))
        return tuple(found)

    return read


_CHANNEL = re.compile(r"[a-z][a-z0-9.+-]*(?::[^\s,+]+)?")


def ladder(words: Sequence[str]) -> Reader:
    """A reader of ladders: ``"station-duty by mqtt + mailto else sms, own-officer + city-duty after 3m"``.

    Gives ((offset_ms, (whom, …), ((channel, …), …)), …), offsets strictly ascending from 0, channels by
    turns, no channels meaning all; text or a list of its parts.
    """
    expected = (
        f'steps such as "{words[0]}, {words[1]} + {words[2]} by mqtt else mailto after 3m", ascending '
        "from the start, of " + ", ".join(words)
    )

    def read(value: object) -> tuple[tuple[int, tuple[str, ...], Turns], ...]:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(p, str) for p in parts) or not parts:
            raise Unfit(expected)
        found: list[tuple[int, tuple[str, ...], Turns]] = []
        for part in parts:
            told, _, after = part.strip().partition(" after ")
            whom, _, by = told.partition(" by ")
            rungs, channels = _listed(whom), tuple(map(_listed, by.split(" else "))) if by.strip() else ()
            try:
                offset_ms = duration_ms(after.strip()) if after else 0
            except Unfit:
                raise Unfit(expected) from None
            is_next = offset_ms > found[-1][0] if found else offset_ms == 0
            known = rungs and all(r in words for r in rungs) and all(map(_are_channels, channels))
            if not is_next or not known:
                raise Unfit(expected)
            found.append((offset_ms, rungs, channels))
        return tuple(found)

    return read


def _are_channels(turn: tuple[str, ...]) -> bool:
    return bool(turn) and all(map(_CHANNEL.fullmatch, turn))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split("+"))) if text.strip() else ()
