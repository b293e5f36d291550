"""Decides what the engine only suspected, and captures the fields."""

from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from xenwatch.diagnosis.attribution import guest_subject, subject_of
from xenwatch.diagnosis.domain_registry import DomainRegistry
from xenwatch.diagnosis.kernel_role import GUEST_ROLES
from xenwatch.diagnosis.matching.exceptions import LONGEST, exception_fields
from xenwatch.diagnosis.matching.linear import Effort, Haystack, occurrences
from xenwatch.diagnosis.matching.log_scope import names
from xenwatch.diagnosis.matching.read_lines import Lesson
from xenwatch.diagnosis.matching.signature_index import OWN_LINES, SignatureEntry, SignatureIndex
from xenwatch.diagnosis.namings import NAMINGS
from xenwatch.diagnosis.operations.marks import MARKS, Place, PlacedMark
from xenwatch.diagnosis.rules.expressions import holds
from xenwatch.diagnosis.rules.line_values import line_values
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.diagnosis import SEVERITIES
from xenwatch.model.event import Event
from xenwatch.model.record import Header, LogRecord
from xenwatch.model.subject import Subject

MOST_KEPT, LONGEST_KEPT = 2048, 2000
"""Texts of which the matches are remembered, and how many characters they may have."""


class Match(NamedTuple):
    """A signature and the fields it captured; `subjects` are those that such a line was about before."""

    entry: SignatureEntry
    fields: dict[str, str]
    subjects: dict[Hashable, Subject]


class Matcher:
    """`registry` learns who is who, `marks` what is being done, from records that say so."""

    def __init__(self, index: SignatureIndex, registry: DomainRegistry) -> None:
        self._index, self._registry = index, registry
        self._known: dict[tuple[str, frozenset[int], str, str, int, str | None], list[Match]] = {}
        self._lessons: dict[tuple[str, frozenset[int]], list[Lesson]] = {}
        self.marks: list[PlacedMark] = []
        """Seen and not taken yet."""
        self.effort: Effort | None = None
        """What may still be spent on the chunk that is read just now; None: as much as it takes."""

    def matches(self, text: str, asked: AbstractSet[int], record: LogRecord, lines: int = OWN_LINES) -> list[Match]:
        """The signatures among `asked` that match in the text of the record, quiet rules' included.

        A fallback knows a message only by where it comes from: it counts where nothing else matches.
        `lines` says who wrote the text, `record` in which log.
        """
        if len(text) > LONGEST_KEPT:
            return self._matches(text, asked, record, lines)
        # A log says the same again and again: what a text means needs to be found out once.
        key = (text, frozenset(asked), record.source.format.name, record.writer, lines, record.stranger)
        known = self._known.get(key)
        if known is None:
            known = self._matches(text, asked, record, lines)
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            if self.effort is None or not self.effort.skipped:  # else it may be only a part
                self._known[key] = known
        return known

    def _matches(self, text: str, asked: AbstractSet[int], record: LogRecord, lines: int) -> list[Match]:
        allowed, found, haystack = self._index.allowed(record.source.format), list[Match](), self._haystack(text)
        for index in sorted(asked):
            if index < self._index.first_naming and allowed[index] & lines:
                entry = self._index.entries[index]
                if record.stranger is not None and not names(entry.signature, record.stranger):
                    continue
                fields = captured(entry, haystack, record.writer)
                if fields is not None and not _repeats(entry, found):
                    found.append(Match(entry, fields, {}))
        return [m for m in found if not m.entry.rule.fallback] or found

    def learn(self, text: str, at: float, asked: AbstractSet[int], place: Place) -> Sequence[Lesson]:
        """Take names, domids and uuids from a record, and what it says is being done: what is taken."""
        key = (text, frozenset(asked))
        lessons = self._lessons.get(key)
        if lessons is None:
            lessons = self._taught_by(text, asked)
            if len(text) <= LONGEST_KEPT and (self.effort is None or not self.effort.skipped):
                if len(self._lessons) >= MOST_KEPT:
                    self._lessons.clear()
                self._lessons[key] = lessons
        self.take(lessons, at, place)
        return lessons

    def take(self, lessons: Sequence[Lesson], at: float, place: Place) -> None:
        """Who is who and what is being done, as a record at that place says it."""
        for mark, fields in lessons:
            if mark is None:
                self._registry.learn(fields, at, place.origin)
            else:
                self.marks.append(PlacedMark(mark, fields, place, at))

    def _taught_by(self, text: str, asked: AbstractSet[int]) -> list[Lesson]:
        """What gives a guest its name (without a mark), and what is being done."""
        lessons, haystack = list[Lesson](), self._haystack(text)
        for index in asked:
            if self._index.first_naming <= index < self._index.first_mark:
                for found in occurrences(NAMINGS[index - self._index.first_naming].pattern, haystack):
                    lessons.append((None, found.fields))
            elif self._index.first_mark <= index < self._index.error:
                mark = MARKS[index - self._index.first_mark]
                for found in occurrences(mark.pattern.pattern, haystack):
                    lessons.append((mark, {name: value for name, value in found.fields.items() if value}))
        return lessons

    def _haystack(self, text: str) -> Haystack:
        return Haystack(text, self.effort)

    @staticmethod
    def events(matches: list[Match], record: LogRecord, header: Header, *, guest: str | None = None) -> list[Event]:
        """What the matches mean: nothing of a rule that a quiet rule at least as severe speaks against.

        `guest` is what the host put before a guest-written line; None: the host wrote it.
        """
        silenced = -1
        for match in matches:
            if match.entry.rule.noise:
                silenced = max(silenced, _rank(match))
        return [
            _event(match, record, header, guest=guest)
            for match in matches
            if not match.entry.rule.noise and (silenced < 0 or _rank(match) > silenced)
        ]


