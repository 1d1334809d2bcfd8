"""No secret is in the repository: nothing of a form that services give out, and no long random word that is
called a password, token, secret or key."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

import pytest
from test_house import ROOT, TEXT, ours

SHAPES = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}"
    r"|\bxox[abposr]-[A-Za-z0-9-]{10}|\bglpat-[\w-]{20}|\bAIza[\w-]{35}|\bsk-[A-Za-z0-9]{32}"
    r"|\beyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{15,}|\$argon2id?\$v=\d+\$m=\d+"
)
CALLED = re.compile(
    r"(?i)(?:pass(?:word|wd)?|secret|token|api_?key|credential)\w*[\"']?\]?\s*[:=]\s*[bfr]?[\"']?([\w+/=-]{20,})"
)
URL = re.compile(r"\w+://[^\s:/@\"'{}]+:([\w+=.-]{20,})@")
ENTROPY_MIN = 4.0
"""Bits a character: 32 random characters of base64 have about 4.5, words with dashes between under 3.9."""


def entropy(word: str) -> float:
    return -sum(n / len(word) * math.log2(n / len(word)) for n in Counter(word).values())


def secrets_in(text: str) -> list[str]:
    named = [*CALLED.findall(text), *URL.findall(text)]
    random = [
        w for w in named if entropy(w) >= ENTROPY_MIN and re.search(r"\d", w) and re.search(r"[A-Za-z]", w)
    ]
    return [found[0] for found in SHAPES.finditer(text)] + random


def test_no_secret_is_in_the_repository() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): words
        for path in ours()
        if path.suffix in TEXT | {".json", ".csv", ".txt", ".geojson", ".pem", ".key", ".env"}
        and path != Path(__file__)
        and (words := secrets_in(path.read_text("utf-8", errors="replace")))
    }
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        'password = "r88GfFlVOauRIjsiE8YPeGrPhys1-rSk7cHqjBVY9IU"',
        "CORRECTIONS_API_TOKEN=k3Jf9aQz71LmXc0vTb6Yw2Hs8Rd4Gn5P",
        "mqtts://B-1:r88GfFlVOauRIjsiE8YPeGrPhys1-rSk7cHqjBVY9IU@host:8883",
        "-----BEGIN EC PRIVATE KEY-----\n" + "MHcCAQEEIBkg4Y0pXnq2" * 3,
    ],
)
def test_one_would_be_found(line: str) -> None:
    assert secrets_in(line)
