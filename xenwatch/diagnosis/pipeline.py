"""The one pipeline: chunks, snapshots and facts in, changed incidents out. It does no I/O and has no clock."""

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from xenwatch.diagnosis.correlation.engine import CorrelationEngine
from xenwatch.diagnosis.correlation.line_memory import SeenAgain, Sighting
from xenwatch.diagnosis.hosts import BundleHosts, Origin, host_name, origin_of
from xenwatch.diagnosis.incidents.removed import removed_volumes
from xenwatch.diagnosis.incidents.tracker import IncidentTracker
from xenwatch.diagnosis.kernel_role import GUEST_ROLES
from xenwatch.diagnosis.matching.prefilter import PrefilterName
from xenwatch.diagnosis.matching.scanned import Scanned, take_over
from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.operations.done import DoneAgain
from xenwatch.diagnosis.operations.marks import Place, PlacedMark, name_of_config
from xenwatch.diagnosis.operations.tracker import OperationTracker
from xenwatch.diagnosis.pool_lines import on_its_host
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.years import YearCorrection
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.event import Event
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, LogRecord, Source
from xenwatch.model.sample import Snapshot
from xenwatch.model.serialize import event_from_json, event_json
from xenwatch.model.subject import HOST_NAME, Subject

if TYPE_CHECKING:
    from concurrent.futures import Executor

log = logging.getLogger(__name__)

MOST_EVENTS = 20_000
"""Events that are held to be put in the order of time over all logs; with more, a batch of this size is judged."""
_NOT_STATE = (KeyError, TypeError, ValueError, AttributeError)


class LogOwners(Protocol):
    """Which domain a log belongs to, where its path alone does not say."""

    def learn(self, chunk: Chunk) -> None:
        """Take from a host's log which process serves which domain."""

    def owner(self, source: Source, of_one_host: Callable[[Source, Source], bool]) -> Subject | None:
        """The domain that the log belongs to, as far as logs that are `of_one_host` with it have said by now."""


class _PathsAlone:
    def learn(self, chunk: Chunk) -> None: ...

    def owner(self, source: Source, _of_one_host: Callable[[Source, Source], bool]) -> Subject | None:
        return source.subject


