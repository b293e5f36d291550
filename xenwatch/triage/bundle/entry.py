"""One log of a bundle: read in pieces that end where a record ends, counted and dated on the way."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from xenwatch.base import lazy_re as re
from xenwatch.model.fact import Fact
from xenwatch.model.record import LONGEST_RECORD, MOST_RECORD_LINES, Chunk, LogFormat, Position, Source, TimeHint
from xenwatch.model.sample import Snapshot

CHUNK = 256 * 1024
LONGEST_LINE = 4 * 1024 * 1024
"""Bytes that are held to find the end of a line; a longer line is handed on in pieces."""
_DATED_LINES = 50
_LINE = re.compile(rb"[^\n]+")

ReadInto = Callable[[memoryview], int]


@dataclass(frozen=True, slots=True)
class SkippedMember:
    """A file or the rest of one that was not read, and why, in words for people."""

    path: str
    reason: str


@dataclass(slots=True)
class BundleEntry:
    """A file of the bundle. `chunks()` is consumed once, before the next entry; counts and times are whole after it."""

    path: str
    """For display: archive members as `archive.tar.gz/xend.log`."""
    format: str
    """The format's name, or the command that printed this (`xl list`)."""
    source: Source | None
    """None where the file holds facts or a snapshot and no lines that anybody should read."""
    mtime: float
    facts: tuple[Fact, ...] = ()
    snapshot: Snapshot | None = None
    """Of a bundle that `xenwatch collect` made."""
    lines: int = 0
    bytes: int = 0
    first: float | None = None
    last: float | None = None
    """Time of the first and last record that carries one; None where the log has no times."""
    pieces: Iterable[Chunk] = ()
    host: str | None = None
    """The host that the bundle or the operator says it is of."""

    @property
    def is_printed(self) -> bool:
        """Whether it is what one command printed, and not a log."""
        return self.source is None or self.format != self.source.format.name

    def chunks(self) -> Iterator[Chunk]:
        for chunk in self.pieces:
            self.bytes += len(chunk.data)
            if self.first is None:
                self.first = _some_time(chunk, newest=False)
            if chunk.final:
                self.last = _some_time(chunk, newest=True) or self.first
                self.lines = chunk.position.line + chunk.data[:-1].count(b"\n")
            yield chunk


def aligned_chunks(read_into: ReadInto, source: Source, hint: TimeHint, size: int = CHUNK) -> Iterator[Chunk]:
    """Cuts a stream into chunks of about `size` bytes that end at the end of a record; the last one is `final`.

    `read_into` fills a buffer and returns how many bytes it put there, 0 at the end.
    """
    buffer = bytearray(size)
    held = offset = 0
    line = 1
    while True:
        with memoryview(buffer) as view:
            count = read_into(view[held:])
        ended = count == 0
        held += count
        if not ended and held < len(buffer):
            continue
        cut = held if ended else _last_record_start(buffer, held, source.format)
        if cut == 0 and not ended:
            if len(buffer) < LONGEST_LINE:
                buffer.extend(bytes(len(buffer)))
                continue
            cut = held - 1
        if cut:
            data = bytes(memoryview(buffer)[:cut])
            yield Chunk(source, data, Position(source.path, offset, line), hint, final=ended)
            line += data.count(b"\n")
            offset += cut
            buffer[: held - cut] = buffer[cut:held]
            held -= cut
        if ended:
            return


def _last_record_start(buffer: bytearray, held: int, format_: LogFormat) -> int:
    """Where the last record of the buffer starts: what lies before it is whole. 0 if all of it is one record."""
    start = buffer.rfind(b"\n", 0, held - 1) + 1
    if start == 0 or (format_.record_start is None and format_.continues is None):
        return start
    newest, floor = start, max(0, start - LONGEST_RECORD)
    for _ in range(MOST_RECORD_LINES):
        if start <= floor:
            break
        if not _goes_on(buffer, start, format_):
            return start
        start = buffer.rfind(b"\n", 0, start - 1) + 1
    return newest if start or held > LONGEST_RECORD else 0


def _goes_on(buffer: bytearray, start: int, format_: LogFormat) -> bool:
    if format_.record_start is not None:
        return format_.record_start.match(buffer, start) is None
    return format_.continues is not None and format_.continues.match(buffer, start) is not None


def _some_time(chunk: Chunk, *, newest: bool) -> float | None:
    """The time of the first (or newest) record in the chunk with one in its header, looking at a few lines only."""
    data = chunk.data[-LONGEST_RECORD:] if newest else chunk.data[:LONGEST_RECORD]
    lines = _LINE.findall(data)
    for raw in lines[: -_DATED_LINES - 1 : -1] if newest else lines[:_DATED_LINES]:
        at = chunk.source.format.parse(raw[:512].decode("utf-8", "replace"), chunk.hint).at
        if at is not None:
            return at
    return None
