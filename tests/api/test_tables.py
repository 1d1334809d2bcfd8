"""CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import pytest

from corrections_monitor.api.tables import csv_line


def test_cells_are_quoted_where_they_must_be() -> None:
    assert csv_line(["a", None, 'say "x", y', -1.5, "王某"]) == 'a,,"say ""x"", y",-1.5,王某\r\n'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_text_that_looks_like_a_formula_is_defused(start: str) -> None:
    assert csv_line([start + "cmd"]).startswith(("'" + start, "\"'" + start))
