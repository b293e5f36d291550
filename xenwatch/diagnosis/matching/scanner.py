"""Raw chunks in, events out: candidates from the engine, records around them, and `re` to decide."""

import logging
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xenwatch.base.retyped import as_written
from xenwatch.diagnosis.domain_registry import DomainRegistry
from xenwatch.diagnosis.hosts import Origin, origin_of
from xenwatch.diagnosis.kernel_role import GUEST_ROLES, KernelRoles
from xenwatch.diagnosis.matching.candidates import Candidates
from xenwatch.diagnosis.matching.errors import UnreadErrors, is_debug, is_error
from xenwatch.diagnosis.matching.linear import Effort
from xenwatch.diagnosis.matching.matcher import Matcher
from xenwatch.diagnosis.matching.prefilter import Candidate, PrefilterName
from xenwatch.diagnosis.matching.quiet_records import QuietRecords, Shape
from xenwatch.diagnosis.matching.read_lines import Lesson, ReadLines, ToldLine
from xenwatch.diagnosis.matching.record_reader import Cut, RecordReader
from xenwatch.diagnosis.matching.rewrap import LARGEST_TEXT, unwrapped_events
from xenwatch.diagnosis.matching.said_again import SaidAgain, are_alike
from xenwatch.diagnosis.matching.signature_index import OWN_LINES, QUOTED_GUESTS, index_of
from xenwatch.diagnosis.matching.source_memory import SourceMemory
from xenwatch.diagnosis.matching.tracebacks import mended_events
from xenwatch.diagnosis.operations.banners import last_banners
from xenwatch.diagnosis.operations.guest_phases import GuestPhase, domid_in, guest_phase
from xenwatch.diagnosis.operations.marks import Place, PlacedMark, command_of
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.event import Event
from xenwatch.model.record import Chunk, LogFormat, LogRecord, Position

if TYPE_CHECKING:
    from concurrent.futures import Executor

log = logging.getLogger(__name__)

MOST_SOURCES = 4096
EFFORT = 64
"""How often each character of a chunk may be looked at to confirm what the engine suspects; a busy log takes two."""
_NOTHING: Sequence[Lesson] = ()
LEAST_EFFORT = 1024 * 1024
"""Characters that may be looked at in the smallest chunk: one record may be asked a hundred things."""


