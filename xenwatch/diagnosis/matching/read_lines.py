"""Records of one log that were read before: without times, or in one second, it says the same again, byte for byte."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from xenwatch.diagnosis.kernel_role import NO_ROLES, Roles
from xenwatch.diagnosis.matching.linear import may_occur
from xenwatch.diagnosis.operations.marks import Mark
from xenwatch.model.event import Event
from xenwatch.model.record import Header, LogFormat, LogRecord, Source, TimeHint

MOST_LINES, LONGEST_LINE = 2048, 2000

Asked = tuple[bytes, frozenset[int]]
"""The bytes of a record, and what may match in it."""
Lesson = tuple[Mark | None, Mapping[str, str]]
"""What is being done, or without a mark who is who."""


class ReadLine(NamedTuple):
    """What the bytes of a record alone say, whenever and wherever in the log they stand."""

    header: Header
    message: str
    of_kernel: bool
    by_guest: bool
    stranger: str | None


class ToldLine(NamedTuple):
    """All that followed from a record: from the same bytes the same follows again."""

    record: LogRecord
    events: Sequence[Event]
    rules: Sequence[str]
    """Ids of the rules that match, once for each signature."""
    lessons: Sequence[Lesson]
    unknown: bool = False
    """It is an error that no rule knows."""

    @property
    def is_nothing(self) -> bool:
        """Whether nothing but the quiet rules' counts follows."""
        return not (self.events or self.lessons or self.unknown)


class ReadLines:
    """Bounded, and of one log at a time: when it is full, or another log follows, it starts over."""

    def __init__(self) -> None:
        self._of: tuple[Source, TimeHint] | None = None
        self._roles = NO_ROLES
        self._lines: dict[bytes, ReadLine] = {}
        self._told: dict[Asked, ToldLine] = {}
        self._hidden: dict[str, str] = {}
        self.get, self.told = self._lines.get, self._told.get

    def begin(self, source: Source, hint: TimeHint, roles: Roles) -> None:
        """The next chunk is of that log; `roles` are those of its kernels, as far as they are known now."""
        known = self._of
        if known is None or known[0] is not source or known[1] is not hint:
            self._lines.clear()
            self._told.clear()
            self._hidden.clear()
            self._of = (source, hint)
        if roles != self._roles:
            self._told.clear()
            self._roles = roles

    def hidden(self, format_: LogFormat, text: str) -> str:
        """A message without the words in it that are not the host's; asked once where it is said again."""
        if format_.guest_text is None or not may_occur(format_.guest_text, text):
            return text
        known = self._hidden.get(text)
        if known is None:
            known = format_.hidden(text)
            if len(text) <= LONGEST_LINE:
                if len(self._hidden) >= MOST_LINES:
                    self._hidden.clear()
                self._hidden[text] = known
        return known

    def keep(self, raw: bytes, line: ReadLine) -> None:
        """A line without a time of its own; with one it hardly comes again."""
        if line.header.at is None and len(raw) <= LONGEST_LINE:
            if len(self._lines) >= MOST_LINES:
                self._lines.clear()
            self._lines[raw] = line

    def keep_told(self, raw: bytes, asked: frozenset[int], told: ToldLine) -> None:
        """What followed from a record."""
        if len(raw) <= LONGEST_LINE:
            if len(self._told) >= MOST_LINES:
                self._told.clear()
            self._told[raw, asked] = told