class Pipeline:
    """Scanner, correlation and incidents in a row, for a running host and for logs at rest alike.

    `read`, `facts` and `snapshot` take what there is; `conclude` says what follows from all of it. In between events
    are held, so that several logs are judged in the order of time, whichever was read first.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        prefilter: PrefilterName = "auto",
        cache: Path | None = None,
        compiling: "Executor | None" = None,
        owners: LogOwners | None = None,
        hosts: BundleHosts | None = None,
        at_rest: bool = False,
        ahead: Callable[[Chunk], Scanned | None] | None = None,
    ) -> None:
        """`cache`: private folder of compiled signatures; `compiling`: where they are compiled while others read.

        `hosts`: the logs may be of several, which are told apart by it; None: all of it is of one host.
        `at_rest`: nothing is written to the logs any more, so that silence in them does not end an incident.
        `ahead` has what another process found in a chunk; None: it is scanned here.
        """
        self.rules = rules
        self.scanner = Scanner(rules, prefilter, cache=cache, compiling=compiling, several_hosts=hosts is not None)
        self.engine = CorrelationEngine(rules, self.scanner.registry)
        self.scanner.counted = self.engine.counted
        self.matches: Counter[tuple[str, str, str]] = Counter()
        """Events by (rule, format, severity of the rule)."""
        self.years = YearCorrection()
        self.operations = OperationTracker(self.scanner.registry, at_rest=at_rest)
        self._done = DoneAgain(self.operations)
        self.incidents = IncidentTracker(
            rules, at_rest=at_rest, name_of=self.scanner.registry.name_of, done_since=self._done.since
        )
        self._at_rest, self._ahead = at_rest, ahead
        self._owners = owners or _PathsAlone()
        self._hosts = hosts
        self._severity = {rule.id: rule.severity for rule in rules}
        self._events: list[Event] = []
        self._lines = 0
        """How many lines these stand for."""
        self._facts: list[tuple[Fact, Origin]] = []
        self._snapshots: list[tuple[Snapshot, Origin]] = []
        self._over: tuple[tuple[str, Subject, float], ...] = ()

    def read(self, chunk: Chunk) -> bool:
        """Whole lines of one log. True: something is waiting for `conclude`."""
        origin = Origin()
        if self._hosts is not None:
            self._hosts.see(chunk)
            origin = origin_of(chunk.source, None)
        self.scanner.registry.notice_owner(chunk.source.subject, chunk.hint.near, origin)
        self._owners.learn(chunk)
        self.years.see(chunk)
        scanned = self._ahead(chunk) if self._ahead is not None else None
        events = self.scanner.feed(chunk) if scanned is None else take_over(self.scanner, scanned)
        self._events += events
        self._lines += sum([event.times for event in events])
        return bool(self._events)

    @property
    def held(self) -> Sequence[Event]:
        """What was read and is not judged yet."""
        return tuple(self._events)

    @property
    def is_full(self) -> bool:
        """Whether so many events are held that they are to be judged before more is read."""
        return self._lines > MOST_EVENTS

    def facts(self, facts: Iterable[Fact], origin: Origin = Origin()) -> None:  # noqa: B008 - frozen
        """What was learnt about the host; `origin` of the file that it was learnt from."""
        self._facts += [(fact, origin) for fact in facts]

    def snapshot(self, snapshot: Snapshot, origin: Origin = Origin()) -> None:  # noqa: B008 - frozen
        """What was sampled."""
        self._snapshots.append((snapshot, origin))

    def conclude(self, latest: float) -> list[Incident]:
        """The incidents that change by what was taken in. Time is what the records say, but no later than `latest`."""
        events = self._released()
        diagnoses, now = self._judged(events, latest)
        return self.incidents.apply(diagnoses, now, events, self._over)

    def judged_in_slices(self, snapshot: Snapshot) -> Generator[None, None, list[Incident]]:
        """As `snapshot` and `conclude` for a running host; between two slices lines and facts may be taken in."""
        self._done.see(snapshot)
        yield
        over = removed_volumes(snapshot, self.incidents.all())
        judged = yield from self.engine.snapshot_in_slices(snapshot)
        return self.incidents.apply(judged.found, snapshot.at, (), (*judged.over, *over))

    def diagnose(self, latest: float) -> list[Diagnosis]:
        """The same up to the diagnoses, for the tools of a rule's author."""
        found = self._judged(self._released(), latest)[0]
        return [one.diagnosis if isinstance(one, SeenAgain) else one for one in found]

    def tick(self, now: float) -> list[Incident]:
        """The passing of time alone: what was expected did not come, what was quiet long enough is resolved."""
        return self.incidents.apply(self.engine.tick(now), now)

    def state(self) -> dict[str, Any]:
        """JSON-able correlation state; incidents are kept apart from it."""
        held = [event_json(event) for event in self._events]
        return {
            "scanner": self.scanner.state(),
            "engine": self.engine.state(),
            "operations": self.operations.state(),
            "held": held,
        }

    def restore(self, state: Mapping[str, Any], incidents: Iterable[Incident]) -> list[str]:
        """Go on from `state()`; names of the parts that start empty because their state could not be understood."""
        self.incidents.restore(incidents)
        parts: dict[str, Callable[[Any], None]] = {
            "scanner": self.scanner.restore,
            "engine": self.engine.restore,
            "operations": self.operations.restore,
            "held": self._restore_held,
        }
        lost: list[str] = []
        for name, restore in parts.items():
            try:
                if name in state:
                    restore(state[name])
            except _NOT_STATE as error:
                log.warning("stored state of the %s cannot be used (%s); it starts empty", name, error)
                lost.append(name)
        return lost

    def _restore_held(self, state: list[dict[str, Any]]) -> None:
        self._events = [event_from_json(event) for event in state]
        self._lines = sum(event.times for event in self._events)

    def _released(self) -> list[Event]:
        """The events held, each with its year and its owner, in the order of time; of equals, by place."""
        events = [self._owned(self.years.dated(event)) for event in self._events]
        self._events, self._lines = [], 0
        if self._hosts is not None:
            events = self._hosts.settled_events(events)
            self.scanner.registry.divide(self._hosts.host_of)
        else:
            events = [on_its_host(event) for event in events]
        self._learn_names()
        for event in events:
            self.matches[event.rule, _format(event), self._severity.get(event.rule, "info")] += event.times
        return self.operations.place(sorted(events, key=_order), self._marks())

    def _learn_names(self) -> None:
        """`xl list` says which name a domid has."""
        host_of = self._hosts.host_of if self._hosts is not None else _one_host
        for fact, origin in self._facts:
            who = fact.subject
            if who.kind == "domain" and (who.domid is not None or (who.host and who.uuid)):
                fields = {"domain": who.name, "domid": str(who.domid or ""), "uuid": who.uuid}
                self.scanner.registry.learn(fields, fact.at, Origin(who.host or host_of(origin)))

    def _marks(self) -> list[PlacedMark]:
        """What was said to be done, each with its year and its host."""
        right, host_of = self.years.right, self._hosts.host_of if self._hosts is not None else _one_host
        names = {config: fact.subject.name for fact, _ in self._facts if (config := _configured_in(fact)) is not None}
        marks: list[PlacedMark] = []
        hosts: dict[Origin, Origin] = {}
        for placed in self.scanner.take_marks():
            mark, fields, (source, offset, logged, origin, command), at = placed.called(names)
            host = hosts.get(origin)
            if host is None:
                host = hosts[origin] = Origin(host_of(origin))
            place = Place(source, offset, logged, host, command)
            marks.append(PlacedMark(mark, fields, place, right(source.path, at) or at))
        return marks

    def _judged(self, events: Sequence[Event], latest: float) -> tuple[list[Sighting], float]:
        facts, snapshots = self._learnt()
        now = min(max([*(e.at for e in events[-1:]), *(f.at for f in facts)], default=latest), latest)
        diagnoses = self.engine.sightings(events, facts=facts, now=now) if events or facts else []
        over = list(self.engine.over) if events or facts else []
        for snapshot in snapshots:
            self._done.see(snapshot)
            diagnoses += self.engine.observe(snapshot=snapshot, now=snapshot.at)
            over += [*self.engine.over, *removed_volumes(snapshot, self.incidents.all())]
            now = max(now, snapshot.at)
        self._over = tuple(over)
        return diagnoses, now

    def _learnt(self) -> tuple[list[Fact], list[Snapshot]]:
        """The facts and snapshots held, each with its host."""
        held, taken = self._facts, self._snapshots
        self._facts, self._snapshots = [], []
        if self._hosts is None:
            return [fact for fact, _ in held], [snapshot for snapshot, _ in taken]
        facts = [self._hosts.settled_fact(fact, origin) for fact, origin in held]
        snapshots = [self._hosts.settled_snapshot(snapshot, origin) for snapshot, origin in taken]
        self._hosts.go_on_unnamed()
        return facts, snapshots

    def _owned(self, event: Event) -> Event:
        """A log's owner may have been named by another log that was read after it."""
        record = event.record
        if record is None or record.source.subject is not None or event.subject.is_named:
            return event
        owner = self._owners.owner(record.source, self._of_one_host) or self._named_by_itself(record)
        return event if owner is None else event._replace(subject=owner)

    def _named_by_itself(self, record: LogRecord) -> Subject | None:
        """A guest's journal calls it by its host name. Only logs at rest are believed: nothing is repaired by them."""
        if not self._at_rest or record.own_name is None or not (record.guest or record.kernel_role in GUEST_ROLES):
            return None
        name = host_name(record.own_name)
        return Subject("domain", name) if name is not None and name != HOST_NAME else None

    def _of_one_host(self, one: Source, other: Source) -> bool:
        """Whether two logs are of the same host, as far as that is known by now."""
        host_of = self._hosts.host_of if self._hosts is not None else _one_host
        return host_of(origin_of(one, None)) == host_of(origin_of(other, None))


def _configured_in(fact: Fact) -> str | None:
    """What the file of a guest's configuration is called, as one that is named after its guest would be."""
    return name_of_config(fact.origin) if fact.name == "guest.type" else None


def _order(event: Event) -> tuple[float, str, int]:
    record = event.record
    return (event.at, record.source.path, record.position.offset) if record else (event.at, "", 0)


def _format(event: Event) -> str:
    return event.record.source.format.name if event.record else ""


def _one_host(origin: Origin) -> str | None:
    """On a running host only what is of a pool is of another."""
    return origin.host
