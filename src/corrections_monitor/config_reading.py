"""From TOML and the environment to one tree of read values, with every fault found on the way.

A file gives a tree; each ``CORRECTIONS_…`` variable replaces one leaf of it; then a schema, a tree of the
same shape whose leaves are ``Key``, reads what is there.  Every leaf remembers where it came from, so
that a fault names the file or the variable that holds it.  Nothing stops at the first fault.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corrections_monitor.config_values import Reader, Unfit

PREFIX = "CORRECTIONS_"
FOR_TESTS = "CORRECTIONS_TEST_"  # the test suite's own variables; no part of the configuration
ANY_NAME = "*"  # in a schema: a table whose keys the user names (offices, people, webhooks)
_FILE = "_FILE"
_VALUE_CHARS_MAX = 60
_SECRET_BYTES_MAX = 65_536

TreePath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """How one leaf is read: the attribute it fills, its reader, whether its value may be shown.

    ``optional``: empty text means none.
    """

    attribute: str
    read: Reader
    secret: bool = False
    optional: bool = False


Schema = Mapping[str, "Key | Schema"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: where it stands, which field, and what was expected."""

    source: str
    field: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.source, self.field, self.message) if part)


class ConfigFaults(Exception):
    """The configuration cannot be used; ``faults`` has every reason, one line each."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(slots=True)
class Tree:
    """The values as they stand, where each came from, and the faults found so far."""

    values: dict[str, Any]
    source: str
    faults: list[Fault] = field(default_factory=list)
    replaced: dict[TreePath, str] = field(default_factory=dict)

    def fault(self, path: TreePath, message: str) -> None:
        self.faults.append(Fault(self.replaced.get(path, self.source), dotted(path), message))

    def replace(self, path: TreePath, value: str, source: str) -> None:
        """Set one leaf; whatever stands in the way of it is replaced."""
        table = self.values
        for name in path[:-1]:
            inner = table.get(name)
            if not isinstance(inner, dict):
                inner = table[name] = {}
            table = inner
        table[path[-1]] = value
        self.replaced[path] = source


def tree_of_file(path: Path) -> Tree:
    """The tree of a TOML file; an empty one and a fault that says why when it cannot be read."""
    try:
        return Tree(tomllib.loads(path.read_text("utf-8")), str(path))
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        reason = "is not UTF-8 text"
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = f"is not TOML: {error}"
    return Tree({}, str(path), [Fault(str(path), "", reason)])


def replace_from_environment(
    tree: Tree, environ: Mapping[str, str], schema: Schema, short_names: Mapping[str, TreePath]
) -> None:
    """Let every ``CORRECTIONS_…`` variable replace its leaf, ``…_FILE`` by the content of a file.

    ``short_names`` are variables (without prefix) that stand for a path.  An unknown variable is a fault,
    and so are two that replace the same leaf.
    """
    for variable in sorted(v for v in environ if v.startswith(PREFIX) and not v.startswith(FOR_TESTS)):
        name = variable.removeprefix(PREFIX)
        path, value = _path_of(name, tree, schema, short_names), environ[variable]
        if path is None and name.endswith(_FILE):
            path = _path_of(name.removesuffix(_FILE), tree, schema, short_names)
            value = _content(value, variable, tree) if path is not None else ""
        if path is None:
            known = [*(PREFIX + s for s in short_names), *map(as_variable, leaves(schema))]
            tree.faults.append(Fault(variable, "", "unknown variable" + did_you_mean(variable, known)))
        elif path in tree.replaced:
            tree.fault(path, f"{variable} sets it too: expected one of the two")
        else:
            tree.replace(path, value, variable)


def read(tree: Tree, schema: Schema) -> dict[str, Any]:
    """The values as the schema reads them: a dict per table, in it a value per attribute given."""
    return _read(tree, tree.values, schema, ())


def _read(tree: Tree, table: dict[str, Any], schema: Schema, path: TreePath) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in _flattened(table, schema):
        here = (*path, name)
        expected = schema.get(name, schema.get(ANY_NAME))
        if expected is None:
            tree.fault(here, "unknown key" + did_you_mean(name, schema))
        elif not isinstance(expected, Key):
            if isinstance(value, dict):
                found[name] = _read(tree, value, expected, here)
            else:
                tree.fault(here, f"expected a table [{dotted(here)}]")
        elif expected.optional and value == "":
            found[expected.attribute] = None
        else:
            try:
                found[expected.attribute] = expected.read(value)
            except Unfit as unfit:
                shown = "(value not shown)" if expected.secret else _shown(value)
                tree.fault(here, f"{shown}: expected {unfit}")
    return found


def _flattened(table: dict[str, Any], schema: Schema) -> Iterator[tuple[str, Any]]:
    """The items of a table, where ``zone.exit = …`` without quotes means the key "zone.exit"."""
    for name, value in table.items():
        joined = {f"{name}.{inner}": v for inner, v in value.items()} if isinstance(value, dict) else {}
        if name not in schema and any(j in schema for j in joined):
            yield from joined.items()
        else:
            yield name, value


def leaves(schema: Schema, path: TreePath = ()) -> Iterator[TreePath]:
    """The paths of all keys of a schema."""
    for name, inner in schema.items():
        if isinstance(inner, Key):
            yield (*path, name)
        else:
            yield from leaves(inner, (*path, name))


def as_variable(path: TreePath) -> str:
    """The variable that replaces a leaf, such as CORRECTIONS_DETECTION__SILENCE_MIN."""
    return PREFIX + "__".join(map(_segment, path))


def dotted(path: TreePath) -> str:
    """The path as it is written in TOML."""
    return ".".join(f'"{name}"' if "." in name else name for name in path)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """ "; did you mean …?" when something known is near, else nothing."""
    near = difflib.get_close_matches(name, [k for k in known if ANY_NAME not in k], n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _segment(name: str) -> str:
    return name.upper().replace(".", "_").replace("-", "_")


def _path_of(name: str, tree: Tree, schema: Schema, short_names: Mapping[str, TreePath]) -> TreePath | None:
    """The leaf that a variable (without prefix) names, or None."""
    if name in short_names:
        return short_names[name]
    path: TreePath = ()
    place: Key | Schema = schema
    values: Any = tree.values
    for part in name.split("__"):
        if isinstance(place, Key):
            return None
        key = next((k for k in place if _segment(k) == part), None)
        if key is None and ANY_NAME in place:
            # The user's own names: as the file spells it, else as the variable does.
            spelt = values if isinstance(values, dict) else {}
            key = next((k for k in spelt if _segment(k) == _segment(part)), part)
        if key is None or not key:
            return None
        place = place[key] if key in place else place[ANY_NAME]
        values = values.get(key) if isinstance(values, dict) else None
        path = (*path, key)
    return path if isinstance(place, Key) else None


def _content(file: str, variable: str, tree: Tree) -> str:
    """The text of a file that holds a value, without its last line end."""
    try:
        with Path(file).open(encoding="utf-8") as opened:
            content = opened.read(_SECRET_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        tree.faults.append(Fault(variable, "", f'"{file}" cannot be read: {reason}'))
        return ""
    if len(content) > _SECRET_BYTES_MAX:
        tree.faults.append(Fault(variable, "", f'"{file}" is longer than {_SECRET_BYTES_MAX} characters'))
    return content.removesuffix("\n").removesuffix("\r")


def _shown(value: object) -> str:
    """The value as TOML writes it, shortened."""
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    if isinstance(value, bool):
        shown = shown.lower()
    return shown if len(shown) <= _VALUE_CHARS_MAX else shown[:_VALUE_CHARS_MAX] + "…"
