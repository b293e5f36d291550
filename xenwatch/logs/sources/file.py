"""One log with all its rotated files: every byte is handed on once, in the order of the files."""

import time
from collections.abc import Generator, Iterator, Sequence

from xenwatch.base.clock import Clock
from xenwatch.base.errors import RewoundError
from xenwatch.logs.counters import SourceCounters
from xenwatch.logs.cursors import Cursor
from xenwatch.logs.file_reader import FileReader
from xenwatch.logs.options import FollowOptions
from xenwatch.logs.spool import Spool
from xenwatch.logs.tracker import LogTracker
from xenwatch.model.record import Chunk, Position, Source, TimeHint

_MOST_DETACHED = 8  # a log that rotates many times a minute must not hold more files open than its chain has


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
        self._chain = LogTracker(source.path, clock, counters, options, cursors=cursors, spool=spool, from_end=from_end)

    @property
    def forgotten(self) -> bool:
        """Nothing of the log is left."""
        return self._chain.gone

    def cursors(self) -> list[Cursor]:
        """Where a successor goes on, oldest generation first."""
        return self._chain.cursors()

    def close(self) -> None:
        """Let go of all files."""
        self._chain.close()

    def chunks(self, *, settle: bool = False) -> Iterator[Chunk]:
        """Everything new. Files that cannot be read are counted and tried again at the next call."""
        chain = self._chain
        chain.look(settle=settle)
        try_again = True
        while try_again:
            try_again = yield from self._drain_all(settle)
        yield from self._close_quiet()
        while chain.ended:
            ended = chain.ended.pop()
            yield self._final(Position(ended.name, ended.offset, ended.line))
        self._counters.lag_bytes = sum(max(0, generation.size - generation.offset) for generation in chain.open)

    def _drain_all(self, settle: bool) -> Generator[Chunk, None, bool]:
        """True when the files turned out to be others than they were taken for."""
        for generation in tuple(self._chain.open):
            try:
                yield from self._drain(generation, settle)
            except RewoundError:
                self._chain.look_again()
                return True
            except OSError:
                self._counters.read_errors += 1
        return False

    def _drain(self, generation: FileReader, settle: bool) -> Iterator[Chunk]:
        size = generation.size
        if generation.stirred():
            if generation.size != size:
                generation.quiet_since = self._clock.monotonic()
            yield from self._pieces(generation, flush=False)
            generation.drained(settle=settle)
        quiet = self._clock.monotonic() - generation.quiet_since
        if generation.partial and quiet >= self._options.partial_seconds:
            yield from self._pieces(generation, flush=True)

    def _pieces(self, generation: FileReader, *, flush: bool) -> Iterator[Chunk]:
        while True:
            offset, line = generation.offset, generation.line
            piece = generation.take(flush=flush)
            if not piece:
                return
            if not offset and not generation.detached and self._chain.rotated_meanwhile():
                generation.take_back()  # before its first line was read a truncation does not show, but a copy does
                raise RewoundError
            generation.quiet_since = self._clock.monotonic()
            if self._spool is not None and not generation.detached:
                self._spool.keep(offset, piece)
            yield self._chunk(generation, offset, line, piece)

    def _chunk(self, generation: FileReader, offset: int, line: int, data: bytes) -> Chunk:
        counters = self._counters
        counters.lines += data.count(b"\n")
        counters.bytes += len(data)
        counters.cut_lines += not data.endswith(b"\n")
        counters.last_read = self._clock.now()
        return Chunk(self._source, data, Position(generation.name, offset, line), _hint(generation.modified))

    def _final(self, position: Position) -> Chunk:
        return Chunk(self._source, b"", position, _hint(self._clock.now()), final=True)

    def _close_quiet(self) -> Iterator[Chunk]:
        now = self._clock.monotonic()
        late = [generation for generation in self._chain.open if generation.detached]
        for number, generation in enumerate(late, start=1):
            quiet = now - generation.quiet_since >= self._options.keep_open_seconds
            if not quiet and len(late) - number < _MOST_DETACHED:
                continue
            try:
                yield from self._pieces(generation, flush=True)
            except (RewoundError, OSError):
                self._counters.read_errors += 1
            yield self._final(Position(generation.name, generation.offset, generation.line))
            self._chain.park(generation)


def _hint(near: float) -> TimeHint:
    return TimeHint(near, float(time.localtime(near).tm_gmtoff))
