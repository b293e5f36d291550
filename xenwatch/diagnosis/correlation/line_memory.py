"""What rules that one line decides said of such a line before: a log says the same again and again."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from xenwatch.diagnosis.correlation.conditions import event_evidence
from xenwatch.model.diagnosis import Diagnosis, Evidence, seen_again
from xenwatch.model.event import Event
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import Subject

MOST_LINES = 2048
LONGEST_TEXT = 2000

Key = tuple[str, str, Subject, tuple[tuple[str, str], ...], bool, str]
"""Rule, event, subject, what was captured, and who wrote it."""
Same = tuple[str, str, int, int, bool, str]
"""As `Key`; subject and captured fields by the identity of the objects."""
Said = tuple[Diagnosis, LogRecord] | None
"""What the rule said, and of which record; None: nothing."""


class SeenAgain(NamedTuple):
    """What `known` says, which rests on one line, is said by another line. Most are only counted, so it stays short."""

    known: Diagnosis
    event: Event
    record: LogRecord
    """The other line."""
    on: LogRecord
    """The line that `known` rests on."""

    @property
    def at(self) -> float:
        return self.event.at

    @property
    def piece(self) -> Evidence:
        """The line as evidence."""
        return event_evidence(self.event)

    @property
    def diagnosis(self) -> Diagnosis:
        """The conclusion in full."""
        return seen_again(self.known, self.on, self.piece)


Sighting = Diagnosis | SeenAgain


class LineMemory:
    """Bounded: when it is full, or when facts change, it starts over."""

    def __init__(self) -> None:
        self._said: dict[Key, Said] = {}
        self._same: dict[Same, tuple[Mapping[str, str], Subject, Said]] = {}
        """By the very objects: those who match a text again hand on the fields and the subject that they kept."""

    def forget(self) -> None:
        """Something else that rules ask about has changed."""
        self._said.clear()
        self._same.clear()

    def judge(
        self, rule: str, subject: Subject, event: Event, judge: Callable[[], tuple[list[Diagnosis], bool]]
    ) -> list[Sighting]:
        """What the rule says of the event; `judge` finds it out, and says whether that is to be remembered."""
        record = event.record
        if record is None or len(record.text) > LONGEST_TEXT:
            return [*judge()[0]]
        same = (rule, event.kind, id(event.fields), id(subject), record.guest, record.writer)
        kept = self._same.get(same)
        if kept is not None:
            return _again(kept[2], event, record)
        key = (rule, event.kind, subject, tuple(event.fields.items()), record.guest, record.writer)
        if key in self._said:
            said = self._said[key]
            self._keep_same(same, event, subject, said)
            return _again(said, event, record)
        found, settled = judge()
        if settled:
            if len(self._said) >= MOST_LINES:
                self.forget()
            self._said[key] = (found[0], record) if found else None
        return [*found]

    def _keep_same(self, same: Same, event: Event, subject: Subject, said: Said) -> None:
        if len(self._same) >= MOST_LINES:
            self._same.clear()
        self._same[same] = event.fields, subject, said


def _again(said: Said, event: Event, record: LogRecord) -> list[Sighting]:
    if said is None:
        return []
    known, on = said
    if len(known.evidence) == 1 and known.evidence[0].origin is on:
        return [SeenAgain(known, event, record, on)]
    return [seen_again(known, on, event_evidence(event))]
