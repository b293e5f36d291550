"""One chunk while it is read: cuts out records, and says when and in which line each one stands."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from xenwatch.diagnosis.kernel_role import KernelRoles, role_of_text
from xenwatch.diagnosis.matching.linear import may_occur
from xenwatch.diagnosis.matching.nearest_time import NearestTime
from xenwatch.diagnosis.matching.read_lines import ReadLine, ReadLines
from xenwatch.diagnosis.matching.record_text import text_of
from xenwatch.diagnosis.matching.source_memory import SourceMemory
from xenwatch.diagnosis.operations.banners import Banners
from xenwatch.model.record import LONGEST_RECORD, Chunk, Header, LogFormat, LogRecord, Position

_NEWLINE = ord("\n")

Cut = tuple[int, int, frozenset[int]]
"""Start and end of a record, and the indexes of what might match in it."""


class RecordReader:
    """`data` is the chunk with the open record before it; `position` is that of its first byte."""

    def __init__(
        self,
        chunk: Chunk,
        data: bytes,
        position: Position,
        memory: SourceMemory,
        kernels: KernelRoles,
        known: ReadLines | None = None,
    ) -> None:
        """`known` are the lines of the log that were read before."""
        self._kernels, self._known = kernels, known or ReadLines()
        self._known.begin(chunk.source, chunk.hint)
        self._written_by: dict[str | None, tuple[str, bool]] = {}
        """By host in the header: which kernel writes, and whether all of it is a guest's."""
        self.chunk, self.data, self.position, self._memory = chunk, data, position, memory
        self._format = chunk.source.format
        starts, continues = self._format.record_start, self._format.continues
        self._begins = None if starts is None else starts.match
        self._continues = None if continues is None else continues.match
        self._times = NearestTime(data, self._format, chunk.hint)
        self._counted = (0, position.line)
        self.banners = Banners(data)

    def cuts(self, candidates: Sequence[tuple[int, int]]) -> Iterator[Cut]:
        """The records around candidates, in order, none twice."""
        start = end = 0
        asked: set[int] = set()
        for behind, index in candidates:
            at = max(behind - 1, 0)
            if asked and at <= end:  # the newline at its end is the record's too
                asked.add(index)
                continue
            if asked:
                yield start, end, frozenset(asked)
            start, end = self._bounds(at, end if asked else 0)
            asked = {index}
        if asked:
            yield start, end, frozenset(asked)

    def _bounds(self, at: int, floor: int) -> tuple[int, int]:
        data = self.data
        start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
        # Nearly every record is one line between two beginnings; the format is asked about the others.
        if end < 0 or not self._is_one_line(data, start, end):
            start, end = self._format.bounds(data, at)
        start, end = max(start, at - LONGEST_RECORD, floor), min(end, at + LONGEST_RECORD)
        return start, max(end, start + 1)

    def _is_one_line(self, data: bytes, start: int, end: int) -> bool:
        if self._begins is not None:
            return self._begins(data, start) is not None and self._begins(data, end + 1) is not None
        continues = self._continues
        return continues is None or (continues(data, start) is None and continues(data, end + 1) is None)

    def open_start(self) -> int:
        """Where the last record begins; the length of the data when nothing can follow it."""
        if self.chunk.final or (self._format.record_start is None and self._format.continues is None):
            return len(self.data)
        return self._format.bounds(self.data, max(len(self.data) - 2, 0))[0]

    def record(self, start: int, end: int) -> tuple[LogRecord, Header]:
        """The record between these offsets, header stripped, and what its header said."""
        raw = self.data[start:end]
        line = self._known.get(raw) or self._line(start, raw)
        header, message, of_kernel, by_guest, stranger = line
        domid = self._format.domid_behind(self.data, start)
        if domid is not None:
            header = replace(header, fields={**header.fields, "domid": domid})
        at = header.at if header.at is not None else self.earlier(start)
        position = Position(self.position.generation, self.position.offset + start, self.line_of(start))
        own_name = header.fields.get("host")
        guest = by_guest or self.is_headless(start) or self.is_guests(own_name)
        role: str | None = None
        if of_kernel:
            role = self._writer(own_name)[0]
            role = role_of_text(message) if role == "unknown" else role
        host, logged = None if guest else own_name, header.at is not None
        return LogRecord(
            self.chunk.source, message, at, logged, position, guest, host, role, stranger, own_name
        ), header

    def _line(self, start: int, raw: bytes) -> ReadLine:
        """What the record says by itself."""
        format_, text = self._format, text_of(raw)
        header = format_.parse(text, self.chunk.hint)
        message = _believed(format_, text[header.length :])
        of_kernel = format_.kernel_line is not None and format_.kernel_line.match(self.data, start) is not None
        by_guest = format_.by_guest(self.data, start)
        line = ReadLine(header, message, of_kernel, by_guest, format_.stranger(header, message))
        if start and self.data[start - 1] == _NEWLINE:
            self._known.keep(raw, line)
        return line

    def is_headless(self, start: int) -> bool:
        """Whether a record lost its beginning, which may have said that a guest's words follow."""
        if self._format.guest_line is None and self._format.guest_text is None:
            return False
        return self._memory.headless if start == 0 else self.data[start - 1 : start] != b"\n"

    def is_guests(self, host: str | None) -> bool:
        """Whether a guest wrote the whole log, or all lines of that host in it."""
        return self._writer(host)[1]

    def _writer(self, host: str | None) -> tuple[str, bool]:
        known = self._written_by.get(host)
        if known is None:
            role = self._kernels.role(self.chunk.source, host)
            # A captured terminal, which has no shape of its own, mixes what a host and a guest print.
            written_by_one = self._format.sniff is not None and self._format.kernel_line is not None
            known = self._written_by[host] = role, written_by_one and role == "guest"
        return known

    def dated_text(self, start: int, end: int) -> tuple[str, float, bool, str | None] | None:
        """What `record` gives of a line that no guest wrote: text, time, whether that time is its own, and host.

        None: not everything that its program says is believed.
        """
        text = text_of(self.data[start:end])
        header = self._format.parse(text, self.chunk.hint)
        message = _believed(self._format, text[header.length :])
        if self._format.stranger(header, message) is not None:
            return None
        at = header.at if header.at is not None else self.earlier(start)
        return message, at, header.at is not None, header.fields.get("host")

    def earlier(self, start: int) -> float:
        """The time of the nearest dated record before `start`, else the last known, else the reader's own."""
        found = self._times.before(start)
        if found is not None:
            return found
        return self.chunk.hint.near if self._memory.last_at is None else self._memory.last_at

    def remember_time(self) -> None:
        """Keep the time of the last dated record for what comes without one."""
        found = self._times.before(len(self.data))
        if found is not None:
            self._memory.last_at = found

    def line_of(self, start: int) -> int:
        """Counted only up to records that matched, and only where the reader knows where the chunk stands."""
        if not self.position.line:
            return 0
        counted, line = self._counted
        line += self.data.count(b"\n", counted, start) if start >= counted else -self.data.count(b"\n", start, counted)
        self._counted = (start, line)
        return line


def _believed(format_: LogFormat, message: str) -> str:
    """A message without the words in it that are not the host's."""
    foreign = format_.guest_text
    return format_.hidden(message) if foreign is not None and may_occur(foreign, message) else message
