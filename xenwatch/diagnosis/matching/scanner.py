"""Raw chunks in, events out: candidates from the engine, records around them, and `re` to decide."""

import logging
import re
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xenwatch.base.retyped import as_written
from xenwatch.diagnosis.domain_registry import DomainRegistry
from xenwatch.diagnosis.hosts import Origin, origin_of
from xenwatch.diagnosis.kernel_role import GUEST_ROLES, KernelRoles
from xenwatch.diagnosis.matching.error_places import places_of_errors
from xenwatch.diagnosis.matching.errors import ERROR, UnreadErrors, is_debug, is_error
from xenwatch.diagnosis.matching.linear import Effort
from xenwatch.diagnosis.matching.matcher import Matcher
from xenwatch.diagnosis.matching.prefilter import Prefilter, PrefilterName
from xenwatch.diagnosis.matching.prefilter_factory import make_prefilter, takes_long
from xenwatch.diagnosis.matching.quiet_records import QuietRecords, Shape
from xenwatch.diagnosis.matching.read_lines import ReadLines
from xenwatch.diagnosis.matching.record_reader import Cut, RecordReader
from xenwatch.diagnosis.matching.rewrap import LARGEST_TEXT, unwrapped_events
from xenwatch.diagnosis.matching.signature_index import OWN_LINES, QUOTED_GUESTS, SignatureIndex
from xenwatch.diagnosis.matching.source_memory import SourceMemory
from xenwatch.diagnosis.matching.tracebacks import mended_events
from xenwatch.diagnosis.operations.banners import last_banners
from xenwatch.diagnosis.operations.guest_phases import GuestPhase, domid_in, guest_phase
from xenwatch.diagnosis.operations.marks import Place, PlacedMark, command_of
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.event import Event
from xenwatch.model.record import Chunk, LogFormat, LogRecord, Position

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

log = logging.getLogger(__name__)

MOST_SOURCES = 4096
EFFORT = 64
"""How often each character of a chunk may be looked at to confirm what the engine suspects; a busy log takes two."""
LEAST_EFFORT = 1024 * 1024
"""Characters that may be looked at in the smallest chunk: one record may be asked a hundred things."""

