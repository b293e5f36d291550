"""The year of logs that do not write one, learnt from the logs beside them.

A copied or downloaded file has the time of the copy, so the year that syslog leaves out cannot be taken from it where a
log of the same bundle says its year.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime

from xenwatch.model.event import Event
from xenwatch.model.record import Chunk, TimeHint
from xenwatch.triage.bundle.entry import BundleEntry

_YEAR = 365.25 * 86400
_SLACK = 2 * 86400.0
_LINES = 50


class YearCorrection:
    """See each chunk, be told each entry when it was read; `dated` and `right` then move what has the wrong year."""

    def __init__(self) -> None:
        self._yearless: set[str] = set()
        self._known: list[float] = []

    def see(self, chunk: Chunk) -> None:
        """Find out, at the start of a log, whether its times carry a year."""
        if chunk.position.offset == 0 and _needs_a_year(chunk):
            self._yearless.add(chunk.source.path)

    def told(self, entry: BundleEntry) -> None:
        """Take in the times of a log that was read to its end."""
        if entry.path not in self._yearless and entry.source is not None:
            self._known += [at for at in (entry.first, entry.last) if at is not None]

    def dated(self, event: Event) -> Event:
        """The event with the year that its neighbours have."""
        record = event.record
        if record is None or record.source.path not in self._yearless:
            return event
        at = self._moved(event.at)
        return event if at == event.at else replace(event, at=at, record=record._replace(at=self._moved(record.at)))

    def right(self, path: str, at: float | None) -> float | None:
        """A time of that log with the right year."""
        return self._moved(at) if at is not None and path in self._yearless else at

    def _moved(self, at: float) -> float:
        if not self._known or min(self._known) - _SLACK <= at <= max(self._known) + _SLACK:
            return at
        nearest = min(self._known, key=lambda known: abs(known - at))
        moment = datetime.fromtimestamp(at, UTC)
        try:
            return moment.replace(year=moment.year + round((nearest - at) / _YEAR)).timestamp()
        except ValueError:  # 29 February
            return at


def _needs_a_year(chunk: Chunk) -> bool:
    """Read with two hints half a century apart, a time that carries its year is the same."""
    for raw in re.findall(rb"[^\n]+", chunk.data[:8192])[:_LINES]:
        text = raw[:512].decode("utf-8", "replace")
        at = chunk.source.format.parse(text, chunk.hint).at
        if at is not None:
            other = TimeHint(chunk.hint.near - 50 * _YEAR, chunk.hint.utc_offset)
            return chunk.source.format.parse(text, other).at != at
    return False
