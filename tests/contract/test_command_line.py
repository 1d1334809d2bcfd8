"""CONTRACT §5: 0 fine, 1 the work failed, 2 call or configuration are wrong; errors are one line each."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine, script
from contract_town import Recording, later, town_with_home

VERBS = [
    "run",
    "serve",
    "demo",
    "check",
    "migrate",
    "import",
    "export",
    "record",
    "replay",
    "backtest",
    "ack",
    "drill",
    "audit",
    "status",
    "credentials",
]


def test_the_installed_script_speaks(tmp_path: Path) -> None:
    result = script("--help", cwd=tmp_path)
    assert result.status == 0
    assert all(verb in result.out for verb in VERBS)
    assert script("replay", cwd=tmp_path).status == 2


@pytest.mark.parametrize(
    "call",
    [
        ["nonsense"],
        [],
        ["replay"],
        ["import"],
        ["record", "x.ndjson"],  # without a reason
        ["check", "--config", "absent.toml"],
        ["credentials", "issue", "dog", "D-1"],
        ["audit", "erase"],
        ["demo", "--port", "0"],
        ["demo", "--for", "ever"],
    ],
)
def test_a_wrong_call_is_2_and_one_line(cli: CommandLine, call: list[str]) -> None:
    result = cli.monitor(*call)
    assert (result.status, result.out, len(result.faults)) == (2, "", 1), result.err


def test_a_wrong_configuration_is_2_with_every_fault_and_those_of_the_cases(
    cli: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "monitor.toml").write_text(
        '[detection]\nsilence_min = "5x"\nfoo = 1\n[site]\nlanguage = "fr"\n'
    )
    town = town_with_home()
    town.files["people.csv"][0]["category"] = "robber"
    folder = town.write(tmp_path / "cases")
    env = {"CORRECTIONS_PAGING__TIMEOUT": "soon", "CORRECTIONS_NONSENSE": "1"}
    result = cli.monitor("check", folder, "--config", tmp_path / "monitor.toml", env=env)
    assert result.status == 2
    for name in (
        "monitor.toml: detection.silence_min", "monitor.toml: detection.foo", "monitor.toml: site.language",
        "CORRECTIONS_PAGING__TIMEOUT", "CORRECTIONS_NONSENSE", "people.csv:2: category: ",
    ):  # fmt: skip
        assert sum(name in line for line in result.faults) == 1, (name, result.err)
    assert len(result.faults) == 6


def test_the_environment_overrides_the_file_and_so_does_a_file_named_by_it(
    cli: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "monitor.toml").write_text('[detection]\nsilence_min = "7m"\n')
    (tmp_path / "minutes").write_text("9m\n")
    cases = town_with_home().write(tmp_path / "cases")
    spoken = Recording()
    spoken.fix(later(0))
    recording, output = spoken.write(tmp_path / "rec.ndjson"), tmp_path / "out.ndjson"

    def silent_at(env: dict[str, str]) -> str:
        done = cli.monitor(
            "--config", tmp_path / "monitor.toml", "replay", "--cases", cases, "--input", recording,
            "--output", output, "--until", later(20).isoformat(), env=env,
        )  # fmt: skip
        assert done.status == 0, done.err
        return output.read_text().partition('"at":"2026-06-01T10:')[2][:2]

    assert silent_at({}) == "07"
    assert silent_at({"CORRECTIONS_DETECTION__SILENCE_MIN": "8m"}) == "08"
    assert silent_at({"CORRECTIONS_DETECTION__SILENCE_MIN_FILE": str(tmp_path / "minutes")}) == "09"


def test_a_database_elsewhere_that_could_be_spoken_to_in_the_clear_is_one_line(cli: CommandLine) -> None:
    name, elsewhere = "CORRECTIONS_DATABASE__API_URL", "postgresql://api:secret@db.example/city"
    result = cli.monitor("check", env={name: elsewhere})
    assert (result.status, len(result.faults)) == (1, 1), result.err
    assert "database.api_url: expected sslmode" in result.err
    assert "secret" not in result.err
    assert cli.monitor("check", env={name: f"{elsewhere}?sslmode=verify-full"}).status == 0


@pytest.mark.parametrize(
    "call",
    [
        ["check", "absent"],
        ["replay", "--cases", "cases", "--input", "absent", "--output", "out"],
        ["replay", "--cases", "absent", "--input", "rec", "--output", "out"],
        ["replay", "--cases", "cases", "--input", "broken", "--output", "out"],
        ["replay", "--cases", "cases", "--input", "rec", "--output", "absent/out"],
    ],
)
def test_work_that_fails_is_1_and_one_line_and_leaves_no_output(cli: CommandLine, call: list[str]) -> None:
    town_with_home().write(cli.home / "cases")
    spoken = Recording()
    spoken.fix(later(0))
    spoken.write(cli.home / "rec")
    (cli.home / "broken").write_text(spoken.text() + "{broken\n")
    result = cli.monitor(*call)
    assert (result.status, len(result.faults)) == (1, 1), result.err
    assert not (cli.home / "out").exists()
    if "broken" in call:
        assert "broken:2: " in result.err


def test_a_database_that_is_away_is_1_and_one_line(cli: CommandLine) -> None:
    result = cli.monitor("status", env={"CORRECTIONS_DATABASE_URL": "postgresql://127.0.0.1:1/none"})
    assert (result.status, len(result.faults)) == (1, 1), result.err
    assert "database.url" in result.err
