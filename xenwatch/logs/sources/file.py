"""One log with all its rotated files: every byte is read once, in the order of the files."""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence

from xenwatch.base.clock import Clock
from xenwatch.base.errors import RewoundError
from xenwatch.logs.counters import SourceCounters
from xenwatch.logs.files.cursors import Cursor
from xenwatch.logs.files.file_reader import FileReader
from xenwatch.logs.files.fingerprint import FileIdentity
from xenwatch.logs.files.spool import Spool
from xenwatch.logs.files.tracker import LogTracker
from xenwatch.logs.options import FollowOptions
from xenwatch.model.record import Chunk, Position, Source, TimeHint

_MOST_DETACHED = 8  # a log that rotates many times a minute must not hold more files open than it has rotated files


class FileSource:
    """Follows `source.path`. The owner calls `chunks` at every wake and, with `settle`, at a slow pace.

    Cursors are exact whenever `chunks` is suspended at a yield or has ended: all before them was yielded.
    """

    def __init__(
        self,
        source: Source,
        clock: Clock,
        counters: SourceCounters,
        options: FollowOptions,
        *,
        cursors: Sequence[Cursor] | None = None,
        spool: Spool | None = None,
        from_end: bool = False,
    ) -> None:
        self._source, self._clock, self._counters, self._options = source, clock, counters, options
        self._spool = spool
        self._tracker = LogTracker(
            source.path, clock, counters, options, cursors=cursors, spool=spool, from_end=from_end
        )

    @property
    def path(self) -> str:
        return self._source.path

    @property
    def forgotten(self) -> bool:
        """Nothing of the log is left."""
        return self._tracker.gone

    def cursors(self) -> list[Cursor]:
        """Where the next source goes on, oldest file first."""
        return self._tracker.cursors()

    @property
    def open_files(self) -> int:
        """How many files are held open."""
        return len(self._tracker.open)

    def identities(self) -> set[FileIdentity]:
        """The files that are tracked."""
        return self._tracker.identities()

    def adopt(self, path: str, *, adopted: bool = True) -> None:
        """The file at that path is one of this log's, or no longer one."""
        self._tracker.adopt(path, adopted=adopted)

    def close(self) -> None:
        """Close all files."""
        self._tracker.close()

    def rest(self) -> Iterator[Chunk]:
        """Close all files to spare descriptors, renamed ones for good; `chunks` opens the others as they change."""
        yield from self._close_late(late for late in self._tracker.open if late.detached)
        self._tracker.rest()

    def chunks(self, *, settle: bool = False) -> Iterator[Chunk]:
        """Everything new. Files that cannot be read are counted and tried again at the next call."""
        tracker = self._tracker
        tracker.look(settle=settle)
        yield from self._archived()
        try_again = True
        while try_again:
            try_again = yield from self._drain_all(settle)
        yield from self._close_quiet()
        while tracker.ended:
            ended = tracker.ended.pop()
            yield self._final(Position(ended.name, ended.offset, ended.line))
        self._counters.lag_bytes = sum(max(0, reader.size - reader.offset) for reader in tracker.open)

    def _archived(self) -> Iterator[Chunk]:
        """What was compressed before it was read."""
        while self._tracker.archives:
            archive = self._tracker.archives[0]
            for at, piece in archive.pieces():
                self._count(piece)
                position = Position(at.name, at.offset, at.line)
                yield Chunk(self._source, piece, position, _hint(self._clock.now()))
            self._tracker.ended.append(archive.cursor)
            self._tracker.archives.remove(archive)

    def _drain_all(self, settle: bool) -> Generator[Chunk, None, bool]:
        """True when a file's content was replaced, so that all must be checked again."""
        for reader in tuple(self._tracker.open):
            try:
                yield from self._drain(reader, settle)
            except RewoundError:
                self._tracker.look_again()
                return True
            except OSError:
                self._counters.read_errors += 1
        return False

    def _drain(self, reader: FileReader, settle: bool) -> Iterator[Chunk]:
        size = reader.size
        if reader.has_changed():
            if reader.size != size:
                reader.quiet_since = self._clock.monotonic()
            yield from self._pieces(reader, flush=False)
            reader.note_drained(settle=settle)
        quiet = self._clock.monotonic() - reader.quiet_since
        if reader.partial and quiet >= self._options.partial_seconds:
            yield from self._pieces(reader, flush=True)

    def _pieces(self, reader: FileReader, *, flush: bool) -> Iterator[Chunk]:
        while True:
            offset, line = reader.offset, reader.line
            piece = reader.take(flush=flush)
            if not piece:
                return
            if not offset and not reader.detached and self._tracker.rotated_meanwhile():
                reader.take_back()  # before its first line was read a truncation does not show, but a copy does
                raise RewoundError
            reader.quiet_since = self._clock.monotonic()
            if self._spool is not None and not reader.detached:
                self._spool.keep(offset, piece)
            yield self._chunk(reader, offset, line, piece)

    def _chunk(self, reader: FileReader, offset: int, line: int, data: bytes) -> Chunk:
        self._count(data)
        return Chunk(self._source, data, Position(reader.name, offset, line), _hint(reader.modified))

    def _count(self, data: bytes) -> None:
        counters = self._counters
        counters.lines += data.count(b"\n")
        counters.bytes += len(data)
        counters.cut_lines += not data.endswith(b"\n")
        counters.last_read = self._clock.now()

    def _final(self, position: Position) -> Chunk:
        return Chunk(self._source, b"", position, _hint(self._clock.now()), final=True)

    def _close_quiet(self) -> Iterator[Chunk]:
        now = self._clock.monotonic()
        late = [reader for reader in self._tracker.open if reader.detached]
        yield from self._close_late(
            reader
            for number, reader in enumerate(late, start=1)
            if now - reader.quiet_since >= self._options.keep_open_seconds or len(late) - number >= _MOST_DETACHED
        )

    def _close_late(self, late: Iterable[FileReader]) -> Iterator[Chunk]:
        for reader in tuple(late):
            try:
                yield from self._pieces(reader, flush=True)
            except (RewoundError, OSError):
                self._counters.read_errors += 1
            yield self._final(Position(reader.name, reader.offset, reader.line))
            self._tracker.park(reader)


def _hint(near: float) -> TimeHint:
    return TimeHint(near, float(time.localtime(near).tm_gmtoff))
