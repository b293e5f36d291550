"""Reads a TOML table key by key: typed, with defaults, and with every key it did not ask for reported."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from xenwatch.base.durations import parse_duration, parse_size
from xenwatch.base.errors import Problem

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
        """The keys as written, for tables whose keys are names."""
        return list(self._content)

    def need(self, key: str, holds: bool, message: str) -> None:
        if not holds:
            self._file.report(self._path(key), message)

    def done(self) -> None:
        """Report each key nobody asked for."""
        for key in self._content:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                self._file.report(self._path(key), f"is not known here; known are {known}")

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
        self.path, self._lines = path, text.splitlines()
        self.problems: list[Problem] = []

    def report(self, key: str, message: str) -> None:
        self.problems.append(Problem(self.path, self._line_of(key), key, message))

    def _line_of(self, key: str) -> int:
        """The line of a dotted key: the headers of its tables in order, then the key itself; 0: not written."""
        line, dotted = 0, ""
        for part in key.split("."):
            name, _, nth = part.rstrip("]").partition("[")
            dotted = f"{dotted}.{name}" if dotted else name
            found = self._find(line, dotted, name, int(nth or 0))
            if found is None:
                return line
            line = found
        return line

    def _find(self, start: int, dotted: str, name: str, nth: int) -> int | None:
        """The line (1-based) of the nth header or key of this name from a line on; of a table inside it otherwise."""
        exact = re.compile(rf"\s*(?:\[+\s*{re.escape(dotted)}\s*\]+|\"?{re.escape(name)}\"?\s*=)")
        hits = [at for at in range(start, len(self._lines)) if exact.match(self._lines[at])]
        if len(hits) > nth:
            return hits[nth] + 1
        within = re.compile(rf"\s*\[+\s*{re.escape(dotted)}\.")
        return next((at for at in range(start, len(self._lines)) if within.match(self._lines[at])), None)


def _percent(text: str) -> float:
    found = re.fullmatch(r"(\d{1,3})%", text)
    if not found or int(found[1]) > 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"{text!r} is not a share; write it like 30%")
    return int(found[1]) / 100
