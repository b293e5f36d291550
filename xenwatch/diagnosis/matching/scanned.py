"""What a scanner made of a chunk, as a value: another process scans, and this one goes on as if it had done so.

A scanner finds in a log what stands there, whatever stands in other logs: so several logs can be scanned side by
side. What it teaches others (who is who, errors that no rule knows) is written down and told again in order.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from xenwatch.diagnosis.domain_registry import DomainRegistry
from xenwatch.diagnosis.hosts import Origin
from xenwatch.diagnosis.matching.errors import UnreadErrors
from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.operations.marks import PlacedMark
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.event import Event
from xenwatch.model.record import Chunk, LogRecord

Lesson = tuple[Mapping[str, str | None], float, Origin]


class Scanned(NamedTuple):
    """All that follows from one chunk."""

    events: list[Event]
    marks: list[PlacedMark]
    lessons: list[Lesson]
    unread: list[LogRecord]
    matches: Counter[str]
    kernels: dict[str, Any]
    """What shows which kernels write in that log, as far as it was read."""
    skipped: int


class _Lessons(DomainRegistry):
    def __init__(self) -> None:
        super().__init__()
        self.taught: list[Lesson] = []

    def learn(self, fields: Mapping[str, str | None], at: float, origin: Origin = Origin()) -> None:  # noqa: B008 - frozen
        self.taught.append((fields, at, origin))


class _Noted(UnreadErrors):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[LogRecord] = []

    def note(self, record: LogRecord) -> None:
        self.records.append(record)


class LogScanner:
    """Scans whole logs, one after the other, for a pipeline in another process. `several_hosts`: as the pipeline's.

    `counted`: the events of which that one asks no more than that they came.
    """

    def __init__(
        self, rules: Sequence[Rule], *, cache: Path | None, several_hosts: bool, counted: frozenset[str] = frozenset()
    ) -> None:
        self._lessons, self._noted = _Lessons(), _Noted()
        self._scanner = Scanner(rules, cache=cache, several_hosts=several_hosts, registry=self._lessons)
        self._scanner.unread, self._scanner.counted = self._noted, counted

    def scan(self, chunk: Chunk) -> Scanned:
        """The next chunk of a log."""
        scanner = self._scanner
        events = scanner.feed(chunk)
        found = Scanned(
            events,
            scanner.take_marks(),
            self._lessons.taught,
            self._noted.records,
            scanner.matches,
            scanner.kernels.state_of(chunk.source.path),
            scanner.skipped,
        )
        self._lessons.taught, self._noted.records, scanner.matches, scanner.skipped = [], [], Counter(), 0
        return found


def take_over(scanner: Scanner, scanned: Scanned) -> list[Event]:
    """Let the scanner go on as if it had scanned that chunk itself; its events."""
    for fields, at, origin in scanned.lessons:
        scanner.registry.learn(fields, at, origin)
    for record in scanned.unread:
        scanner.unread.note(record)
    scanner.matches.update(scanned.matches)
    scanner.kernels.go_on_from(scanned.kernels)
    scanner.add_marks(scanned.marks)
    scanner.skipped += scanned.skipped
    return scanned.events