_UNKNOWN_PREFIX = "…"
"""What the host put before a line that lost its beginning."""


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
        self._index = SignatureIndex(rules)
        self._errors = make_prefilter([ERROR], engine, cache)
        self._background: Future[Prefilter] | None = None
        if compiling is not None and engine == "auto" and takes_long(self._index.sought, cache):
            self._background = compiling.submit(make_prefilter, self._index.sought, engine, cache)
            self._prefilter = make_prefilter(self._index.sought, "ahocorasick", cache)
        else:
            self._prefilter = make_prefilter(self._index.sought, engine, cache)
        self._matcher = Matcher(self._index, self.registry)
        self._quiet, self._read_lines = QuietRecords(self._index), ReadLines()
        self._memories: OrderedDict[str, SourceMemory] = OrderedDict()
        self.kernels = KernelRoles()
        self.unread = UnreadErrors()
        self.skipped = 0
        """Questions that were not asked any more, because a chunk was made to take for ever."""
        self.matches: Counter[str] = Counter()
        """Matches by rule, those of quiet rules included."""

    @property
    def engine_name(self) -> str:
        """Which engine reads the chunks just now: hyperscan, ahocorasick or re."""
        return self._prefilter.name

    def feed(self, chunk: Chunk) -> list[Event]:
        """The events of a chunk. A record that the next chunk goes on with is matched again then, and told once."""
        memory = self._memory(chunk.source.path)
        if memory.unknown is not None and not memory.goes_on_in(chunk):
            self.unread.note(memory.unknown)
        memory.unknown = None
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
        events: list[Event] = []
        for cut, shape in self._loud(reader, open_start):
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
        if is_whole_text:
            events += unwrapped_events(reader, self.candidates, self._matcher, events)
            events += mended_events(reader, self.candidates, self._matcher, events)
        self._count_skipped(chunk, effort, memory)
        reader.remember_time()
        self._note_banners(memory, chunk.source.format, data)
        memory.keep(data, open_start, Position(position.generation, position.offset + open_start), still_told)
        return events

    def _loud(self, reader: RecordReader, open_start: int) -> Iterator[tuple[Cut, Shape | None]]:
        """The records in which something may be; those of which nothing follows, by their shape, are only counted."""
        data, source = reader.data, reader.chunk.source
        roles, telling = self.kernels.roles(source), self._read_lines.telling
        stopped = self._prefilter.stopped + self._errors.stopped
        candidates = self.candidates(data, source.format)
        if self._matcher.effort is not None:
            self._matcher.effort.skipped += self._prefilter.stopped + self._errors.stopped - stopped
        for cut in reader.cuts(candidates):
            shape: Shape | None = None
            if 0 < cut[0] != open_start and not (telling and data[cut[0] : cut[1]] in telling):
                shape = self._quiet.shape(source.format, data, *cut, roles)
                quiet = self._quiet.rules(shape) if shape is not None else None
                if quiet is not None:
                    for rule in quiet:
                        self.matches[rule] += 1
                    continue
            yield cut, shape

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
        guest, learnt = self._guest_prefix(reader, start), False
        if guest is None and not record.guest and record.stranger is None and max(asked) >= self._index.first_naming:
            origin = self._origin(reader, record.host)
            command = command_of(record.source, record.text)
            place = Place(record.source, record.position.offset, record.logged, origin, command)
            learnt = self._matcher.learn(record.text, record.at, asked, place)
        lines = QUOTED_GUESTS if guest else OWN_LINES
        if guest is None and record.kernel_role in GUEST_ROLES:
            lines |= QUOTED_GUESTS  # its kernel says here what it says on its console
        matches = self._matcher.matches(record.text, asked, record, lines)
        if not matches:
            asked_for = max(asked) == self._index.error and not record.source.format.unrelated
            unknown = asked_for and not told and is_error(record.text, header.level)
            if shape is not None and not unknown and not learnt:
                self._note_quiet(shape, ())
            return [], record if unknown else None
        fresh = [match for match in matches if match.entry.rule.noise or match.entry.key not in told]
        for match in matches:
            if match.entry.key not in told:
                self.matches[match.entry.rule.id] += 1
                told.add(match.entry.key)
        events = self._matcher.events(fresh, record, header, guest=guest)
        if shape is not None and events:
            self._read_lines.note_telling(reader.data[start:end])
        elif shape is not None and not learnt:
            self._note_quiet(shape, [match.entry.rule.id for match in matches])
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
        return replace(event, guest_phase=phase)

    def _note_banners(self, memory: SourceMemory, format_: LogFormat, data: bytes) -> None:
        if self._index.asking_guest_phase and (format_.guest_line is not None or format_.guest_written):
            memory.banners |= last_banners(data)

    def _learn(self, reader: RecordReader, cut: Cut, shape: Shape | None) -> None:
        """As `_record` where nothing but names may be in it: one line in twenty of a busy xend.log."""
        start, end, asked = cut
        if self._guest_prefix(reader, start) is None:
            dated = reader.dated_text(start, end)
            if dated is None or reader.is_guests(dated[3]):
                return
            text, at, logged, host = dated
            source, origin = reader.chunk.source, self._origin(reader, host)
            place = Place(source, reader.position.offset + start, logged, origin, command_of(source, text))
            learnt = self._matcher.learn(text, at, asked, place)
            if shape is not None and not learnt:
                self._note_quiet(shape, ())

    def _note_quiet(self, shape: Shape, rules: Sequence[str]) -> None:
        """Where checks were left out, nothing is known of the record."""
        if self._matcher.effort is None or not self._matcher.effort.skipped:
            self._quiet.note(shape, rules)

    def _origin(self, reader: RecordReader, host: str | None) -> Origin:
        source = reader.chunk.source
        return origin_of(source, host) if self._several_hosts else Origin(source.host)

    @staticmethod
    def _guest_prefix(reader: RecordReader, start: int) -> str | None:
        """What the host put before a guest-written line; None for what a host wrote."""
        format_ = reader.chunk.source.format
        quoted = format_.guest_line.match(reader.data, start) if format_.guest_line is not None else None
        if quoted is not None:
            return quoted.group().decode("ascii", "replace")
        if reader.is_headless(start):
            return _UNKNOWN_PREFIX
        return "" if format_.guest_written else None

    def candidates(self, data: bytes, format_: LogFormat) -> list[tuple[int, int]]:
        """(offset just behind or inside the match, index) of what might match in text of that format."""
        self._take_compiled()
        allowed = self._index.allowed(format_)
        found = [pair for pair in self._prefilter.candidates(data) if allowed[pair[1]]]
        error, places = self._index.error, places_of_errors(self._errors.candidates(data), found, data, format_)
        if places:
            found += [(at, error) for at in places]
            found.sort()
        always = [index for index in self._prefilter.everywhere if allowed[index]]
        if self._errors.everywhere:
            always.append(self._index.error)
        if always:
            starts = [0, *(m.end() for m in re.finditer(b"\n", data[:-1]))]
            found = sorted(found + [(start + 1, index) for start in starts for index in always])
        return found

    def _take_compiled(self) -> None:
        """Go over to the compiled signatures once they are there; where compiling failed, this goes on as it is."""
        if self._background is not None and self._background.done():
            if self._background.exception() is None:
                self._prefilter = self._background.result()
            self._background = None

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
