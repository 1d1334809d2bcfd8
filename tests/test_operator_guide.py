"""What the guides say to type can be typed, and every alarm that can ring has its line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from corrections_monitor.cli import _parser

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "operator-guide.md"
PAGES = [ROOT / "README.md", ROOT / "systemd" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def typed(page: Path) -> Iterator[str]:
    """The program's commands on a page, in blocks and in running text; what is optional, too."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)).splitlines()
    lines += re.findall(r"`(corrections-monitor [^`]*)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for line in lines:
        found = re.match(r"\s*(?:\w+=\S+ )*(?:\S*/)?corrections-monitor (.*)", line)
        if found:
            yield re.sub(r"[\[\]]", "", re.split(r"\s(?:\||>|&&|\|\||#)", found[1])[0])


COMMANDS = sorted({(page.relative_to(ROOT).as_posix(), line) for page in PAGES for line in typed(page)})


def test_there_are_commands() -> None:
    assert sum(page == "docs/operator-guide.md" for page, _ in COMMANDS) > 10


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=lambda text: text)
def test_a_command_of_the_guides_exists(page: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(line)
    # ``issue|rotate`` is one of the two.
    for choice in range(max(word.count("|") for word in words) + 1):
        try:
            _parser().parse_args([word.split("|")[choice % (word.count("|") + 1)] for word in words])
        except SystemExit:
            pytest.fail(f"{page}: {line}: {capsys.readouterr().err}")


def test_every_alarm_has_its_line() -> None:
    alarms = re.findall(r"- alert: (\w+)", (ROOT / "config/prometheus/alerts.yml").read_text("utf-8"))
    told = re.findall(r"^\| `([A-Z]\w+)` \|", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert told == alarms, "docs/operator-guide.md, Alarms: one line each, in their order"


def test_what_a_page_refers_to_is_there() -> None:
    lost = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            path, _, anchor = target.partition("#")
            if "://" in target:
                continue
            other = (page.parent / path).resolve() if path else page
            if not other.exists() or (anchor and anchor not in anchors(other)):
                lost.append(f"{page.name}: {target}")
    assert not lost


def anchors(page: Path) -> set[str]:
    """As the usual renderers make them of headings."""
    heads = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
