"""Raw chunks in, events out: candidates from the engine, records around them, and `re` to decide."""

import re
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from xenwatch.base.quoting import unquoted
from xenwatch.diagnosis.domain_registry import Identity
from xenwatch.diagnosis.matching.known import OWN_LINES, QUOTED_GUESTS, Known
from xenwatch.diagnosis.matching.matcher import Confirm
from xenwatch.diagnosis.matching.openrecord import SourceMemory
from xenwatch.diagnosis.matching.prefilter import Engine, EngineName
from xenwatch.diagnosis.matching.prefilter_factory import make_engine, takes_long
from xenwatch.diagnosis.matching.record_reader import Cut, Reading
from xenwatch.diagnosis.matching.rewrap import LARGEST_TEXT, unwrapped_events
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.event import Event
from xenwatch.model.record import Chunk, LogFormat, LogRecord, Position

MOST_SOURCES = 4096
MOST_UNMATCHED = 1000
_CALM = ("debug", "info")


class Scanner:
    """One for all sources.

    `unmatched` holds the last error records that no rule knows, `unmatched_total` counts them all; `identity` is what
    the records said about who is who. `cache` is a folder for the compiled signatures; `formats` are the dialects whose
    error levels are watched.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        engine: EngineName = "auto",
        *,
        formats: Iterable[LogFormat] = (),
        cache: Path | None = None,
        compiling: Executor | None = None,
    ) -> None:
        """`compiling`: threads that compile what would take seconds; the literal prefilter reads meanwhile."""
        self.identity = Identity()
        self._known = Known(rules, formats)
        self._wanted, self._cache = engine, cache
        self._levels: dict[str, tuple[Engine, int] | None] = {}
        self._background: Future[Engine] | None = None
        if compiling is not None and engine == "auto" and takes_long(self._known.regexes, cache):
            self._background = compiling.submit(make_engine, self._known.regexes, engine, cache)
            self._engine = make_engine(self._known.regexes, "ahocorasick")
        else:
            self._engine = make_engine(self._known.regexes, engine, cache)
        self._confirm = Confirm(self._known, self.identity)
        self._memories: OrderedDict[str, SourceMemory] = OrderedDict()
        self.unmatched: deque[LogRecord] = deque(maxlen=MOST_UNMATCHED)
        self.unmatched_total = 0
        self.matches: Counter[str] = Counter()
        """Matches by rule, those of quiet rules included."""

    @property
    def engine_name(self) -> str:
        """Which engine reads the chunks just now: hyperscan, ahocorasick or re."""
        return self._engine.name

    def feed(self, chunk: Chunk) -> list[Event]:
        """The events of a chunk. A record that the next chunk goes on with is matched again then, and told once."""
        memory = self._memory(chunk.source.path)
        if memory.unknown is not None and not memory.goes_on_in(chunk):
            self._note(memory.unknown)
        memory.unknown = None
        data, position = memory.join(chunk)
        if not data:
            return []
        whole = chunk.final and chunk.position.offset == 0 and len(data) <= LARGEST_TEXT
        if whole:
            data = unquoted(data)
        reading = Reading(chunk, data, position, memory)
        open_start, still_told = reading.open_start(), set[str]()
        events: list[Event] = []
        for cut in reading.cuts(self.candidates(data, chunk.source.format)):
            if cut[0] != open_start and self._known.only_namings(cut[2]):
                self._learn(reading, cut)
                continue
            told = set(memory.told) if cut[0] == 0 else set[str]()
            found, unknown = self._record(reading, cut, told)
            events += found
            if cut[0] == open_start:
                still_told, memory.unknown = told, unknown
            elif unknown is not None:
                self._note(unknown)
        if whole:
            events += unwrapped_events(reading, self.candidates, self._confirm, events)
        reading.remember_time()
        memory.keep(data, open_start, Position(position.generation, position.offset + open_start), still_told)
        return events

    def _note(self, record: LogRecord) -> None:
        self.unmatched.append(record)
        self.unmatched_total += 1

    def _record(self, reading: Reading, cut: Cut, told: set[str]) -> tuple[list[Event], LogRecord | None]:
        """The events of a record; and the record itself where it is an error that no rule knows."""
        start, end, asked = cut
        record, header = reading.record(start, end)
        guest = self._guest_prefix(reading, start)
        if guest is None and max(asked) >= self._known.first_naming:
            self._confirm.learn(record.text, record.at, asked)
        lines = QUOTED_GUESTS if guest else OWN_LINES
        matches = self._confirm.matches(record.text, asked, record.source.format, lines)
        if not matches:
            known = told or guest is not None or header.level in _CALM
            return [], record if not known and self._is_error(reading, cut) else None
        fresh = [match for match in matches if match.entry.rule.noise or match.entry.key not in told]
        for match in matches:
            if match.entry.key not in told:
                self.matches[match.entry.rule.id] += 1
                told.add(match.entry.key)
        return self._confirm.events(fresh, record, header, guest=guest), None

    def _learn(self, reading: Reading, cut: Cut) -> None:
        """As `_record` where nothing but names may be in it: one line in twenty of a busy xend.log."""
        start, end, asked = cut
        if self._guest_prefix(reading, start) is None:
            text, at = reading.dated_text(start, end)
            self._confirm.learn(text, at, asked)

    def _is_error(self, reading: Reading, cut: Cut) -> bool:
        start, end, asked = cut
        pattern: re.Pattern[bytes] | None = reading.chunk.source.format.error
        wanted = max(asked) >= self._known.first_level
        return wanted and pattern is not None and pattern.search(reading.data[start:end]) is not None

    @staticmethod
    def _guest_prefix(reading: Reading, start: int) -> str | None:
        """What the host put before a guest-written line; None for what a host wrote."""
        format_ = reading.chunk.source.format
        quoted = format_.guest_line.match(reading.data, start) if format_.guest_line is not None else None
        if quoted is not None:
            return quoted.group().decode("ascii", "replace")
        return "" if format_.guest_written else None

    def candidates(self, data: bytes, format_: LogFormat) -> list[tuple[int, int]]:
        """(offset just behind or inside the match, index) of what might match in text of that dialect."""
        self._take_compiled()
        allowed = self._known.allowed(format_)
        found = [pair for pair in self._engine.candidates(data) if allowed[pair[1]]]
        levels = self._levels_of(format_)
        if levels is not None:
            engine, index = levels
            found += [(at, index) for at, _ in engine.candidates(data)]
            found.sort()
        always = [index for index in self._engine.everywhere if allowed[index]]
        if levels is not None and levels[0].everywhere:
            always.append(levels[1])
        if always:
            starts = [0, *(m.end() for m in re.finditer(b"\n", data[:-1]))]
            found = sorted(found + [(start + 1, index) for start in starts for index in always])
        return found

    def _levels_of(self, format_: LogFormat) -> tuple[Engine, int] | None:
        """What finds error records of the dialect: apart, since the words of other dialects for it are everywhere."""
        if format_.name not in self._levels:
            level = self._known.level(format_)
            made = None if level is None else (make_engine([level[1]], self._wanted, self._cache), level[0])
            self._levels[format_.name] = made
        return self._levels[format_.name]

    def _take_compiled(self) -> None:
        """Go over to the compiled signatures once they are there; where compiling failed, this goes on as it is."""
        if self._background is not None and self._background.done():
            if self._background.exception() is None:
                self._engine = self._background.result()
            self._background = None

    def state(self) -> dict[str, Any]:
        """JSON-able: open records and times of the sources, and who the domains are."""
        return {
            "sources": {path: memory.state() for path, memory in self._memories.items()},
            "identity": self.identity.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state()`; raises KeyError, TypeError, AttributeError or ValueError where it is not one."""
        memories = {str(path): SourceMemory.restored(kept) for path, kept in state["sources"].items()}
        self.identity.restore(state["identity"])
        self._memories = OrderedDict(memories)

    def _memory(self, path: str) -> SourceMemory:
        memory = self._memories.setdefault(path, SourceMemory())
        self._memories.move_to_end(path)
        if len(self._memories) > MOST_SOURCES:
            self._memories.popitem(last=False)
        return memory
