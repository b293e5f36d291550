"""Reads TOML tables key by key: typed, with defaults; what is wrong or unknown is reported with its line."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from xenwatch.base.durations import parse_duration, parse_size
from xenwatch.base.errors import InvalidValue, Problem

T = TypeVar("T")


class TomlTable:
    """One table of the file. What is wrong is gathered in `problems`, shared by all tables of the file."""

    def __init__(self, content: Any, file: "TomlFile", key: str = "") -> None:
        self._file, self._key, self._asked = file, key, set[str]()
        self._content: Mapping[str, Any] = content if isinstance(content, dict) else {}
        if not isinstance(content, dict):
            file.report(key, "must be a table")

    def text(self, key: str, default: str = "") -> str:
        return self._get(key, default, str, "a text")

    def flag(self, key: str, default: bool) -> bool:
        return self._get(key, default, bool, "true or false")

    def whole(self, key: str, default: int, least: int = 0) -> int:
        value = self._get(key, default, int, "a whole number")
        if isinstance(value, bool) or value < least:
            return self._wrong(key, f"must be a whole number of at least {least}", default)
        return value

    def duration(self, key: str, default: float) -> float:
        return self._parsed(key, default, parse_duration)

    def size(self, key: str, default: int) -> int:
        return self._parsed(key, default, parse_size)

    def share(self, key: str, default: float) -> float:
        """A percentage such as `30%`, as a number from 0 to 1."""
        return self._parsed(key, default, _percent)

    def choice(self, key: str, default: T, among: tuple[T, ...]) -> T:
        value = self._get(key, cast("Any", default), str, "a text")
        if value not in among:
            return self._wrong(key, f"must be one of {', '.join(map(str, among))}", default)
        return cast("T", value)

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = self._get(key, list(default), list, "a list of texts")
        if not all(isinstance(item, str) for item in value):
            return self._wrong(key, "must be a list of texts", default)
        return tuple(value)

    def pairs(self, key: str) -> dict[str, str]:
        """A table of texts and numbers, all taken as text."""
        value: dict[str, Any] = self._get(key, {}, dict, "a table")
        if not all(isinstance(item, str | int | float) for item in value.values()):
            return self._wrong(key, "must hold texts and numbers only", {})
        return {name: str(item) for name, item in value.items()}

    def table(self, key: str) -> "TomlTable":
        self._asked.add(key)
        return TomlTable(self._content.get(key, {}), self._file, self._path(key))

    def tables(self, key: str) -> list["TomlTable"]:
        value: list[Any] = self._get(key, [], list, "a list of tables ([[…]])")
        return [TomlTable(item, self._file, f"{self._path(key)}[{nth}]") for nth, item in enumerate(value)]

    def names(self) -> list[str]:
        """The keys as written, for tables that have names as keys."""
        return list(self._content)

    def need(self, key: str, holds: bool, message: str) -> None:
        if not holds:
            self._file.report(self._path(key), message)

    def done(self) -> None:
        """Report each key nobody asked for."""
        for key in self._content:
            if key not in self._asked:
                names = ", ".join(sorted(self._asked))
                self._file.report(self._path(key), f"is not known here; known are {names}")

    def _parsed(self, key: str, default: T, parse: Callable[[str], T]) -> T:
        self._asked.add(key)
        if key not in self._content:
            return default
        try:
            return parse(str(self._content[key]))
        except ValueError as error:
            return self._wrong(key, str(error), default)

    def _get(self, key: str, default: T, kind: type, what: str) -> T:
        self._asked.add(key)
        value = self._content.get(key, default)
        return cast("T", value) if isinstance(value, kind) else self._wrong(key, f"must be {what}", default)

    def _wrong(self, key: str, message: str, default: T) -> T:
        self._file.report(self._path(key), message)
        return default

    def _path(self, key: str) -> str:
        return f"{self._key}.{key}" if self._key else key


class TomlFile:
    """The file as written, so that a problem can name its line."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self._text = path, text
        self.problems: list[Problem] = []

    def report(self, key: str, message: str) -> None:
        self.problems.append(Problem(self.path, self.line_of(key), key, message))

    def line_of(self, key: str) -> int:
        """The line of a dotted key or of what is written inside it, else that of the innermost table; 0: none is."""
        while key:
            inside = [line for name, line in self._lines.items() if name.startswith((f"{key}.", f"{key}["))]
            if key in self._lines or inside:
                return self._lines.get(key) or min(inside)
            key = key.rpartition("[" if key.endswith("]") else ".")[0]
        return 0

    @cached_property
    def _lines(self) -> dict[str, int]:
        """Found out when the first problem is reported: most files have none."""
        return key_lines(self._text)


def key_lines(text: str) -> dict[str, int]:
    """Dotted key (tables too) → 1-based line, for a `text` that is known to be TOML.

    The standard library's reader does not tell lines. Tables of an array are numbered, `rule[1].name`; the array
    itself, `rule`, stands where its first table does.
    """
    lines: dict[str, int] = {}
    tables = _OpenTables()
    for line, statement in _statements(text):
        tree = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            names = tables.enter(next(_paths(tree), ()), array=statement.lstrip().startswith("[["))
        else:
            names = [tables.inside(path[:depth]) for path in _paths(tree) for depth in range(1, len(path) + 1)]
        for name in names:
            lines.setdefault(name, line)
    return lines


class _OpenTables:
    """The table that the statements of a file stand in, and how many tables each array has by then."""

    def __init__(self) -> None:
        self._table = ""
        self._counts: Counter[str] = Counter()

    def enter(self, path: tuple[str, ...], *, array: bool) -> list[str]:
        """Go over to the table of a header; gives the keys that begin there."""
        name = ""
        for part in path[:-1]:
            name = self._newest(_join(name, part))
        name = _join(name, path[-1])
        if not array:
            self._table = name
            return [name]
        self._counts[name] += 1
        self._table = self._newest(name)
        return [name, self._table]

    def inside(self, path: tuple[str, ...]) -> str:
        """The whole dotted key of one that stands in the open table."""
        return ".".join(((self._table,) if self._table else ()) + path)

    def _newest(self, name: str) -> str:
        return f"{name}[{self._counts[name] - 1}]" if name in self._counts else name


def _join(table: str, key: str) -> str:
    return f"{table}.{key}" if table else key


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
    """The paths to all leaves of what one statement made, and to each list of tables before the tables in it."""
    for key, value in tree.items():
        inner: Mapping[str, Any] = {}
        if isinstance(value, dict):
            inner = value
        elif isinstance(value, list):
            inner = {f"[{nth}]": item for nth, item in enumerate(value) if isinstance(item, dict) and item}
        if not inner or isinstance(value, list):
            yield (key,)
        for name, *rest in _paths(inner):
            yield (key + name, *rest) if isinstance(value, list) else (key, name, *rest)


def _percent(text: str) -> float:
    found = re.fullmatch(r"(\d{1,3})%", text)
    if not found or int(found[1]) > 100:  # noqa: PLR2004 - per cent
        raise InvalidValue(f"{text!r} is not a share; write it like 30%")
    return int(found[1]) / 100
