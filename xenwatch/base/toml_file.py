"""Reads a TOML file that a person wrote: its text and its tables, or the line at which it cannot be read."""

import re
import tomllib
from pathlib import Path
from typing import Any

from xenwatch.base.errors import ConfigError, Problem


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of the file and what it says. ConfigError names the line where it is not UTF-8 or not TOML."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise ConfigError([Problem(path, 0, "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError([Problem(path, line, "", "is not UTF-8 text")]) from error
    return text, parse_toml(text, path)


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """What a text says that is or will be in the file; ConfigError where it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        line = int(place[1]) if place else text.count("\n") + 1  # Python says "at end of document"
        raise ConfigError([Problem(path, line, "", f"is not TOML: {error}")]) from error
