"""When a record without a time was written: at the time of the nearest dated record before it."""

from xenwatch.diagnosis.matching.record_text import text_of
from xenwatch.model.record import LONGEST_RECORD, MOST_RECORD_LINES, LogFormat, TimeHint

_LOOK_BACK = 24
"""Records before an undated one that are asked for their time."""
_HEAD = 512
"""Bytes of a record in which its header stands."""
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_CLOCK = b"00:00:00"
"""Every time that a format reads has hours, minutes and seconds: text without them carries no time."""

_Near = tuple[int, int, float]
"""How many records lie up to the dated one, how many lines before it, and its time."""


class NearestTime:
    """Of one chunk, asked from its start to its end. What was found is kept: each record is read once."""

    def __init__(self, data: bytes, format_: LogFormat, hint: TimeHint) -> None:
        self._data, self._format, self._hint = data, format_, hint
        self._known: dict[int, _Near | None] = {0: None}
        """By the start of a record: the dated record before it."""
        self._latest = 0
        """The last start that was asked for."""
        self._clocks: bytes | None = None
        self._is_timeless: bool | None = None

    def before(self, start: int) -> float | None:
        """The time of the nearest dated record before the one that starts there; None where none is near."""
        if self._latest and self._known[self._latest] is None and self.is_timeless:
            return None
        if start not in self._known:
            nothing_new = start > self._latest > 0 and self._known[self._latest] is None
            if not (nothing_new and self._has_no_clock(self._latest, start)):
                self._look_back(start)
            else:
                self._known[start] = None
        self._latest = start
        near = self._known[start]
        return None if near is None else near[2]

    @property
    def is_timeless(self) -> bool:
        """Whether no record in the chunk can carry a time."""
        if self._is_timeless is None:
            self._is_timeless = self._has_no_clock(0, len(self._data))
        return self._is_timeless

    def _has_no_clock(self, first: int, last: int) -> bool:
        if self._clocks is None:
            self._clocks = self._data.translate(_DIGITS)
        return self._clocks.find(_CLOCK, first, last) < 0

    def _look_back(self, start: int) -> None:
        passed: list[tuple[int, int]] = []
        """Starts that were gone through, each with the lines of the record before it."""
        near: _Near | None = None
        asked = start
        while asked not in self._known:
            if len(passed) == _LOOK_BACK:  # those that were passed may look further back than this one
                self._known[start] = None
                return
            before, at = self._record_before(asked)
            if at is not None:
                near = self._known[asked] = (1, 0, at)
                break
            passed.append((asked, self._data.count(b"\n", before, asked)))
            asked = before
        else:
            near = self._known[asked]
        for place, lines in reversed(passed):
            if near is not None:
                near = (near[0] + 1, near[1] + lines, near[2])
                near = near if near[0] <= _LOOK_BACK and near[1] <= MOST_RECORD_LINES else None
            self._known[place] = near

    def _record_before(self, start: int) -> tuple[int, float | None]:
        """Where the record before that place starts, and its time."""
        before, end = self._format.bounds(self._data, start - 1)
        before = max(before, start - LONGEST_RECORD)
        head = self._data[before : min(end, before + _HEAD)]
        return before, self._format.parse(text_of(head), self._hint).at
