"""The rest of a log that was compressed before it was read: read on in the compressed file."""

# ruff: noqa: PTH116, PTH118, PTH208  as for the files beside it
import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import BinaryIO

from xenwatch.logs.files.cursors import Cursor
from xenwatch.logs.files.file_reader import PIECE_BYTES
from xenwatch.logs.files.fingerprint import MARKER_BYTES, Fingerprint
from xenwatch.logs.rotated_name import name_before_extension, rotated_name

_OPEN: dict[str, Callable[[str], BinaryIO]] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}  # type: ignore[dict-item]
_FAILURES = (OSError, EOFError, zlib.error, lzma.LZMAError)
_MOST_FILES = 8
"""Compressed files of a log that are looked into, the youngest."""
_LONGEST_SKIP = 256 << 20


class Archive:
    """What was not read of one file yet. `cursor` moves as it is read."""

    def __init__(self, stream: BinaryIO, cursor: Cursor) -> None:
        self._stream, self.cursor = stream, cursor

    def pieces(self) -> Iterator[tuple[Cursor, bytes]]:
        """Whole lines and where they begin; a file that is damaged ends there."""
        waiting = b""
        try:
            with self._stream:
                while data := self._stream.read(PIECE_BYTES - len(waiting)):
                    waiting += data
                    cut = waiting.rfind(b"\n") + 1 or (len(waiting) if len(waiting) >= PIECE_BYTES else 0)
                    if cut:
                        yield self._advance(waiting[:cut])
                        waiting = waiting[cut:]
        except _FAILURES:
            pass
        if waiting:
            yield self._advance(waiting)

    def _advance(self, piece: bytes) -> tuple[Cursor, bytes]:
        before = self.cursor
        offset, line = before.offset + len(piece), before.line and before.line + piece.count(b"\n")
        self.cursor = replace(before, offset=offset, line=line, marker=Fingerprint.of(piece[-MARKER_BYTES:]))
        return before, piece


def archives(directory: str, log: str, gone: Iterable[Cursor]) -> list[Archive]:
    """The compressed files that hold what was read up to these cursors, of files that are gone."""
    wanted = [cursor for cursor in gone if cursor.head.length and cursor.offset <= _LONGEST_SKIP]
    names = _packed(directory, log) if wanted else []
    found = (_archive(directory, names, cursor) for cursor in wanted)
    return [archive for archive in found if archive is not None]


def _packed(directory: str, log: str) -> list[str]:
    """Names of compressed files of the log, the youngest first."""
    ages = {}
    for name in os.listdir(directory):
        rotated = rotated_name(name)
        if rotated.packed in _OPEN and log in (rotated.log, name_before_extension(rotated.log)):
            try:
                ages[name] = os.stat(os.path.join(directory, name)).st_mtime
            except OSError:
                continue
    return sorted(ages, key=lambda name: -ages[name])[:_MOST_FILES]


def _archive(directory: str, names: Iterable[str], cursor: Cursor) -> Archive | None:
    for name in names:
        try:
            stream = _OPEN[rotated_name(name).packed](os.path.join(directory, name))
            if _is_at(stream, cursor):
                return Archive(stream, cursor)
            stream.close()
        except _FAILURES:
            continue
    return None


def _is_at(stream: BinaryIO, cursor: Cursor) -> bool:
    """Whether the content is what was read up to the cursor; the stream then stands behind it."""
    if Fingerprint.of(stream.read(cursor.head.length)) != cursor.head:
        return False
    stream.seek(cursor.offset - cursor.marker.length)
    return Fingerprint.of(stream.read(cursor.marker.length)) == cursor.marker
