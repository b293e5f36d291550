"""What a setting is: a default, a kind that reads what a person wrote, and words for the manual."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from xenwatch.base.durations import format_duration, parse_duration, parse_size
from xenwatch.base.errors import InvalidValue

T = TypeVar("T")
_KEY = "setting"
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class SettingKind(Generic[T]):
    """How values of one kind are written.

    `read` takes what TOML gave, `parse` the text of an environment variable; both raise InvalidValue that says what
    was expected.
    """

    name: str
    read: Callable[[object], T]
    parse: Callable[[str], T]
    show: Callable[[T], str]
    """As TOML, for the example file and for people."""


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One key of one section."""

    kind: SettingKind[T]
    default: T
    help: str


def setting(kind: SettingKind[T], default: T, help_: str) -> Any:
    """A dataclass field that is a setting (Any, as `dataclasses.field` is typed: the annotation beside it decides)."""
    return dataclasses.field(default=default, metadata={_KEY: Setting(kind, default, help_)})


def settings_of(section: type) -> dict[str, Setting[Any]]:
    """The settings that a section's dataclass declares, by key."""
    return {field.name: field.metadata[_KEY] for field in dataclasses.fields(section)}


def quoted(text: str) -> str:
    """A TOML basic string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue(f'{_written(value)} must be text in quotes: "{value}"')
    return value


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue(f"{value!r} must be true or false")
    return value


def _parse_bool(text: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in words:
        raise InvalidValue(f"{text!r} must be true or false")
    return words[text.lower()]


def _duration(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise InvalidValue(f'{value} has no unit; write "{value}s" or "{value}m"')
    return parse_duration(_text(value))


def _size(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return parse_size(_text(value))


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidValue(f"{_written(value)} must be a whole number of at least 1")
    return value


def _parse_count(text: str) -> int:
    return _count(int(text) if text.isascii() and text.isdecimal() else text)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise InvalidValue(f"must be a list: [{quoted(value)}]")
    if not isinstance(value, list):
        raise InvalidValue(f"{_written(value)} must be a list of texts in quotes")
    return tuple(map(_text, value))


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _show_texts(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(map(quoted, values)) + "]"


def _listen(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > _HIGHEST_PORT:
        raise InvalidValue(f'{text!r} must be an address and a port, like "127.0.0.1:10197" or "[::1]:10197"')
    return host.removeprefix("[").removesuffix("]"), int(port)


def show_address(address: tuple[str, int]) -> str:
    """`127.0.0.1:10197`, `[::1]:10197`."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def one_of(*words: str) -> SettingKind[str]:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in words:
            raise InvalidValue(f"{text!r} must be one of {', '.join(words)}")
        return text

    return SettingKind(" or ".join(words), lambda value: parse(_text(value)), parse, quoted)


TEXT = SettingKind("text", _text, str, quoted)
BOOL = SettingKind("true or false", _bool, _parse_bool, lambda value: str(value).lower())
DURATION = SettingKind("duration", _duration, parse_duration, lambda value: quoted(format_duration(value)))
SIZE = SettingKind("size", _size, parse_size, lambda value: quoted(_show_size(value)))
TEXTS = SettingKind("list of texts", _texts, _split, _show_texts)
COUNT = SettingKind("number", _count, _parse_count, str)
PATH = SettingKind("path", lambda value: Path(_text(value)), Path, lambda value: quoted(str(value)))
LISTEN: SettingKind[tuple[str, int]] = SettingKind(
    "address:port", lambda value: _listen(_text(value)), _listen, lambda value: quoted(show_address(value))
)


def optional(kind: SettingKind[T]) -> SettingKind[T | None]:
    """The same, or empty text for none."""
    return SettingKind(
        f"{kind.name} or empty",
        lambda value: None if value == "" else kind.read(value),
        lambda text: kind.parse(text) if text else None,
        lambda value: quoted("") if value is None else kind.show(value),
    )


def _show_size(count: int) -> str:
    for unit, size in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if count and count % size == 0:
            return f"{count // size}{unit}"
    return str(count)
