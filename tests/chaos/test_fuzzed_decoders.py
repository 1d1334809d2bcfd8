"""``fuzz_decoders`` for a while; atheris is brought by ``make chaos``, without it this is skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from chaos_run import SEED, announce, only_whole

ROOT = Path(__file__).parents[2]
ATHERIS = ROOT / "build" / "fuzz"
RUNS = 100_000

pytestmark = [
    pytest.mark.chaos,
    only_whole,
    pytest.mark.skipif(not (ATHERIS / "atheris").is_dir(), reason="make chaos brings atheris"),
]


@pytest.mark.timeout(1_800)
def test_what_a_fuzzer_finds_crashes_neither_framing_nor_decoders(tmp_path: Path) -> None:
    announce(f"{RUNS} runs of a coverage-guided fuzzer")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    fuzzer = Path(__file__).with_name("fuzz_decoders.py")
    asked = [f"-runs={RUNS}", f"-seed={SEED + 1}", "-max_len=2048", "-timeout=10", "-rss_limit_mb=1024"]
    done = subprocess.run(
        [sys.executable, str(fuzzer), *asked, f"-artifact_prefix={tmp_path}/", str(corpus)],
        env={**os.environ, "PYTHONPATH": str(ATHERIS)}, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    print(f"chaos: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr[-3_000:]
    assert f"Done {RUNS} runs" in done.stderr
