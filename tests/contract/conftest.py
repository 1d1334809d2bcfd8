"""One server of command-line calls for all tests here, and replays by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from contract_town import Recording, Story, Town, read


@pytest.fixture(scope="session")
def cli() -> Iterator[CommandLine]:
    line = CommandLine()
    yield line
    line.close()


@pytest.fixture
def replay(cli: CommandLine, tmp_path: Path) -> Callable[..., Story]:
    """``replay(town, recording, *options)``: the lines of the output."""

    def run(town: Town, recording: Recording, *options: Any, env: dict[str, str] | None = None) -> Story:
        cases = town.write(tmp_path / "cases")
        messages = recording.write(tmp_path / "messages.ndjson")
        output = tmp_path / "episodes.ndjson"
        result = cli.monitor(
            "replay", "--cases", cases, "--input", messages, "--output", output, *options, env=env
        )
        assert result.status == 0, result.err
        return read(output)

    return run
