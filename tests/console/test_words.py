"""Whatever can stand on a timeline or in a list has a word in both languages."""

from __future__ import annotations

import pytest
from console_world import ROOT

from corrections_monitor.model.alerts import Answer, Disposition, Purpose
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import Rung
from corrections_monitor.rules.outcome import Noted
from corrections_monitor.store.outbox import PageState

_TEXT = "".join(
    file.read_text("utf-8") for file in (ROOT / "src/corrections_monitor/console").glob("words*.js")
)


@pytest.mark.parametrize(
    ("group", "values"),
    [
        ("what", [*Noted, *Answer]),
        ("kind", list(Kind)),
        ("severity", list(Severity)),
        ("disposition", list(Disposition)),
        ("purpose", list(Purpose)),
        ("page", list(PageState)),
        ("rung", list(Rung)),
    ],
)
def test_every_value_has_its_words(group: str, values: list[str]) -> None:
    assert not [value for value in values if f'"{group}.{value}": [' not in _TEXT]
