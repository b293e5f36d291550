"""Which log a file belongs to that looks like one of its own: a link, or a rotation that keeps the extension."""

import os
from collections.abc import Iterable, Mapping
from typing import Protocol

from xenwatch.logs.files.cursors import Cursor
from xenwatch.logs.files.file_reader import open_log
from xenwatch.logs.files.fingerprint import FileIdentity, identify
from xenwatch.logs.files.rotation import RotatedFile, is_copy
from xenwatch.logs.rotated_name import name_before_extension


class Tracked(Protocol):
    """A log that is read."""

    def identities(self) -> set[FileIdentity]: ...
    def cursors(self) -> list[Cursor]: ...


class TrackedFiles:
    """The files of all logs at one moment; `stored` are cursors of logs that are not read yet."""

    def __init__(self, logs: Mapping[str, Tracked], stored: Mapping[str, list[Cursor]]) -> None:
        self._logs, self._stored = logs, stored
        self._owners = {cursor.identity: path for path, listed in stored.items() for cursor in listed}
        self._owners |= {identity: path for path, log in logs.items() for identity in log.identities()}
        self._new: set[FileIdentity] = set()

    def add(self, path: str, fd: int) -> None:
        """A log that is read from now on."""
        identity = identify(fd)
        self._owners[identity] = path
        self._new.add(identity)

    def owner(self, path: str, fd: int) -> str | None:
        """The path of the log that the open file at this path belongs to; None: it is a log of its own."""
        identity = identify(fd)
        owner = self._owners.get(identity)
        if owner is not None and owner != path and self._is_sure(identity, owner, fd):
            return owner
        log = name_before_extension(path)
        if log is None or path in self._stored or not self._has_content_of(log, fd):
            return None
        return log

    def _is_sure(self, identity: FileIdentity, owner: str, fd: int) -> bool:
        """Without a generation it is only an inode number, which any file may have by now."""
        return (
            identity.generation is not None
            or identity in self._new
            or any(cursor.identity == identity and cursor.matches(fd) for cursor in self._cursors(owner))
        )

    def _has_content_of(self, log: str, fd: int) -> bool:
        cursors = self._cursors(log)
        return any(c.head.length and c.matches(fd) for c in cursors) or bool(cursors and _is_copy_of(log, fd))

    def _cursors(self, log: str) -> Iterable[Cursor]:
        read = self._logs.get(log)
        return read.cursors() if read is not None else self._stored.get(log, ())


def _is_copy_of(log: str, fd: int) -> bool:
    original = open_log(log)
    if original is None:
        return False
    try:
        copy = _file(fd)
        return copy.size > 0 and is_copy(copy, _file(original))
    finally:
        os.close(original)


def _file(fd: int) -> RotatedFile:
    status = os.fstat(fd)
    return RotatedFile("", fd, identify(fd), status.st_size, status.st_mtime, rotated=True)
