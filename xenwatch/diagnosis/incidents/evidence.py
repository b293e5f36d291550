"""The evidence of an incident as it grows: nothing twice, and of a long story the beginning and the end."""

from collections import deque
from collections.abc import Hashable, Iterable

from xenwatch.diagnosis.correlation.line_memory import SeenAgain
from xenwatch.model.diagnosis import Evidence
from xenwatch.model.record import LogRecord

MOST_EVIDENCE = 40
_HALF = MOST_EVIDENCE // 2


class GrowingEvidence:
    """Knows what it holds, so that the next piece costs the same however many there are."""

    def __init__(self, pieces: tuple[Evidence, ...] = ()) -> None:
        self._pieces: tuple[Evidence, ...] | None = pieces
        self._take(pieces)

    def _take(self, pieces: tuple[Evidence, ...]) -> None:
        self._first: list[Evidence | SeenAgain] = list(pieces[:_HALF])
        self._last: deque[Evidence | SeenAgain] = deque(pieces[_HALF:])
        self._held = {_what(piece) for piece in pieces}
        self._twice = len(self._held) != len(pieces)
        """The first diagnosis named a record twice."""

    @property
    def pieces(self) -> tuple[Evidence, ...]:
        """What it holds now, in the order in which it was seen."""
        if self._pieces is None:
            self._pieces = tuple(one.piece if isinstance(one, SeenAgain) else one for one in self._grown())
        return self._pieces

    def add(self, new: tuple[Evidence, ...]) -> None:
        """Take in what is new of these."""
        if self._twice:
            self._pieces = merged_evidence(self.pieces, new)
            self._take(self._pieces)
            return
        for piece in new:
            self._add(piece, _what(piece))

    def add_again(self, seen: SeenAgain) -> None:
        """The same of a line that was seen again; it becomes a piece of evidence only if it is held at the end."""
        if self._twice:
            self.add((seen.piece,))
            return
        record = seen.record
        self._add(seen, (record.source.path, record.position))

    def _add(self, one: Evidence | SeenAgain, what: Hashable) -> None:
        if what in self._held:
            return
        self._held.add(what)
        self._pieces = None
        if len(self._first) < _HALF:
            self._first.append(one)
            return
        self._last.append(one)
        while len(self._last) > _HALF:
            self._held.discard(_what_of(self._last.popleft()))

    def _grown(self) -> Iterable[Evidence | SeenAgain]:
        return (*self._first, *self._last)


def merged_evidence(known: tuple[Evidence, ...], new: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Both, nothing twice; when it grows too long, the beginning and the end of the story stay."""
    kept = {_what(piece): piece for piece in known}
    for piece in new:
        kept.setdefault(_what(piece), piece)
    if len(kept) == len(known):
        return known
    both = tuple(kept.values())
    return both if len(both) <= MOST_EVIDENCE else (*both[:_HALF], *both[-_HALF:])


def _what(piece: Evidence) -> Hashable:
    """A record is known by its place: hashing its text for each event would cost more than finding it did."""
    origin = piece.origin
    return (origin.source.path, origin.position) if isinstance(origin, LogRecord) else piece


def _what_of(one: Evidence | SeenAgain) -> Hashable:
    return (one.record.source.path, one.record.position) if isinstance(one, SeenAgain) else _what(one)