def _repeats(entry: SignatureEntry, found: list[Match]) -> bool:
    """The same words of the same rule, once for what the host writes and once for what a guest writes."""
    return any(m.entry.rule is entry.rule and m.entry.signature.regex == entry.signature.regex for m in found)


def captured(entry: SignatureEntry, text: Haystack, writer: str = "dom0") -> dict[str, str] | None:
    """The fields of the first match that the signature's `where` agrees with; None: no match.

    `writer`: which kernel wrote the line, as in `LogRecord.writer`.
    """
    signature = entry.signature
    for found in occurrences(signature.regex, text):
        fields = found.fields
        if signature.exception:
            fields = {**exception_fields(text.text[found.start : found.start + LONGEST]), **fields}
        where = signature.where
        if where is None or holds(where, line_values(text.text, fields, writer, where)):
            return fields
    return None


def _rank(match: Match) -> int:
    return SEVERITIES.index(match.entry.rule.severity)


def _event(match: Match, record: LogRecord, header: Header, *, guest: str | None) -> Event:
    about = (header.fields.get("domid"), record.source.subject, record.guest, guest, record.kernel_role)
    subject = match.subjects.get(about)
    if subject is None:
        if len(match.subjects) >= MOST_KEPT:
            match.subjects.clear()
        subject = match.subjects[about] = _subject(match, record, header, guest)
    rule = match.entry.rule
    return Event(match.entry.signature.event, subject, record.at, match.fields, record, rule.id, phase=rule.phase)


def _subject(match: Match, record: LogRecord, header: Header, guest: str | None) -> Subject:
    subject = guest_subject(record.source, guest or "") if record.guest else _host_subject(match, record, header.fields)
    if not record.guest and record.kernel_role in GUEST_ROLES and _is_machines_own(match.entry.rule, record):
        return guest_subject(record.source, "")
    return subject


def _is_machines_own(rule: Rule, record: LogRecord) -> bool:
    """A guest has no host of its own; a driver domain has the devices of those it serves."""
    return rule.subject == "host" or (record.kernel_role == "guest" and rule.subject != "domain")


def _host_subject(match: Match, record: LogRecord, header: Mapping[str, str]) -> Subject:
    rule = match.entry.rule
    return subject_of(rule.subject, rule.subject_name, match.fields, header, record.text, record.source)
