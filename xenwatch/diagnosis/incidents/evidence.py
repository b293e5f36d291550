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
        if len(new) != 1 or len(self._held) != len(self._grown):
            merged = merged_evidence(self.pieces, new)
            if merged is not self._pieces:
                self._pieces, self._grown, self._held = merged, list(merged), {_what(piece) for piece in merged}
            return
        what = _what(new[0])
        if what in self._held:
            return
        self._held.add(what)
        self._grown.append(new[0])
        if len(self._grown) > MOST_EVIDENCE:
            self._held.discard(_what(self._grown.pop(_HALF)))
        self._pieces = None


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
