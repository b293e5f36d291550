"""On which line of a TOML text each key stands; the standard library's reader does not say."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any


def key_lines(text: str) -> dict[str, int]:
    """Dotted key (tables too) → 1-based line, for a `text` that is known to be TOML."""
    found: dict[str, int] = {}
    table: tuple[str, ...] = ()
    for line, statement in _statements(text):
        tree = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = next(_paths(tree), ())
            found.setdefault(".".join(table), line)
            continue
        for path in _paths(tree):
            whole = (*table, *path)
            for depth in range(len(table) + 1, len(whole) + 1):
                found.setdefault(".".join(whole[:depth]), line)
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement with its first line: lines are joined until they are TOML on their own."""
    first, gathered = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if not gathered:
            first = number
            if not line.strip() or line.lstrip().startswith("#"):
                continue
        gathered += line + "\n"
        if _complete(gathered):
            yield first, gathered
            gathered = ""


def _complete(statement: str) -> bool:
    try:
        tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _paths(tree: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The paths to all leaves of what one statement made."""
    for key, value in tree.items():
        inner = value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else value
        if isinstance(inner, dict) and inner:
            yield from ((key, *rest) for rest in _paths(inner))
        else:
            yield (key,)
