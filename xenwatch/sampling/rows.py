"""Makes samples many at a time: one thing's numbers in one go, and state sets that are kept while they hold."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import repeat
from typing import cast

from xenwatch.model.sample import Metric, Sample

_made = partial(tuple.__new__, Sample)
"""What `Sample(...)` comes down to; a host of a thousand guests needs tens of thousands in each cycle."""


def row(metrics: Iterable[Metric], labels: tuple[str, ...], values: Iterable[float]) -> Iterable[Sample]:
    """One sample of each metric, all with the same labels; as many as the shorter of the two has."""
    return cast("Iterable[Sample]", map(_made, zip(metrics, repeat(labels), values, strict=False)))


class StateSet:
    """Samples of a state set. Those of something whose state did not change are the very same from cycle to cycle."""

    def __init__(self, metric: Metric, states: Sequence[str]) -> None:
        self._metric, self._states = metric, states
        self._last: dict[tuple[str, ...], tuple[str | None, tuple[Sample, ...]]] = {}
        self._now: dict[tuple[str, ...], tuple[str | None, tuple[Sample, ...]]] = {}

    def of(self, labels: tuple[str, ...], state: str | None) -> tuple[Sample, ...]:
        """A sample a state, 1 for the one that holds; `labels` without the state."""
        known = self._last.get(labels)
        if known is None or known[0] != state:
            known = state, tuple(Sample(self._metric, (*labels, one), float(one == state)) for one in self._states)
        self._now[labels] = known
        return known[1]

    def forget_unasked(self) -> None:
        """At the end of a reading: what was not asked for in it is gone."""
        self._last, self._now = self._now, {}
