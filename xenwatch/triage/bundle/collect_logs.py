"""The logs of a support bundle: which files, and the newest part of each."""

import glob
import gzip
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import BinaryIO, cast

from xenwatch.base.durations import format_size
from xenwatch.logs.rotated_name import rotated_name
from xenwatch.triage.report import SkippedFile

MOST_OF_ONE = 16 * 1024 * 1024
"""Bytes of one log, the newest."""
_MOST_PACKED = 64 * 1024 * 1024
_SMALLEST = 4096
"""Less room than this is none: a few torn lines help nobody."""
_READABLE = ("", "gz")
"""How a log may be packed that goes into the bundle: it is unpacked first, to be redacted."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log that is there."""

    path: str
    mtime: float


@dataclass(frozen=True, slots=True)
class CollectedLog:
    """A log's newest part; `cut` bytes before it were left out. A packed one is unpacked, for it is to be redacted."""

    file: LogFile
    data: bytes
    cut: int


def files_of(patterns: Sequence[str]) -> Iterator[LogFile]:
    """The logs that the patterns name, rotated ones included; regular files only."""
    for path in sorted({path for pattern in patterns for path in _paths(pattern)}):
        try:
            status = os.lstat(path)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode) and status.st_size:
            yield LogFile(path, status.st_mtime)


def _paths(pattern: str) -> Iterator[str]:
    """What the pattern names, and what a rotation made of it."""
    name_pattern = os.path.basename(pattern)  # noqa: PTH119 - patterns are text, as the follower takes them
    for path in glob.iglob(f"{pattern}*"):  # noqa: PTH207 - as above
        name = os.path.basename(path)  # noqa: PTH119 - as above
        rotated = rotated_name(name)
        if fnmatch(name, name_pattern) or (fnmatch(rotated.log, name_pattern) and rotated.packed in _READABLE):
            yield path


def read_newest(file: LogFile, room: int) -> CollectedLog | SkippedFile:
    """At most `room` bytes and MOST_OF_ONE of its end, from the start of a line."""
    most = min(room, MOST_OF_ONE)
    if most < _SMALLEST:
        return SkippedFile(file.path, f"no room left; the limit can be raised ({format_size(max(room, 0))} left)")
    try:
        with os.fdopen(os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            data, before = _unpacked(cast("BinaryIO", stream)) if file.path.endswith(".gz") else _end(stream, most)
    except (OSError, EOFError, zlib.error) as error:
        return SkippedFile(file.path, str(error))
    if len(data) > most:
        before, data = before + len(data) - most, data[-most:]
    if before:
        torn = data.find(b"\n") + 1
        before, data = before + torn, data[torn:]
    return CollectedLog(_plain(file), data, before)


def _end(file: BinaryIO, most: int) -> tuple[bytes, int]:
    size = file.seek(0, os.SEEK_END)
    start = file.seek(max(0, size - most))
    return file.read(most), start


def _unpacked(file: BinaryIO) -> tuple[bytes, int]:
    """A bomb gives its first part only."""
    with gzip.GzipFile(fileobj=file) as packed:
        return packed.read(_MOST_PACKED), 0


def _plain(file: LogFile) -> LogFile:
    return LogFile(file.path.removesuffix(".gz"), file.mtime)
