"""What a rule remembers about a subject: its recent events, bounded in time and in number."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import Any

from xenwatch.model.event import Event
from xenwatch.model.serialize import event_from_json, event_json

MOST_GROUPS = 8192
MOST_EVENTS = 512

Group = tuple[str, str]
"""Id of a rule, and the subject of these events."""


class Windows:
    """Events by rule and subject, oldest subjects forgotten first; `forgotten` counts what was dropped for space."""

    def __init__(self) -> None:
        self._groups: OrderedDict[Group, deque[Event]] = OrderedDict()
        self.forgotten = 0

    def add(self, group: Group, event: Event, longest: float) -> None:
        """Keep the event; those of the group older than `longest` seconds before it go."""
        events = self._groups.setdefault(group, deque())
        self._groups.move_to_end(group)
        _insert(events, event)
        while events and events[0].at < events[-1].at - longest:
            events.popleft()
        if len(events) > MOST_EVENTS:
            events.popleft()
            self.forgotten += 1
        if len(self._groups) > MOST_GROUPS:
            self.forgotten += len(self._groups.popitem(last=False)[1])

    def events(self, groups: Iterable[Group], kinds: Iterable[str]) -> list[Event]:
        """The events of these kinds in these groups, oldest first."""
        wanted = frozenset(kinds)
        found = [e for group in dict.fromkeys(groups) for e in self._groups.get(group, ()) if e.kind in wanted]
        return sorted(found, key=lambda event: event.at)

    def moments(self, group: Group, after: float) -> list[float]:
        """When the group's events later than that came."""
        return [event.at for event in self._groups.get(group, ()) if event.at > after]

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def state(self) -> list[Any]:
        return [[*group, [event_json(event) for event in events]] for group, events in self._groups.items()]

    def restore(self, state: Iterable[Any]) -> None:
        self._groups = OrderedDict(_restored(state))


def _insert(events: deque[Event], event: Event) -> None:
    """In order of time: two logs of one host are read one after the other."""
    late: list[Event] = []
    while events and events[-1].at > event.at:
        late.append(events.pop())
    events.append(event)
    events.extend(reversed(late))


def _restored(state: Iterable[Any]) -> Iterator[tuple[Group, deque[Event]]]:
    for rule, who, events in state:
        yield (str(rule), str(who)), deque(event_from_json(event) for event in events)
