"""Keeps a bounded copy of logs that their writers overwrite at each start, so that no content is lost."""

import hashlib
import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

LONGEST_BYTES = 1 << 20  # virt-manager and xend both rotate at 1 MiB
_KEPT = 3


class Spool:
    """The copy of one log. Its file names come from a digest of the log's path, never from the path itself."""

    def __init__(self, directory: Path, path: str) -> None:
        self._directory = directory
        self._stem = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        self._path = path

    def keep(self, offset: int, data: bytes) -> None:
        """Copy what is in the log at `offset`. Doing it again after a crash changes nothing."""
        room = LONGEST_BYTES - offset
        if room <= 0:
            return
        try:
            self._write(offset, data[:room])
        except OSError as error:
            log.warning("cannot keep a copy of %s in %s: %s", self._path, self._directory, error)

    def content(self) -> bytes:
        """What the log held when it was last read; empty where the copy is not complete."""
        return _read(self._file("current"))

    def turn(self, *, overlay: bool) -> None:
        """The log starts over: the copy becomes a previous one. `overlay`: the new text goes over the old, in place."""
        try:
            for number in range(_KEPT - 1, 0, -1):
                _rename(self._file(str(number)), self._file(str(number + 1)))
            content = self.content()
            _rename(self._file("current"), self._file("1"))
            if overlay:
                self._write(0, content)
        except OSError as error:
            log.warning("cannot keep the previous content of %s: %s", self._path, error)

    def start_over(self, size: int) -> bytes | None:
        """The log starts over and is of this size now: the old content where the new text goes over it, in place."""
        content = self.content()
        overlay = bool(content) and size == len(content)
        self.turn(overlay=overlay)
        return content if overlay else None

    def previous(self) -> list[bytes]:
        """Earlier contents, the latest first."""
        contents = [_read(self._file(str(number))) for number in range(1, _KEPT + 1)]
        return [content for content in contents if content]

    def _file(self, suffix: str) -> Path:
        return self._directory / f"{self._stem}.{suffix}"

    def _write(self, offset: int, data: bytes) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self._file("current"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if offset <= os.fstat(fd).st_size:  # otherwise its start was never read, and the copy would have a hole
                os.pwrite(fd, data, offset)
        finally:
            os.close(fd)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _rename(old: Path, new: Path) -> None:
    if old.exists():
        old.replace(new)
