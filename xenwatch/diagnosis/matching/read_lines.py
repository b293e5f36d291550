"""Records of one log that were read before: a log without times says the same again, byte for byte."""

from typing import NamedTuple

from xenwatch.model.record import Header, Source, TimeHint

MOST_LINES, LONGEST_LINE = 2048, 2000


class ReadLine(NamedTuple):
    """What the bytes of a record alone say, whenever and wherever in the log they stand."""

    header: Header
    message: str
    of_kernel: bool
    by_guest: bool
    stranger: str | None


class ReadLines:
    """Bounded, and of one log at a time: when it is full, or another log follows, it starts over."""

    def __init__(self) -> None:
        self._of: tuple[Source, TimeHint] | None = None
        self._lines: dict[bytes, ReadLine] = {}
        self.get = self._lines.get
        self.telling: set[bytes] = set()
        """Those of which something followed."""

    def begin(self, source: Source, hint: TimeHint) -> None:
        """The next chunk is of that log."""
        known = self._of
        if known is None or known[0] is not source or known[1] is not hint:
            self._lines.clear()
            self.telling.clear()
            self._of = (source, hint)

    def note_telling(self, raw: bytes) -> None:
        """Something followed from it: nobody need ask whether it is one of which nothing follows."""
        if raw in self._lines:
            self.telling.add(raw)

    def keep(self, raw: bytes, line: ReadLine) -> None:
        """A line without a time of its own; with one it hardly comes again."""
        if line.header.at is None and len(raw) <= LONGEST_LINE:
            if len(self._lines) >= MOST_LINES:
                self._lines.clear()
                self.telling.clear()
            self._lines[raw] = line
