"""What rules that one line decides said of such a line before: a log says the same again and again."""

from collections.abc import Callable

from xenwatch.diagnosis.correlation.conditions import event_evidence
from xenwatch.model.diagnosis import Diagnosis, seen_again
from xenwatch.model.event import Event
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import Subject

MOST_LINES = 2048
LONGEST_TEXT = 2000

Key = tuple[str, str, Subject, tuple[tuple[str, str], ...], bool, str]
"""Rule, event, subject, what was captured, and who wrote it."""
Said = tuple[Diagnosis, LogRecord] | None
"""What the rule said, and of which record; None: nothing."""


class LineMemory:
    """Bounded: when it is full, or when facts change, it starts over."""

    def __init__(self) -> None:
        self._said: dict[Key, Said] = {}

    def forget(self) -> None:
        """Something else that rules ask about has changed."""
        self._said.clear()

    def judge(
        self, rule: str, subject: Subject, event: Event, judge: Callable[[], tuple[list[Diagnosis], bool]]
    ) -> list[Diagnosis]:
        """What the rule says of the event; `judge` finds it out, and says whether that is to be remembered."""
        record = event.record
        if record is None or len(record.text) > LONGEST_TEXT:
            return judge()[0]
        key = (rule, event.kind, subject, tuple(event.fields.items()), record.guest, record.writer)
        if key in self._said:
            said = self._said[key]
            return [] if said is None else [seen_again(*said, event_evidence(event))]
        found, settled = judge()
        if settled:
            if len(self._said) >= MOST_LINES:
                self._said.clear()
            self._said[key] = (found[0], record) if found else None
        return found
