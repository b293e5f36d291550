"""Reads one file of a log, held open, piece by piece."""

import contextlib
import os
import stat
from collections.abc import Iterator

from xenwatch.base.errors import RewoundError
from xenwatch.logs.files.cursors import Cursor
from xenwatch.logs.files.fingerprint import HEAD_BYTES, MARKER_BYTES, FileIdentity, Fingerprint

PIECE_BYTES = 256 * 1024
_LINE_SEARCH_BYTES = 64 * 1024
_OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK  # a FIFO among the logs must not hold us up


def open_log(path: str) -> int | None:
    """A descriptor of a regular file; None where there is none or it is something else. Raises OSError otherwise."""
    try:
        fd = os.open(path, _OPEN_FLAGS)
    except FileNotFoundError:
        return None
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    return None


@contextlib.contextmanager
def opened(path: str) -> Iterator[int | None]:
    """As `open_log`, for the time of the block."""
    fd = open_log(path)
    try:
        yield fd
    finally:
        if fd is not None:
            os.close(fd)


class FileReader:
    """One open file and how far it was read."""

    def __init__(self, fd: int, identity: FileIdentity, name: str) -> None:
        self.fd = fd
        self.identity = identity
        self.name = name
        self.offset = 0
        self.line = 1
        self.quiet_since = 0.0
        """Monotonic time of the last change seen."""
        self.detached = False
        """The log's path shows another file by now; only late writers still write here."""
        self.renamed = False
        """As in Cursor."""
        self.partial = False
        """Bytes without a newline wait behind the offset."""
        self.stale: bytes | None = None
        """Old content of the same size that the writer is overwriting from the start."""
        self.modified = 0.0
        self.size = 0
        self._head = b""
        self._marker = b""
        self._now: tuple[int, int] | None = None
        self.drained: tuple[int, int] | None = None
        """Size and time of the last change (in nanoseconds) when the file was read to its end."""
        self._settled = False

    @classmethod
    def resume(cls, fd: int, identity: FileIdentity, cursor: Cursor) -> "FileReader | None":
        """Continue at the cursor; None where the file's content does not match the cursor. Raises OSError."""
        if not cursor.matches(fd):
            return None
        reader = cls(fd, identity, cursor.name)
        reader._remember(cursor.offset, cursor.head.length, cursor.marker.length)
        reader.line, reader.renamed = cursor.line, cursor.renamed
        return reader

    def skip_to(self, offset: int) -> None:
        """Skip what is before `offset`, as if it had been read. Raises OSError."""
        self._remember(offset, min(HEAD_BYTES, offset), min(MARKER_BYTES, offset))
        self.line = 0 if offset else 1

    def skip_to_line(self, offset: int) -> None:
        """Skip what is before the line that `offset` is in; before `offset` where the line is too long."""
        begin = max(0, offset - _LINE_SEARCH_BYTES)
        line_start = os.pread(self.fd, offset - begin, begin).rfind(b"\n") + 1
        self.skip_to(begin + line_start if line_start or begin == 0 else offset)

    def _remember(self, offset: int, head: int, marker: int) -> None:
        self.offset = offset
        self._head = os.pread(self.fd, head, 0)
        self._marker = os.pread(self.fd, marker, offset - marker)

    def has_changed(self) -> bool:
        """Whether something may have changed since the file was last read to its end. Raises OSError."""
        status = os.fstat(self.fd)
        self._now = (status.st_size, status.st_mtime_ns)
        self.size, self.modified = status.st_size, status.st_mtime
        return self._now != self.drained or not self._settled

    def note_drained(self, *, settle: bool) -> None:
        """The file has been read to its end.

        Time stamps move in ticks of some milliseconds, so a file that changed is read once more when the
        next `settle` check, which comes at a slow pace, finds it unchanged.
        """
        self._settled = settle and self._now == self.drained
        self.drained = self._now

    def take_back(self) -> None:
        """Go back to the start: what was read is dropped."""
        self.offset, self.line = 0, 1
        self._head = self._marker = b""

    def is_intact(self) -> bool:
        """Whether the bytes before the offset are still those that were read. Raises OSError."""
        lead = len(self._marker)
        return (
            os.pread(self.fd, len(self._head), 0) == self._head
            and os.pread(self.fd, lead, self.offset - lead) == self._marker
        )

    def take(self, *, flush: bool = False) -> bytes:
        """The next whole lines; with `flush` also what waits without a newline; empty when there is nothing.

        A line longer than a piece comes in pieces. Raises RewoundError and OSError.
        """
        if os.pread(self.fd, len(self._head), 0) != self._head:
            raise RewoundError
        lead = len(self._marker)
        # One read for both, so that a truncation cannot slip between the check and the data.
        window = os.pread(self.fd, lead + PIECE_BYTES, self.offset - lead)
        if window[:lead] != self._marker:
            raise RewoundError
        end = len(window)
        if self.stale is not None:
            end = max(lead, min(end, lead + self._fresh_end() - self.offset))
        cut = window.rfind(b"\n", lead, end) + 1
        if not cut and (flush or end - lead >= PIECE_BYTES):
            cut = end
        piece = window[lead:cut] if cut else b""
        self.partial = end > max(cut, lead)
        self._advance(piece, window[max(0, cut - MARKER_BYTES) : cut])
        return piece

    def _advance(self, piece: bytes, marker: bytes) -> None:
        if not piece:
            return
        self.offset += len(piece)
        if self.line:
            self.line += piece.count(b"\n")
        if len(self._head) < HEAD_BYTES:
            self._head += piece[: HEAD_BYTES - len(self._head)]
        self._marker = marker

    def _fresh_end(self) -> int:
        """Where the newly written part ends and the stale rest of the old content begins."""
        stale = self.stale or b""
        now = os.pread(self.fd, len(stale) + 1, 0)
        if len(now) != len(stale):
            self.stale = None  # grown past the old end, or truncated after all: everything in it is new
            return max(len(now), self.size)
        return fresh_end(stale, now)

    def cursor(self) -> Cursor:
        """Everything before it was read."""
        return Cursor(
            self.identity,
            self.name,
            self.offset,
            self.line,
            Fingerprint.of(self._head),
            Fingerprint.of(self._marker),
            overwritten=self.stale is not None,
            renamed=self.renamed,
        )


def skip_history(readers: list[FileReader], room: int) -> None:
    """Of all these files, oldest first, leave `room` bytes at the end to be read. Raises OSError."""
    for reader in reversed(readers):
        size = os.fstat(reader.fd).st_size
        if size > room:
            reader.skip_to_line(size - room)
        room = max(0, room - size)


def next_name(name: str) -> str:
    """`801-2f` becomes `801-2f+1`, then `801-2f+2`: the same file with other content."""
    stem, _, times = name.partition("+")
    return f"{stem}+{int(times or 0) + 1}"


def fresh_end(stale: bytes, now: bytes) -> int:
    """End of the line that holds the last byte in which two equally long contents differ; 0 where they do not."""
    low, high = 0, len(now)  # the common end has at least `low` bytes and at most `high`
    while low < high:
        middle = (low + high + 1) // 2
        if now[len(now) - middle :] == stale[len(stale) - middle :]:
            low = middle
        else:
            high = middle - 1
    last_difference = len(now) - low - 1
    if last_difference < 0:
        return 0
    return now.find(b"\n", last_difference) + 1 or len(now)
