"""A chunk without times that says the same hundreds of times: the first and the last are events, the rest a number.

Nobody sees more of them: an incident shows its first and last lines, and says how many there were.
"""

from collections.abc import Iterator, Sequence

from xenwatch.diagnosis.matching.read_lines import ToldLine
from xenwatch.diagnosis.operations.marks import PlacedMark

EACH_END = 40
"""Lines that are events at the beginning and at the end of a chunk; an incident keeps half as many of each."""


class SaidAgain:
    """Of one chunk. `kinds` are the events of which nothing is asked but that they came, and how often."""

    def __init__(self, kinds: frozenset[str], *, is_timeless: bool) -> None:
        """`is_timeless`: no record of the chunk carries a time."""
        self._kinds, self._is_timeless = kinds, is_timeless
        self._starts: dict[int, tuple[ToldLine, list[int]]] = {}
        self.is_holding = False
        """Whether any line is held back."""

    def holds(self, told: ToldLine, start: int) -> bool:
        """Whether this line is held back until the end of the chunk is known, because so many said it before."""
        known = self._starts.get(id(told))
        if known is None:
            known = self._starts[id(told)] = (told, [])
            if not self._is_counted(told):
                known[1].append(-1)
        starts = known[1]
        if starts and starts[0] < 0:
            return False
        starts.append(start)
        self.is_holding |= len(starts) > EACH_END
        return len(starts) > EACH_END

    def held(self, *, only_ends: bool) -> Iterator[tuple[ToldLine, int, int]]:
        """What was held back: what was told, where it stands, and for how many lines it counts.

        `only_ends`: nothing in the chunk could make one of these lines mean something else than the one before it.
        """
        for told, starts in self._starts.values():
            rest = starts[EACH_END:]
            last = rest[-EACH_END:] if only_ends else rest
            for start in last:
                yield told, start, 1 + len(rest) - len(last) if start == last[0] else 1

    def _is_counted(self, told: ToldLine) -> bool:
        plain = self._is_timeless and not told.lessons and not told.unknown
        return plain and all(event.kind in self._kinds for event in told.events)


def are_alike(marks: Sequence[PlacedMark]) -> bool:
    """Whether all that was said to be done is one thing, again and again: then no line is of anybody else."""
    return len({id(mark.fields) for mark in marks}) <= 1
