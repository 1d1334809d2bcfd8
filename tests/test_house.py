"""The house rules that no import graph can hold (docs/architecture.md; imports: pyproject, importlinter)."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "corrections_monitor"
PURE = ("model", "geofence", "detection", "rules")
LINES_MAX = 500
PER_FOLDER = ("conftest.py", "__init__.py")
TEXT = {
    ".py",
    ".sql",
    ".md",
    ".toml",
    ".sh",
    ".yml",
    ".yaml",
    ".service",
    ".conf",
    ".svg",
    ".html",
    ".js",
    ".css",
    "",
}


def ours() -> list[Path]:
    """Every file that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def sources(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms or (".",) for path in (SRC / room).rglob("*.py"))


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def calls(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Every dotted name that is called; ``t.time()`` after ``import time as t`` is time.time too."""
    tree = ast.parse(path.read_text("utf-8"))
    real: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            real |= {(a.asname or a.name): a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            real |= {(a.asname or a.name): f"{node.module}.{a.name}" for a in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            head, _, rest = ast.unparse(node.func).partition(".")
            yield ".".join(filter(None, (real.get(head, head), rest))), node


READS_THE_TIME = re.compile(
    r"time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns|localtime|gmtime)"
    r"|datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today"
)
IMPURE = re.compile(r"(open|print|input|exec|eval)|numpy\.random\..*|numpy\.(load|save|fromfile|memmap)\w*")


def test_the_time_is_read_in_one_place() -> None:
    found = [
        where(path, node)
        for path in sources()
        if path != SRC / "clock.py"
        for name, node in calls(path)
        if READS_THE_TIME.fullmatch(name)
    ]
    assert not found, "pass a Clock instead"


def test_pure_rooms_touch_nothing_outside() -> None:
    found = [
        where(path, node) for path in sources(*PURE) for name, node in calls(path) if IMPURE.fullmatch(name)
    ]
    assert not found


def test_nothing_imports_app_or_cli() -> None:
    """Only ``cli`` and its verbs start ``app``; only the program's entry starts ``cli``."""
    found = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [f"{node.module}.{a.name}" for a in node.names]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for module in modules:
                is_app = re.match(r"corrections_monitor\.app\b", module) and path.parent.name != "verbs"
                is_cli = re.match(r"corrections_monitor\.cli\b", module) and path.name != "__main__.py"
                if is_app or is_cli:
                    found.append(where(path, node))
    assert not found


SQL = re.compile(
    r"\b(SELECT\s[\s\S]+\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|CREATE\s+(TABLE|INDEX)\s)",
    re.I,
)


def test_sql_stands_in_sql_files() -> None:
    found = []
    for path in sources():
        tree = ast.parse(path.read_text("utf-8"))
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        found += [
            where(path, node)
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
            and SQL.search(node.value)
        ]
    assert not found


def test_no_sql_is_put_together_from_values() -> None:
    """What is executed is a name of ours, a literal, or such with identifiers of ours put in by psycopg:
    never text that was formatted, added or encoded on the way."""
    found = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and _called(node) in ("SQL", "execute", "copy"):
                text = node.args[0]
                either = [text.body, text.orelse] if isinstance(text, ast.IfExp) else [text]
                is_ours = _called(text) == "query" or all(isinstance(t, ast.Constant) for t in either)
                made = isinstance(text, ast.JoinedStr | ast.BinOp) or _called(text) in ("encode", "format")
                is_composed = _called(text) == "format" and _called(text.func.value) == "SQL"  # type: ignore
                if (made and not is_composed) or (_called(node) == "SQL" and not is_ours):
                    found.append(where(path, node))
    assert not found


def _called(node: ast.AST) -> str:
    """The bare name of what a call calls; empty when it is none."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def test_a_file_is_one_idea() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in ours()
        if path.suffix in (".py", ".sql") and (lines := len(path.read_text("utf-8").splitlines())) > LINES_MAX
    }
    assert not too_long


def test_no_two_helpers_of_tests_go_by_one_name() -> None:
    """pytest puts all folders of tests on one path: of two files of a name the first would stand for both."""
    names = Counter(p.name for p in (ROOT / "tests").rglob("*.py") if p.name not in PER_FOLDER)
    assert not [name for name, count in names.items() if count > 1]


def test_nothing_is_left_undone() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in ours()
        if path.suffix in (".py", ".sql") and path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError|breakpoint\(\)", line)
    ]
    assert not found


# Words that are about how the files came to be, not about the program: folders of one machine, tools of
# one workshop.  As digests, so that this file does not hold them either.
WORKSHOP = frozenset(
    {
        "c857d09db23e6822", "60965168ce762e94", "3ea125d0bff386e6", "c70eca6b0f88f44d", "7d3194f79e645c42",
        "5d72436256ada538", "487b91042c7cf27a", "053ea4804ef1bb33", "0c9a453fad615c83", "57de4cf40144bdf7",
    }
)  # fmt: skip
WORD = re.compile(r"[a-z]{3,}|(?<![\w./~])/[a-z]+(?=/)")


def workshop_words(text: str) -> list[str]:
    return [w for w in WORD.findall(text.lower()) if hashlib.sha256(w.encode()).hexdigest()[:16] in WORKSHOP]


def test_the_workshop_is_not_in_the_work() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in ours()
        if path.suffix in TEXT
        for word in workshop_words(path.read_text("utf-8", errors="replace"))
    ]
    assert not found


def test_the_workshop_would_be_found() -> None:
    assert workshop_words("see /" + "work/x and g" + "pt-9, workshop, /workers/x, a/" + "work/b") == [
        "/" + "work",
        "g" + "pt",
    ]
