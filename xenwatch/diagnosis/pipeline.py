"""The one pipeline: chunks, snapshots and facts in, changed incidents out. It does no I/O and has no clock."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from xenwatch.diagnosis.correlation.engine import CorrelationEngine
from xenwatch.diagnosis.incidents.tracker import IncidentTracker
from xenwatch.diagnosis.matching.prefilter import PrefilterName
from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.event import Event
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, LogFormat
from xenwatch.model.sample import Snapshot

log = logging.getLogger(__name__)

_NOT_STATE = (KeyError, TypeError, ValueError, AttributeError)


class Pipeline:
    """Scanner, engine and incidents in a row. What each call returns are the incidents that it changed."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        formats: Iterable[LogFormat] = (),
        engine: PrefilterName = "auto",
        cache: Path | None = None,
        compiling: Executor | None = None,
        bundle: bool = False,
    ) -> None:
        """`cache`: private folder of compiled signatures; `compiling`: where they are compiled while others read.

        `bundle`: the logs lie still.
        """
        self.scanner = Scanner(rules, engine, formats=formats, cache=cache, compiling=compiling)
        self.engine = CorrelationEngine(rules, self.scanner.registry)
        self.incidents = IncidentTracker(rules, bundle=bundle, name_of=self.scanner.registry.name_of)
        self.matches: Counter[tuple[str, str, str]] = Counter()
        """Events by (rule, dialect, severity of the rule)."""
        self._severity = {rule.id: rule.severity for rule in rules}

    def chunk(self, chunk: Chunk, latest: float) -> list[Incident]:
        """Whole lines of one log. Time is what the records say, but no later than `latest`."""
        self.scanner.registry.notice_owner(chunk.source.subject, chunk.hint.near)
        events = self.scanner.feed(chunk)
        if not events:
            return []
        self._count(events, chunk.source.format.name)
        now = min(max(event.at for event in events), latest)
        return self.incidents.apply(self.engine.observe(events, now=now), now, events)

    def snapshot(self, snapshot: Snapshot) -> list[Incident]:
        """What was sampled."""
        return self.incidents.apply(self.engine.observe(snapshot=snapshot, now=snapshot.at), snapshot.at)

    def facts(self, facts: Iterable[Fact], now: float) -> list[Incident]:
        """What was learnt about the host."""
        return self.incidents.apply(self.engine.observe(facts=facts, now=now), now)

    def tick(self, now: float) -> list[Incident]:
        """The passing of time alone: what was expected did not come, what was quiet long enough is resolved."""
        return self.incidents.apply(self.engine.tick(now), now)

    def state(self) -> dict[str, Any]:
        """JSON-able correlation state; incidents are kept apart from it."""
        return {"scanner": self.scanner.state(), "engine": self.engine.state()}

    def restore(self, state: Mapping[str, Any], incidents: Iterable[Incident]) -> list[str]:
        """Go on from `state()`; names of the parts whose state could not be understood and starts empty."""
        self.incidents.restore(incidents)
        parts: dict[str, Callable[[Any], None]] = {"scanner": self.scanner.restore, "engine": self.engine.restore}
        lost: list[str] = []
        for name, restore in parts.items():
            try:
                if name in state:
                    restore(state[name])
            except _NOT_STATE as error:
                log.warning("stored state of the %s cannot be used (%s); it starts empty", name, error)
                lost.append(name)
        return lost

    def _count(self, events: Iterable[Event], stream: str) -> None:
        for event in events:
            self.matches[event.rule, stream, self._severity.get(event.rule, "info")] += 1
