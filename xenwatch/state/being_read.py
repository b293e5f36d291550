"""Which lines are being read just now, kept where a killed agent leaves it: no lines can kill one agent after another.

After a death in a chunk it is read line by line; a line in which the agent then dies twice is left out, and said so.
The note lies in a mapped file: writing it costs microseconds, and it outlives the process, not a power cut.
"""

import contextlib
import json
import logging
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xenwatch.model.record import Chunk

log = logging.getLogger(__name__)

FILE = "being-read"
_SIZE = 8192
MOST_SUSPECTS = 16
DEATHS = 2
"""Deaths in one and the same line after which it is left out."""

Place = tuple[str, str, int, int]
"""Path, generation, and the offsets of the first and behind the last byte."""


class BeingRead:
    """`left_out` counts the lines that were not read because the agent died in them before."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is that of the state; None: nothing is kept."""
        self.left_out = 0
        self._suspects: list[Place] = []
        self._note: mmap.mmap | None = None
        if folder is not None:
            with contextlib.suppress(OSError):  # a full disk is no reason not to read logs
                self._note = _mapped(folder / FILE)
                self._suspects = _suspects(self._note[:])

    def pieces(self, chunk: Chunk) -> Iterator[Chunk]:
        """The chunk, or its lines where the agent died in it, each noted while it is read."""
        if not any(_overlap(_place(chunk), suspect) for suspect in self._suspects):
            yield from self._noted(chunk)
            return
        for line in _lines(chunk):
            if self._suspects.count(_place(line)) >= DEATHS:
                self.left_out += 1
                log.error(
                    "xenwatch died in %s at byte %d: that line is left out", chunk.source.path, line.position.offset
                )
            else:
                yield from self._noted(line)
        self._suspects = [suspect for suspect in self._suspects if not _overlap(_place(chunk), suspect)]
        self._write(None)

    def _noted(self, chunk: Chunk) -> Iterator[Chunk]:
        self._write(_place(chunk))
        yield chunk
        self._write(None)

    def _write(self, now: Place | None) -> None:
        if self._note is None:
            return
        text = json.dumps([now, self._suspects[-MOST_SUSPECTS:]]).encode()
        if len(text) < _SIZE:
            self._note[: len(text) + 1] = text + b"\0"


def _mapped(path: Path) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.ftruncate(descriptor, _SIZE)
        return mmap.mmap(descriptor, _SIZE)
    finally:
        os.close(descriptor)


def _suspects(note: bytes) -> list[Place]:
    """Where the agents before died; nothing where the note is none."""
    try:
        now, before = json.loads(note.partition(b"\0")[0])
        return [_read(place) for place in [*before, *([now] if now else [])]][-MOST_SUSPECTS:]
    except (ValueError, TypeError):
        return []


def _read(place: Any) -> Place:
    path, generation, start, end = place
    return str(path), str(generation), int(start), int(end)


def _place(chunk: Chunk) -> Place:
    start = chunk.position.offset
    return chunk.source.path, chunk.position.generation, start, start + len(chunk.data)


def _overlap(one: Place, other: Place) -> bool:
    return one[:2] == other[:2] and one[2] < other[3] and other[2] < one[3]


def _lines(chunk: Chunk) -> Iterator[Chunk]:
    offset, line, lines = chunk.position.offset, chunk.position.line, _by_newline(chunk.data)
    for number, data in enumerate(lines):
        position = chunk.position._replace(offset=offset, line=line and line + number)
        yield chunk._replace(data=data, position=position, final=chunk.final and number == len(lines) - 1)
        offset += len(data)


def _by_newline(data: bytes) -> list[bytes]:
    pieces = data.split(b"\n")
    return [*(piece + b"\n" for piece in pieces[:-1]), *([pieces[-1]] if pieces[-1] else [])]
