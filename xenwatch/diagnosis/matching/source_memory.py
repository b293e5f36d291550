"""What the scanner remembers of a source between two chunks: its last record, which may go on, and its last time."""

from dataclasses import dataclass, field
from typing import Any

from xenwatch.diagnosis.operations.guest_phases import GuestPhase
from xenwatch.model.record import LONGEST_RECORD, Chunk, LogRecord, Position


@dataclass(slots=True)
class SourceMemory:
    """`carry` is the text of the record at the end, from `position`; `told` the signatures that it has matched."""

    carry: bytes = b""
    position: Position = field(default_factory=lambda: Position("", 0))
    told: set[str] = field(default_factory=set)
    last_at: float | None = None
    banners: dict[str, GuestPhase] = field(default_factory=dict)
    """The phase that each guest announced last, by domid."""
    lost: tuple[str, int] | None = None
    """Generation and offset behind an open record that was too long to be kept."""
    headless: bool = False
    """The chunk that is read just now begins in the middle of that record."""
    unknown: LogRecord | None = None
    """The open record, where it is an error that no rule knows so far."""
    suspected: bool = False
    """It was said before that somebody fills this log to hold xenwatch up."""

    def join(self, chunk: Chunk) -> tuple[bytes, Position]:
        """The chunk with the open record before it, where it continues that."""
        if self._ends_another_file(chunk):
            return b"", chunk.position
        self.headless = self._goes_on_without_head(chunk)
        if self.goes_on_in(chunk):
            # Counted back from the chunk: its reader knows its line. Nobody counts a chunk in which nothing is found.
            line = chunk.position.line and chunk.position.line - self.carry.count(b"\n")
            return self.carry + chunk.data, self.position._replace(line=line)
        self.told = set()
        return chunk.data, chunk.position

    def take_unknown(self, chunk: Chunk) -> LogRecord | None:
        """The open record, where it is an error that no rule knows and the chunk does not go on with it."""
        if self._ends_another_file(chunk):
            return None
        unknown, self.unknown = self.unknown, None
        return None if self.goes_on_in(chunk) else unknown

    def _ends_another_file(self, chunk: Chunk) -> bool:
        """A renamed file gets no more lines. The open record, which stands in the file after it, may still go on."""
        return not chunk.data and self.position.generation != chunk.position.generation

    def goes_on_in(self, chunk: Chunk) -> bool:
        """Whether the chunk's first line belongs to the open record."""
        adjoins = self.position.offset + len(self.carry) == chunk.position.offset
        if not self.carry or not adjoins or self.position.generation != chunk.position.generation:
            return False
        start = chunk.source.format.record_start
        return start is None or start.match(chunk.data) is None

    def _goes_on_without_head(self, chunk: Chunk) -> bool:
        if self.lost != (chunk.position.generation, chunk.position.offset):
            return False
        format_ = chunk.source.format
        if format_.record_start is not None:
            return format_.record_start.match(chunk.data) is None
        return format_.continues is not None and format_.continues.match(chunk.data) is not None

    def keep(self, data: bytes, start: int, position: Position, told: set[str]) -> None:
        """Remember `data[start:]`, which stands at `position`, as the open record."""
        fits = len(data) - start <= LONGEST_RECORD
        self.carry, self.position = (data[start:], position) if fits else (b"", position)
        self.told = told if fits else set()
        self.lost = None if fits else (position.generation, position.offset + len(data) - start)

    def state(self) -> dict[str, Any]:
        return {
            "carry": self.carry.decode("latin-1"),
            "position": list(self.position),
            "told": sorted(self.told),
            "last_at": self.last_at,
            "banners": self.banners,
            "lost": self.lost,
        }

    @classmethod
    def restored(cls, state: dict[str, Any]) -> "SourceMemory":
        """Raises KeyError, TypeError or ValueError where `state` is not what `state()` gave."""
        generation, offset, line = state["position"]
        lost = state.get("lost")
        return cls(
            str(state["carry"]).encode("latin-1"),
            Position(str(generation), int(offset), int(line)),
            {str(t) for t in state["told"]},
            None if state["last_at"] is None else float(state["last_at"]),
            lost=None if lost is None else (str(lost[0]), int(lost[1])),
            banners=dict(state.get("banners", {})),
        )
