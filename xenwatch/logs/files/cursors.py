"""Positions that survive the agent: all bytes before one were read, none behind it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from xenwatch.logs.files.fingerprint import FileIdentity, Fingerprint


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far one file was read, and how to recognise the file."""

    identity: FileIdentity
    name: str
    """What `Position.generation` says; it stays when the content moves on to a copy."""
    offset: int
    line: int
    """Number of the line that `offset` lies in, from 1."""
    head: Fingerprint
    marker: Fingerprint
    """Of the bytes just before `offset`."""
    overwritten: bool = False
    """The writer is overwriting old content from its start; the end of the file is still the old one."""
    renamed: bool = False
    """The file was seen under another name than the log's: what stands at the log's path is no copy of it."""

    def matches(self, fd: int) -> bool:
        """Whether the open file still holds the fingerprinted bytes. Raises OSError."""
        head = os.pread(fd, self.head.length, 0)
        marker = os.pread(fd, self.marker.length, self.offset - self.marker.length)
        return Fingerprint.of(head) == self.head and Fingerprint.of(marker) == self.marker

    def may_be(self, other: FileIdentity) -> bool:
        """Whether only the content can decide: device numbers change at a reboot, some files have no generation."""
        return self.identity.device != other.device or other.generation is None

    def as_json(self) -> dict[str, Any]:
        return {
            "identity": list(self.identity),
            "name": self.name,
            "offset": self.offset,
            "line": self.line,
            "head": list(self.head),
            "marker": list(self.marker),
            "overwritten": self.overwritten,
            "renamed": self.renamed,
        }


class Rewound(NamedTuple):
    """Content that was replaced in place; `current`: of the log itself, not of a file rotated long ago."""

    cursor: Cursor
    current: bool


def read_cursor(raw: Any) -> Cursor | None:
    """A cursor from what `as_json` gave; None where it is damaged."""
    try:
        device, inode, generation = raw["identity"]
        cursor = Cursor(
            identity=FileIdentity(int(device), int(inode), None if generation is None else int(generation)),
            name=str(raw["name"]),
            offset=int(raw["offset"]),
            line=int(raw["line"]),
            head=_fingerprint(raw["head"]),
            marker=_fingerprint(raw["marker"]),
            overwritten=bool(raw["overwritten"]),
            renamed=bool(raw.get("renamed", False)),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return cursor if 0 <= cursor.marker.length <= cursor.offset and 0 <= cursor.head.length <= cursor.offset else None


def _fingerprint(raw: Any) -> Fingerprint:
    length, digest = raw
    return Fingerprint(int(length), str(digest))


def read_cursors(raw: Any) -> tuple[dict[str, list[Cursor]], int]:
    """Cursors of each path, oldest file first, and how many were damaged; an empty list where all of a path's were."""
    if not isinstance(raw, Mapping):
        return {}, int(raw is not None)
    cursors: dict[str, list[Cursor]] = {}
    damaged = 0
    for path, listed in raw.items():
        read = [read_cursor(item) for item in listed] if isinstance(listed, list) else [None]
        cursors[str(path)] = [cursor for cursor in read if cursor is not None]
        damaged += read.count(None)
    return cursors, damaged
