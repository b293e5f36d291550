"""The operations seen so far: found by id, by guest and by domid, and forgotten from the oldest on."""

from bisect import insort
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice

from xenwatch.model.operation import Operation

MOST_OPERATIONS = 2048

_Guest = tuple[str | None, str | int | None]
"""A host, and the name or the domid of a guest of it."""


class SeenOperations:
    """Finds an operation without walking through all: a busy log asks at each record that means something."""

    def __init__(self, operations: Iterable[Operation] = (), *, most: int = MOST_OPERATIONS) -> None:
        self._most, self._next = most, 0
        self._all: OrderedDict[str, Operation] = OrderedDict()
        self._numbers: dict[str, int] = {}
        self._ids: dict[int, str] = {}
        self._of_guest: defaultdict[_Guest, dict[str, list[int]]] = defaultdict(dict)
        """By guest and log: their numbers, oldest first."""
        self._forgotten: dict[str, Operation] = {}
        for operation in operations:
            self.add(operation)

    def __iter__(self) -> Iterator[Operation]:
        """Oldest first."""
        return iter(self._all.values())

    def __getitem__(self, key: str) -> Operation:
        """Also one that made way for newer ones in this round."""
        return self._all.get(key) or self._forgotten[key]

    def get(self, key: str) -> Operation | None:
        """One that is not forgotten."""
        return self._all.get(key)

    def add(self, operation: Operation) -> None:
        """The newest; the oldest make way."""
        if operation.id in self._all:
            self._remove(operation.id)
        self._all[operation.id] = operation
        self._numbers[operation.id], self._ids[self._next] = self._next, operation.id
        self._next += 1
        for guest in _guests(operation):
            self._of_guest[guest].setdefault(_log_of(operation), []).append(self._numbers[operation.id])
        while len(self._all) > self._most:
            oldest = next(iter(self._all))
            self._forgotten[oldest] = self._remove(oldest)

    def change(self, operation: Operation) -> None:
        """What is known of it now; it keeps its id and its age."""
        before, number = self._all[operation.id], self._numbers[operation.id]
        self._all[operation.id] = operation
        for guest in _guests(operation) - _guests(before):
            insort(self._of_guest[guest].setdefault(_log_of(operation), []), number)

    def recent(self, count: int) -> list[Operation]:
        """The newest, oldest first."""
        return list(islice(reversed(self._all.values()), count))[::-1]

    def about(
        self, host: str | None, name: str | None, domid: int | None, *, other_log: str | None = None
    ) -> Iterator[Operation]:
        """Those on a guest of that name or domid, newest first; without those of `other_log`."""
        guests = [(host, guest) for guest in (name, domid) if guest is not None]
        logs = (item for guest in guests for item in self._of_guest.get(guest, {}).items())
        found = [numbers for log, numbers in logs if log != other_log]
        newest_first = reversed(found[0]) if len(found) == 1 else merge(*map(reversed, found), reverse=True)
        for number in newest_first:
            yield self._all[self._ids[number]]

    def end_round(self) -> None:
        """Nobody asks any more for those that made way."""
        self._forgotten.clear()

    def _remove(self, key: str) -> Operation:
        operation, number = self._all.pop(key), self._numbers.pop(key)
        del self._ids[number]
        for guest in _guests(operation):
            logs = self._of_guest[guest]
            logs[_log_of(operation)].remove(number)
            if not logs[_log_of(operation)]:
                del logs[_log_of(operation)]
            if not logs:
                del self._of_guest[guest]
        return operation


def _log_of(operation: Operation) -> str:
    return operation.id.rpartition(":")[0]


def _guests(operation: Operation) -> set[_Guest]:
    guests: set[_Guest] = set()
    if operation.target is not None:
        guests.add((operation.host, operation.target))
    if operation.domid is not None:
        guests.add((operation.host, operation.domid))
    return guests
