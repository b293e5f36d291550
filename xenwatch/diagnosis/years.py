"""The year of logs that do not write one, learnt from the logs beside them.

A copied or downloaded file has the time of the copy, so the year that syslog leaves out cannot be taken from it where
another log of the same host says its year.
"""

from datetime import UTC, datetime

from xenwatch.base import lazy_re as re
from xenwatch.model.event import Event
from xenwatch.model.record import Chunk, TimeHint

_YEAR = 365.25 * 86400
_SLACK = 2 * 86400.0
_LINES = 50
_LINE = re.compile(rb"[^\n]+")


class YearCorrection:
    """`see` each chunk; `dated` and `right` then move what has the wrong year."""

    def __init__(self) -> None:
        self._yearless: set[str] = set()
        self._certain: tuple[float, float] | None = None
        """Earliest and latest time among those that carry their year."""

    def see(self, chunk: Chunk) -> None:
        """Learn from the start and the end of a log whether its times carry a year, and which times those are."""
        if chunk.position.offset and not chunk.final:
            return
        times = _times(chunk)
        if chunk.position.offset == 0 and _needs_a_year(chunk, times):
            self._yearless.add(chunk.source.path)
        if chunk.source.path not in self._yearless:
            for at, _ in times:
                first, last = self._certain or (at, at)
                self._certain = (min(first, at), max(last, at))

    def dated(self, event: Event) -> Event:
        """The event with the year that its neighbours have."""
        record = event.record
        if record is None or record.source.path not in self._yearless:
            return event
        at = self._moved(event.at)
        return event if at == event.at else event._replace(at=at, record=record._replace(at=self._moved(record.at)))

    def right(self, path: str, at: float | None) -> float | None:
        """A time of that log with the right year."""
        return self._moved(at) if at is not None and path in self._yearless else at

    def is_guessed(self, path: str) -> bool:
        """Whether the log says no year and no other log says it either."""
        return path in self._yearless and self._certain is None

    def _moved(self, at: float) -> float:
        if self._certain is None or self._certain[0] - _SLACK <= at <= self._certain[1] + _SLACK:
            return at
        nearest = min(self._certain, key=lambda moment: abs(moment - at))
        moment = datetime.fromtimestamp(at, UTC)
        try:
            return moment.replace(year=moment.year + round((nearest - at) / _YEAR)).timestamp()
        except ValueError:  # 29 February
            return at


def _times(chunk: Chunk) -> list[tuple[float, str]]:
    """Time and text of the first and the last dated record of the chunk, looking at a few lines only."""
    dated: list[tuple[float, str]] = []
    for lines in (_LINE.findall(chunk.data[:8192])[:_LINES], _LINE.findall(chunk.data[-8192:])[: -_LINES - 1 : -1]):
        for raw in lines:
            text = raw[:512].decode("utf-8", "replace")
            at = chunk.source.format.parse(text, chunk.hint).at
            if at is not None:
                dated.append((at, text))
                break
    return dated


def _needs_a_year(chunk: Chunk, times: list[tuple[float, str]]) -> bool:
    """Read with two hints half a century apart, a time that carries its year is the same."""
    if not times:
        return False
    at, text = times[0]
    other = TimeHint(chunk.hint.near - 50 * _YEAR, chunk.hint.utc_offset)
    return chunk.source.format.parse(text, other).at != at
