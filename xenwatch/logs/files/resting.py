"""A log with files that were closed to spare descriptors: two stat calls show whether to open them."""

# ruff: noqa: PTH116  asked at every wake, and a Path costs ten times a string
import contextlib
import os
from collections.abc import Iterable

from xenwatch.logs.files.cursors import Cursor
from xenwatch.logs.files.file_reader import FileReader, open_log
from xenwatch.logs.files.fingerprint import FileIdentity, identify


class Resting:
    """What the log looked like when it was read last."""

    def __init__(self, path: str, readers: Iterable[FileReader]) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._waits = False
        """The end of a line is to come, or the file was not read to its end: it is opened at each slow check."""
        self._before: dict[FileIdentity, tuple[float, int]] = {}
        for reader in readers:
            self._seen = reader.drained
            self._waits |= reader.partial or reader.drained is None
            self._before[reader.identity] = (reader.quiet_since, reader.size)

    def is_over(self, *, settle: bool) -> bool:
        """Whether the log's file has changed since."""
        if settle and self._waits:
            return True
        try:
            status = os.stat(self._path)
        except OSError:
            return self._seen is not None
        return self._seen != (status.st_size, status.st_mtime_ns)

    def restore(self, reader: FileReader) -> None:
        """The reader of a file that is opened again: a line without its end has waited since before."""
        if before := self._before.get(reader.identity):
            reader.quiet_since, reader.size = before


def reopened(path: str, parked: Iterable[Cursor]) -> tuple[int | None, Cursor | None]:
    """The open file and its cursor where the content is still what was read; (None, None) otherwise."""
    try:
        with contextlib.ExitStack() as closing:
            fd = open_log(path)
            if fd is None:
                return None, None
            closing.callback(os.close, fd)
            identity = identify(fd)
            cursor = next((cursor for cursor in parked if cursor.identity == identity), None)
            if cursor is None or not cursor.matches(fd):
                return None, None
            closing.pop_all()
            return fd, cursor
    except OSError:
        return None, None
