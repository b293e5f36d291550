"""Places events in the operations they belong to: a line that names nobody belongs to the one it stands in."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from operator import itemgetter
from typing import Any

from xenwatch.diagnosis.domain_registry import DomainRegistry
from xenwatch.diagnosis.host_domains import is_uuid
from xenwatch.diagnosis.hosts import Origin
from xenwatch.diagnosis.operations.full_names import name_in_full
from xenwatch.diagnosis.operations.marks import PlacedMark
from xenwatch.diagnosis.operations.nearest import nearest, under_way
from xenwatch.diagnosis.operations.phases import TEARDOWN, phase_at, rank
from xenwatch.diagnosis.operations.placement import (
    are_near,
    guest_of,
    host_of,
    in_shared_log,
    in_turn,
    is_a_guess,
    is_about,
    is_known,
    lasts,
    names_anew,
    placed_in,
    repeats,
    story_of,
    subject_in,
    time_of,
)
from xenwatch.diagnosis.operations.seen import MOST_OPERATIONS, SeenOperations
from xenwatch.diagnosis.operations.sole_operation import is_of, sole_operation
from xenwatch.diagnosis.operations.typed import TypedCommands, may_say
from xenwatch.model.event import Event
from xenwatch.model.operation import Operation, OperationOutcome
from xenwatch.model.subject import Subject

_BEGINS = frozenset({"begin", "about", "told", "config"})
_SAID_AFTERWARDS = frozenset({"told", "config"})


class OperationTracker:
    """`operations` are those seen, oldest first; `registry` knows which name a domid had.

    `at_rest`: all logs there are were sent together, and nothing else is known of the host.
    """

    def __init__(self, registry: DomainRegistry, *, at_rest: bool = False) -> None:
        self._registry, self._at_rest = registry, at_rest
        self.operations = SeenOperations()
        self._typed = TypedCommands()
        self._current: dict[str, str] = {}
        """By log, or by command in a log of many: the operation that its last line stood in."""

    def place(self, events: Sequence[Event], marks: Iterable[PlacedMark]) -> list[Event]:
        """The events with their operation and phase, and with the guest of the operation where they name nobody."""
        by_log: defaultdict[str, list[tuple[int, int, PlacedMark | int]]] = defaultdict(list)
        for mark in marks:
            by_log[mark.story].append((mark.offset, 0, mark))
        for index, event in enumerate(events):
            if event.record is not None:
                by_log[story_of(event.record)].append((event.record.position.offset, 1, index))
        placed: dict[int, str] = {}
        late: set[int] = set()
        """Events of a teardown, whatever part of Xen wrote them: libxl asks about a domain while it removes it."""
        for story in in_turn(by_log, events):
            placed |= self._log(story, sorted(by_log[story], key=_PLACE), events, late)
        name_in_full(self.operations, self._registry)
        if self._at_rest:
            placed |= self._sole(events, placed)
        placed_events = [self._told(event, placed.get(index), late=index in late) for index, event in enumerate(events)]
        self.operations.end_round()
        if len(self._current) > MOST_OPERATIONS:  # of commands that ended, nobody says more
            self._current = {story: key for story, key in self._current.items() if self.operations.get(key)}
        return placed_events

    def _sole(self, events: Sequence[Event], placed: Mapping[int, str]) -> dict[int, str]:
        sole = sole_operation(self.operations, self._registry.names())
        nobodys = [index for index in range(len(events)) if index not in placed] if sole is not None else []
        return {index: sole.id for index in nobodys if sole is not None and is_of(sole, events[index])}

    def by_id(self) -> dict[str, Operation]:
        """Those that are remembered, oldest first."""
        return {operation.id: operation for operation in self.operations}

    def state(self) -> dict[str, Any]:
        """JSON-able."""
        return {"operations": [asdict(o) for o in self.operations], "current": dict(self._current)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`."""
        self.operations = SeenOperations(Operation(**kept) for kept in state["operations"])
        self._current = {str(path): str(key) for path, key in state["current"].items()}

    # one log

    def _log(
        self, story: str, items: list[tuple[int, int, PlacedMark | int]], events: Sequence[Event], late: set[int]
    ) -> dict[int, str]:
        placed: dict[int, str] = {}
        waiting: list[int] = []
        """Nameless events before anything that names a guest: the next name claims them."""
        for offset, _, item in items:
            if isinstance(item, PlacedMark):
                self._mark(item)
                if item.mark.step in _SAID_AFTERWARDS:
                    placed |= self._claimed(waiting, item, events)
                waiting.clear()
                continue
            event = events[item]
            key = self._of_event(story, offset, event)
            if key is None:
                if not in_shared_log(event):
                    waiting.append(item)
                continue
            placed[item] = key
            placed |= {earlier: key for earlier in waiting if are_near(events[earlier], event)}
            waiting.clear()
            if event.phase is None and self.operations[key].torn_down_in == story:
                late.add(item)
            self._saw(key, event, story)
        return placed

    def _claimed(self, waiting: Iterable[int], mark: PlacedMark, events: Sequence[Event]) -> dict[int, str]:
        """What was said before the guest was named, now that it is."""
        key = self._current.get(mark.story)
        return {earlier: key for earlier in waiting if are_near(events[earlier], mark)} if key is not None else {}

    def _mark(self, mark: PlacedMark) -> None:
        current = self._now_in(mark.story)
        if current is not None and names_anew(current, mark):
            self._registry.forget(Subject("domain", current.target or "", host=current.host))
            current = replace(current, target=mark.target, named_by_file=False)
            self.operations.change(current)
        if is_known(current, mark):
            return
        if mark.mark.step in _BEGINS:
            self._goes_on(current, mark)
        else:
            self._ends(current, mark)

    def _goes_on(self, current: Operation | None, mark: PlacedMark) -> None:
        """The mark begins an operation, or says more about the one that began just before it."""
        if current is None or not repeats(current, mark):
            current = self._begin(mark)
        elif mark.domid is not None and current.domid is None:
            current = self._numbered(current, mark.domid, mark.at)
        if current.from_config == "" and mark.is_named_by_file:
            current = replace(current, verb=mark.verb, from_config=mark.target)
            self.operations.change(current)
        self._current[mark.story] = current.id
        self._typed.notice(mark, current.id)

    def _ends(self, current: Operation | None, mark: PlacedMark) -> None:
        key = self._ended_by(mark, current)
        if key is not None:
            ended: OperationOutcome = "running" if mark.mark.step == "running" else "ended"
            known = self.operations[key]
            self.operations.change(replace(known, outcome=ended, last_seen=time_of(mark) or known.last_seen))
            shown = ended == "running" and mark.place.source.format.captured  # such as what `xl create -c` says next
            if self._current.get(mark.story) == key and not shown:
                del self._current[mark.story]
        if mark.mark.step == "end":
            self._current[mark.story] = self._begin(mark).id

    def _ended_by(self, mark: PlacedMark, current: Operation | None) -> str | None:
        if current is not None and is_about(current, mark):
            return current.id
        key = self._find(mark.target, mark.domid, mark)
        if key is None and mark.mark.step == "running" and mark.place.source.format.captured:
            key = self._current[mark.story] = self._begin(mark).id  # `xm create -c`, with the command itself cut off
        return key

    def _begin(self, mark: PlacedMark) -> Operation:
        if mark.target and mark.domid:
            self._teach(mark.target, mark.domid, mark.at, mark.host)
        elsewhere = self._find(mark.target, mark.domid, mark, other_log=mark.path)
        if elsewhere is not None and mark.mark.step in _BEGINS:
            return self.operations[elsewhere]
        started = time_of(mark)
        operation = Operation(
            f"{mark.path}:{mark.offset}",
            mark.verb,
            mark.target,
            mark.domid,
            mark.fields.get("uuid"),
            started,
            started,
            host=mark.host,
            named_by_file=mark.is_named_by_file,
            from_config="" if mark.mark.step == "config" else None,
        )
        self.operations.add(operation)
        if mark.target:
            self._registry.notice(Subject("domain", mark.target, host=mark.host), mark.at)
        return operation

    def _numbered(self, operation: Operation, domid: int, at: float) -> Operation:
        """The operation with the domid that its guest has."""
        operation = replace(operation, domid=domid)
        self.operations.change(operation)
        if operation.target:
            self._teach(operation.target, domid, at, operation.host)
        return operation

    def _teach(self, name: str, domid: int, at: float, host: str | None) -> None:
        self._registry.learn({"domain": name, "domid": str(domid)}, at, Origin(host))

    # one event

    def _of_event(self, story: str, offset: int, event: Event) -> str | None:
        name, domid = guest_of(event)
        nothing_yet = self._now_in(story) is None
        current = self._now_in(story) or self._typed_beside(event)
        if name is None and domid is None:
            if current is not None and lasts(current, event) and not in_shared_log(event):
                return current.id
            return under_way(self.operations, event)
        if current is not None and self._fits(current, name, domid):
            if domid is not None and current.domid is None:
                self._numbered(current, domid, event.at)
            return current.id
        key = (
            self._find(name, domid, event)
            or self._born(domid, event)
            or self._implicit(story.partition("\t")[0], offset, event, name, domid)
        )
        if nothing_yet and not in_shared_log(event):
            self._current[story] = key
        return key

    def _typed_beside(self, event: Event) -> Operation | None:
        """On a running host more may happen than was typed."""
        key = self._typed.beside(event) if self._at_rest else None
        operation = self.operations.get(key) if key is not None else None
        return operation if operation is not None and may_say(operation, event) else None

    def _fits(self, operation: Operation, name: str | None, domid: int | None) -> bool:
        if name is not None and operation.target is not None:
            return name == operation.target
        if domid is not None and operation.domid is not None:
            return domid == operation.domid
        if domid is not None and operation.target is not None:
            owner = self._registry.name_of(domid, operation.started or 0.0, operation.host)
            return owner is None or is_uuid(owner) or owner == operation.target
        return operation.domid is None and (name is None or domid is None)

    def _born(self, domid: int | None, event: Event) -> str | None:
        """A domid above all that were ever given out, while one guest is being started, is that guest's."""
        key = (
            under_way(self.operations, event)
            if domid is not None and domid > self._registry.newest(event.subject.host)
            else None
        )
        if key is None or self.operations[key].domid is not None:
            return None
        self._numbered(self.operations[key], domid or 0, event.at)
        return key

    def _implicit(self, path: str, offset: int, event: Event, name: str | None, domid: int | None) -> str:
        """Nothing said that it began: it is known by the guest that its lines name."""
        started = event.at if event.record is not None and event.record.logged else None
        operation = Operation(
            f"{path}:{offset}", "", name, domid, event.subject.uuid, started, started, host=event.subject.host
        )
        self.operations.add(operation)
        return operation.id

    def _find(
        self, name: str | None, domid: int | None, near: Event | PlacedMark, other_log: str | None = None
    ) -> str | None:
        """The operation on that guest nearest in time, in whatever log it was seen."""
        if name is None and domid is not None:
            name = self._registry.name_of(domid, near.at, host_of(near))
        return nearest(self.operations, name, domid, near, other_log)

    def _now_in(self, story: str) -> Operation | None:
        return self.operations.get(self._current.get(story, ""))

    def _saw(self, key: str, event: Event, story: str) -> None:
        operation, phase = self.operations[key], phase_at(event)
        further = phase if phase and rank(phase) > rank(operation.phase or "parse") else operation.phase
        at = time_of(event)
        last = operation.last_seen if at is None else max(at, operation.last_seen or at)
        torn = operation.torn_down_in or (story if phase == TEARDOWN else None)
        if (further, last, torn) != (operation.phase, operation.last_seen, operation.torn_down_in):
            self.operations.change(replace(operation, phase=further, last_seen=last, torn_down_in=torn))

    def _told(self, event: Event, key: str | None, *, late: bool) -> Event:
        phase = TEARDOWN if late else phase_at(event)
        if key is None:
            return placed_in(event, event.subject, event.operation, phase, None)
        operation = self.operations[key]
        subject = event.subject if is_a_guess(event, at_rest=self._at_rest) else subject_in(event.subject, operation)
        return placed_in(event, subject, key, phase, operation)


_PLACE = itemgetter(0, 1)
