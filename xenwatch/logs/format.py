"""Says which dialect a log is written in: by its name, else by its content."""

import re
from dataclasses import dataclass
from functools import cache

from xenwatch.base.quoting import unquoted
from xenwatch.base.registry import load_parts
from xenwatch.logs import formats
from xenwatch.model.record import LogFormat

HEAD = 64 * 1024
"""Bytes from the start of a file that are looked at."""

LAST_RESORT = "stderr"
_TEXT_BYTES = bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100)) + b"\n\r\t\x1b\x08\x07\x0c"
_MOST_CONTROL_CHARACTERS = 0.03
"""Of random bytes a tenth are control characters no log has."""
_MAGIC = re.compile(
    rb"\x7fELF|\x89PNG|\xff\xd8\xff"
    rb"|SQLite format 3|%PDF|\xca\xfe|LKST|LPKSHHRH|KDUMP|MZ\x90|PK\x03\x04|QFI\xfb"
    rb"|conectix"
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """Either a dialect and how it was known, or None and why this is no log."""

    format: LogFormat | None
    reason: str
    """`name`, `content`, `text`; or, without a dialect, words for people: `binary`, `empty`."""


@cache
def all_formats() -> dict[str, LogFormat]:
    """Every dialect by its name, those asked first in front."""
    found = load_parts(formats, "FORMAT", LogFormat).values()
    return {part.name: part for part in sorted(found, key=lambda part: (part.rank, part.name))}


def recognise(path: str, head: bytes) -> Recognised:
    """`head` is the start of the file; more than HEAD bytes of it are not looked at. Never raises."""
    head = head[:HEAD]
    if not head:
        named = by_name(path)
        return Recognised(named, "name") if named else Recognised(None, "empty")
    if _is_binary(head):
        return Recognised(None, "binary")
    if named := by_name(path):
        return Recognised(_whose(named, head), "name")
    if sniffed := by_content(unquoted(head)):
        return Recognised(sniffed, "content")
    return Recognised(all_formats()[LAST_RESORT], "text")


def by_name(path: str) -> LogFormat | None:
    """The dialect whose files are called so; of several the one with the lowest rank."""
    return next((part for part in all_formats().values() if any(name.search(path) for name in part.names)), None)


def _whose(named: LogFormat, head: bytes) -> LogFormat:
    """A kernel's log is a guest's where xenconsoled stamped most of its lines: no kernel writes such a stamp."""
    if named.name != "kernel":
        return named
    console = all_formats()["console"]
    stamped = _matching_lines(console, unquoted(head))
    return console if 2 * stamped > head.count(b"\n") else named


def by_content(head: bytes) -> LogFormat | None:
    """The dialect in which most lines are written; of equals the one with the lowest rank."""
    best, most = None, 0
    for part in all_formats().values():
        lines = _matching_lines(part, head)
        if lines > most:
            best, most = part, lines
    return best


def _matching_lines(part: LogFormat, head: bytes) -> int:
    if part.sniff is None:
        return 0
    return sum(1 + max(0, match.group().count(b"\n") - 1) for match in part.sniff.finditer(head))


def _is_binary(head: bytes) -> bool:
    """NUL bytes alone do not make a log binary: a crash leaves runs of them, and copytruncate does."""
    if _MAGIC.match(head):
        return True
    solid = head.replace(b"\0", b"")
    if not solid:
        return True
    return len(solid.translate(None, _TEXT_BYTES)) > len(solid) * _MOST_CONTROL_CHARACTERS
