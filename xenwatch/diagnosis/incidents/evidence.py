"""The evidence of an incident as it grows: nothing twice, and of a long story the beginning and the end."""

from collections.abc import Hashable, Iterable

from xenwatch.model.diagnosis import Evidence
from xenwatch.model.record import LogRecord

MOST_EVIDENCE = 40
_HALF = MOST_EVIDENCE // 2


class GrowingEvidence:
    """Knows what it holds, so that the next piece costs the same however many there are."""

    def __init__(self, pieces: tuple[Evidence, ...] = ()) -> None:
        self._pieces: tuple[Evidence, ...] | None = pieces
        self._grown = list(pieces)
        self._held = {_what(piece) for piece in pieces}

    @property
    def pieces(self) -> tuple[Evidence, ...]:
        """What it holds now, in the order in which it was seen."""
        if self._pieces is None:
            self._pieces = tuple(self._grown)
        return self._pieces

    def add(self, new: tuple[Evidence, ...]) -> None:
        """Take in what is new of these."""
        if len(self._held) != len(self._grown):  # the first diagnosis named a record twice
            merged = merged_evidence(self.pieces, new)
            self._pieces, self._grown, self._held = merged, list(merged), {_what(piece) for piece in merged}
            return
        for piece in new:
            what = _what(piece)
            if what not in self._held:
                self._held.add(what)
                self._grown.append(piece)
                self._pieces = None
        if len(self._grown) > MOST_EVIDENCE:
            self._held.difference_update(map(_what, self._grown[_HALF:-_HALF]))
            del self._grown[_HALF:-_HALF]


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