class Scanner:
    """One for all sources.

    `unread` holds the error records that no rule knows; `registry` is what the records said about who is who.
    `cache` is a folder for the compiled signatures.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        engine: PrefilterName = "auto",
        *,
        cache: Path | None = None,
        compiling: "Executor | None" = None,
        several_hosts: bool = False,
        registry: DomainRegistry | None = None,
    ) -> None:
        """`compiling`: threads that compile what would take seconds; the literal prefilter reads meanwhile.

        `several_hosts`: the logs may be of more than one host, so who is who is learnt apart by where a line stands.
        """
        self.registry = registry or DomainRegistry()
        self._several_hosts = several_hosts
        self._index = index_of(rules)
        self._candidates = Candidates(self._index, engine, cache, compiling)
        self._matcher = Matcher(self._index, self.registry)
        self._quiet, self._read_lines = QuietRecords(self._index), ReadLines()
        self._memories: OrderedDict[str, SourceMemory] = OrderedDict()
        self.kernels = KernelRoles()
        self.unread = UnreadErrors()
        self.counted: frozenset[str] = frozenset()
        """Events of which nothing is asked but that they came, and how often."""
        self.skipped = 0
        """Questions that were not asked any more, because a chunk was made to take for ever."""
        self.matches: Counter[str] = Counter()
        """Matches by rule, those of quiet rules included."""

    @property
    def engine_name(self) -> str:
        """Which engine reads the chunks just now: hyperscan, ahocorasick or re."""
        return self._candidates.engine_name

    def feed(self, chunk: Chunk) -> list[Event]:
        """The events of a chunk. A record that the next chunk goes on with is matched again then, and told once."""
        memory = self._memory(chunk.source.path)
        if (left_behind := memory.take_unknown(chunk)) is not None:
            self.unread.note(left_behind)
        data, position = memory.join(chunk)
        if not data:
            return []
        is_whole_text = chunk.final and chunk.position.offset == 0 and len(data) <= LARGEST_TEXT
        if is_whole_text:
            data = as_written(data)
        self.kernels.see(chunk.source, data)
        self._matcher.effort = effort = Effort(max(EFFORT * len(data), LEAST_EFFORT))
        reader = RecordReader(chunk, data, position, memory, self.kernels, self._read_lines)
        open_start, still_told = reader.open_start(), set[str]()
        events, marks = list[Event](), len(self._matcher.marks)
        again = SaidAgain(self.counted, is_timeless=not is_whole_text and reader.is_timeless)
        for cut, shape in self._loud(reader, open_start, events, again):
            if cut[0] != open_start and self._index.only_names(cut[2]):
                self._learn(reader, cut, shape)
                continue
            if cut[2] == {self._index.error} and is_debug(data[cut[0] : cut[0] + 80]):
                continue
            told = set(memory.told) if cut[0] == 0 else set[str]()
            found, unknown = self._record(reader, cut, told, shape)
            events += found
            if cut[0] == open_start:
                still_told, memory.unknown = told, unknown
            elif unknown is not None:
                self.unread.note(unknown)
        events += self._held_back(reader, again, marks)
        if is_whole_text:
            events += self._second_look(reader, events)
        self._count_skipped(chunk, effort, memory)
        reader.remember_time()
        self._note_banners(memory, chunk.source.format, data)
        memory.keep(data, open_start, Position(position.generation, position.offset + open_start), still_told)
        return events

    def _loud(
        self, reader: RecordReader, open_start: int, events: list[Event], again: SaidAgain
    ) -> Iterator[tuple[Cut, Shape | None]]:
        """The records that are to be read. Of others it is known what follows, which goes to the `events` at once."""
        data, source = reader.data, reader.chunk.source
        roles, told_of = self.kernels.roles(source), self._read_lines.told
        for cut in reader.cuts(self._candidates_in(reader)):
            shape: Shape | None = None
            start, end, asked = cut
            if 0 < start != open_start:
                told = told_of((data[start:end], asked))
                if told is not None and reader.stands_alone(start):
                    for rule in told.rules:
                        self.matches[rule] += 1
                    if not told.is_nothing and not again.holds(told, start):
                        events += self._again(reader, start, told)
                    continue
                shape = self._quiet.shape(source.format, data, *cut, roles)
                quiet = self._quiet.rules(shape) if shape is not None else None
                if quiet is not None:
                    for rule in quiet:
                        self.matches[rule] += 1
                    continue
            yield cut, shape

    def _candidates_in(self, reader: RecordReader) -> list[Candidate]:
        """What might match; what an engine gave up looking for was left out."""
        stopped = self._candidates.stopped
        found = self._candidates.find(reader.data, reader.chunk.source.format)
        if self._matcher.effort is not None:
            self._matcher.effort.skipped += self._candidates.stopped - stopped
        return found

    def _again(
        self, reader: RecordReader, start: int, told: ToldLine, times: int = 1, at: float | None = None
    ) -> Sequence[Event]:
        """As `_record`, where the same bytes were read before: the events, each of which stands for so many lines."""
        if told.record.logged:
            at = told.record.at
        record = reader.again(start, told.record, reader.earlier(start) if at is None else at)
        if told.lessons:
            self._matcher.take(told.lessons, record.at, self._place(record))
        if told.unknown:
            self.unread.note(record)
        return [
            Event(e.kind, e.subject, record.at, e.fields, record, e.rule, phase=e.phase, times=times)
            for e in told.events
        ]

    def _held_back(self, reader: RecordReader, again: SaidAgain, marks: int) -> Iterator[Event]:
        """What was held back, now that all marks of the chunk are known; so many were there before it."""
        if not again.is_holding:
            return
        for told, start, times in again.held(only_ends=are_alike(self._matcher.marks[marks:])):
            yield from self._again(reader, start, told, times, reader.earlier(len(reader.data)))

    def _second_look(self, reader: RecordReader, events: Sequence[Event]) -> list[Event]:
        """The events of a small text that only show when its lines are joined."""
        find = self._candidates.find
        unwrapped = unwrapped_events(reader, find, self._matcher, [*events])
        return unwrapped + mended_events(reader, find, self._matcher, [*events, *unwrapped])

    def _count_skipped(self, chunk: Chunk, effort: Effort, memory: SourceMemory) -> None:
        """All are counted; a log is named once, or who fills it would fill that of the agent as well."""
        self.skipped += effort.skipped
        if effort.skipped and not memory.suspected:
            memory.suspected = True
            place = f"{chunk.source.path} from byte {chunk.position.offset} on"
            log.warning("%s looks made to hold xenwatch up: %d checks of it were left out", place, effort.skipped)

    def take_marks(self) -> list[PlacedMark]:
        """What was said to be done since this was last asked."""
        marks, self._matcher.marks = self._matcher.marks, []
        return marks

    def add_marks(self, marks: Sequence[PlacedMark]) -> None:
        """What another scanner found on behalf of this one."""
        self._matcher.marks += marks

    def _record(
        self, reader: RecordReader, cut: Cut, told: set[str], shape: Shape | None
    ) -> tuple[list[Event], LogRecord | None]:
        """The events of a record; and the record itself where it is an error that no rule knows."""
        start, end, asked = cut
        record, header = reader.record(start, end)
        guest, learnt = reader.guest_prefix(start), _NOTHING
        if guest is None and not record.guest and record.stranger is None and max(asked) >= self._index.first_naming:
            learnt = self._matcher.learn(record.text, record.at, asked, self._place(record))
        lines = QUOTED_GUESTS if guest else OWN_LINES
        if guest is None and record.kernel_role in GUEST_ROLES:
            lines |= QUOTED_GUESTS  # its kernel says here what it says on its console
        matches = self._matcher.matches(record.text, asked, record, lines)
        if not matches:
            asked_for = max(asked) == self._index.error and not record.source.format.unrelated
            unknown = asked_for and not told and is_error(record.text, header.level)
            self._keep(reader, cut, shape, ToldLine(record, (), (), learnt, unknown=unknown))
            return [], record if unknown else None
        fresh = [match for match in matches if match.entry.rule.noise or match.entry.key not in told]
        for match in matches:
            if match.entry.key not in told:
                self.matches[match.entry.rule.id] += 1
                told.add(match.entry.key)
        events = self._matcher.events(fresh, record, header, guest=guest)
        self._keep(reader, cut, shape, ToldLine(record, events, [match.entry.rule.id for match in matches], learnt))
        return [self._with_guest_phase(event, reader, start) for event in events], None

    def _with_guest_phase(self, event: Event, reader: RecordReader, start: int) -> Event:
        """How far the guest had got, where the rule asks: what it printed before is looked for once for such a line."""
        if event.rule not in self._index.asking_guest_phase or event.record is None:
            return event
        text, format_ = event.record.text, reader.chunk.source.format
        phase: GuestPhase | None = guest_phase(text)
        domid = domid_in(text) if format_.guest_line is not None else ""
        if phase is None and (domid or format_.guest_written):
            before = self._memory(reader.chunk.source.path).banners.get(domid)
            phase = reader.banners.before(start, domid) or before
        return event._replace(guest_phase=phase)

    def _note_banners(self, memory: SourceMemory, format_: LogFormat, data: bytes) -> None:
        if self._index.asking_guest_phase and (format_.guest_line is not None or format_.guest_written):
            memory.banners |= last_banners(data)

    def _learn(self, reader: RecordReader, cut: Cut, shape: Shape | None) -> None:
        """As `_record` where nothing but names may be in it: one line in twenty of a busy xend.log."""
        start, end, asked = cut
        if reader.guest_prefix(start) is None:
            record = reader.unnumbered(start, end)
            if record is not None and not reader.is_guests(record.host):
                learnt = self._matcher.learn(record.text, record.at, asked, self._place(record))
                self._keep(reader, cut, shape, ToldLine(record, (), (), learnt))

    def _keep(self, reader: RecordReader, cut: Cut, shape: Shape | None, told: ToldLine) -> None:
        """Remember what followed from a record. Where checks were left out, that is not known."""
        if shape is None or (self._matcher.effort is not None and self._matcher.effort.skipped):
            return
        start, end, asked = cut
        if told.is_nothing:
            self._quiet.note(shape, told.rules)
            if not reader.is_timeless:
                return  # its shape comes again, its bytes hardly ever
        asks_phase = any(event.rule in self._index.asking_guest_phase for event in told.events)
        if not asks_phase and reader.stands_alone(start):
            self._read_lines.keep_told(reader.data[start:end], asked, told)

    def _place(self, record: LogRecord) -> Place:
        origin = origin_of(record.source, record.host) if self._several_hosts else Origin(record.source.host)
        return Place(
            record.source, record.position.offset, record.logged, origin, command_of(record.source, record.text)
        )

    def state(self) -> dict[str, Any]:
        """JSON-able: open records and times of the sources, and who the domains are."""
        return {
            "sources": {path: memory.state() for path, memory in self._memories.items()},
            "identity": self.registry.state(),
            "kernels": self.kernels.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state()`; raises KeyError, TypeError, AttributeError or ValueError where it is not one."""
        memories = {str(path): SourceMemory.restored(kept) for path, kept in state["sources"].items()}
        self.registry.restore(state["identity"])
        self.kernels.restore(state.get("kernels", {}))
        self._memories = OrderedDict(memories)

    def _memory(self, path: str) -> SourceMemory:
        memory = self._memories.setdefault(path, SourceMemory())
        self._memories.move_to_end(path)
        if len(self._memories) > MOST_SOURCES:
            self._memories.popitem(last=False)
        return memory
