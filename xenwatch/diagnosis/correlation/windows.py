"""What a rule remembers about a subject: its recent events, bounded in time and in number."""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from xenwatch.model.event import Event
from xenwatch.model.serialize import event_from_json, event_json

MOST_GROUPS = 8192
MOST_EVENTS = 512

Group = tuple[str, str]
"""Id of a rule, and the subject of these events."""
Alike = tuple[tuple[str, ...], tuple[str | None, ...]]
"""Names of captured fields, and what they hold."""

_at = attrgetter("at")


class _Events:
    """The events of one group in the order of time: all of them, those of each kind, those of a kind that are alike."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.all: list[Event] = []
        self.of_kind: dict[str, list[Event]] = {}
        self._alike: dict[str, dict[tuple[str, ...], dict[tuple[str | None, ...], list[Event]]]] = {}
        """By kind, names of fields and what these hold; kept from the first question on."""
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        _insert(self.all, event)
        _insert(self.of_kind.setdefault(event.kind, []), event)
        for by, groups in self._alike.get(event.kind, {}).items():
            _insert(groups.setdefault(tuple(map(event.fields.get, by)), []), event)

    def drop_oldest(self) -> None:
        kind = self.all.pop(0).kind
        oldest = self.of_kind[kind].pop(0)
        for by, groups in self._alike.get(kind, {}).items():
            values = tuple(map(oldest.fields.get, by))
            del groups[values][0]
            if not groups[values]:
                del groups[values]

    def alike(self, kind: str, like: Alike) -> Sequence[Event]:
        """Those of the kind that captured this."""
        by, values = like
        of_kind = self._alike.setdefault(kind, {})
        if by not in of_kind:
            of_kind[by] = {}
            for event in self.of_kind.get(kind, ()):
                of_kind[by].setdefault(tuple(map(event.fields.get, by)), []).append(event)
        return of_kind[by].get(values, ())


class Windows:
    """Events by rule and subject, oldest subjects forgotten first; `forgotten` counts what was dropped for space."""

    def __init__(self) -> None:
        self._groups: OrderedDict[Group, _Events] = OrderedDict()
        self.forgotten = 0

    def add(self, group: Group, event: Event, longest: float) -> None:
        """Keep the event; those of the group older than `longest` seconds before it go."""
        events = self._groups.setdefault(group, _Events())
        self._groups.move_to_end(group)
        events.add(event)
        while events.all and events.all[0].at < events.all[-1].at - longest:
            events.drop_oldest()
        if len(events.all) > MOST_EVENTS:
            events.drop_oldest()
            self.forgotten += 1
        if len(self._groups) > MOST_GROUPS:
            self.forgotten += len(self._groups.popitem(last=False)[1].all)

    def events(self, groups: Iterable[Group], kinds: Iterable[str], since: float, until: float) -> Sequence[Event]:
        """The events of these kinds in these groups between these moments, both included, oldest first."""
        found: list[Sequence[Event]] = []
        for group in dict.fromkeys(groups):
            held = self._groups.get(group)
            if held is not None:
                found += [_between(held.of_kind[kind], since, until) for kind in set(kinds) if kind in held.of_kind]
        if len(found) == 1:
            return found[0]
        return self._in_order(groups, frozenset(kinds), since, until) if found else ()

    def alike(self, groups: Iterable[Group], kind: str, like: Alike, since: float, until: float) -> Sequence[Event]:
        """The same of one kind, and only those that captured this."""
        held = (self._groups.get(group) for group in dict.fromkeys(groups))
        alike = (one.alike(kind, like) for one in held if one is not None)
        found = [_between(events, since, until) for events in alike if events]
        if len(found) == 1:
            return found[0]
        return sorted((event for events in found for event in events), key=_at)

    def _in_order(self, groups: Iterable[Group], kinds: frozenset[str], since: float, until: float) -> list[Event]:
        """Of several kinds or groups: those of one moment as they stand in their group."""
        held = (self._groups.get(group) for group in dict.fromkeys(groups))
        found = [e for one in held if one is not None for e in one.all if e.kind in kinds and since <= e.at <= until]
        return sorted(found, key=_at)

    def moments(self, group: Group, after: float, most: int) -> list[float]:
        """When the group's events later than that came, the first of them."""
        held = self._groups.get(group)
        if held is None or not held.all or held.all[-1].at <= after:
            return []
        first = bisect_right(held.all, after, key=_at)
        return [event.at for event in held.all[first : first + most]]

    def __len__(self) -> int:
        return sum(len(events.all) for events in self._groups.values())

    def state(self) -> list[Any]:
        return [[*group, [event_json(event) for event in events.all]] for group, events in self._groups.items()]

    def restore(self, state: Iterable[Any]) -> None:
        self._groups = OrderedDict(_restored(state))


def _between(events: Sequence[Event], since: float, until: float) -> Sequence[Event]:
    if not events or (events[0].at >= since and events[-1].at <= until):
        return events
    return events[bisect_left(events, since, key=_at) : bisect_right(events, until, key=_at)]


def _insert(events: list[Event], event: Event) -> None:
    """In order of time: two logs of one host are read one after the other."""
    if not events or events[-1].at <= event.at:
        events.append(event)
    else:
        events.insert(bisect_right(events, event.at, key=_at), event)


def _restored(state: Iterable[Any]) -> Iterator[tuple[Group, _Events]]:
    for rule, who, events in state:
        yield (str(rule), str(who)), _Events(event_from_json(event) for event in events)
