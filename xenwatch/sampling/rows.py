"""Makes samples many at a time: one thing's numbers in one go, and what does not change only once."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import partial
from itertools import repeat
from typing import cast

from xenwatch.model.sample import Metric, Sample

_made = partial(tuple.__new__, Sample)
"""What `Sample(...)` comes down to; a host of a thousand guests needs tens of thousands in each cycle."""


def row(metrics: Iterable[Metric], labels: tuple[str, ...], values: Iterable[float]) -> Iterable[Sample]:
    """One sample of each metric, all with the same labels; as many as the shorter of the two has."""
    return cast("Iterable[Sample]", map(_made, zip(metrics, repeat(labels), values, strict=False)))


class KeptRows:
    """Samples that say the same from cycle to cycle, made once: states that hold, what something is, where it lies."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[Sample, ...]] = {}
        self._now: dict[Hashable, tuple[Sample, ...]] = {}

    def of(self, key: Hashable, make: Callable[[], Iterable[Sample]]) -> tuple[Sample, ...]:
        """The very same samples as in the last reading, if `key`, all that they are made of, was there too."""
        known = self._last.get(key)
        if known is None:
            known = tuple(make())
        self._now[key] = known
        return known

    def forget_unasked(self) -> None:
        """At the end of a reading: what was not asked for in it is gone."""
        self._last, self._now = self._now, {}


def state_set(metric: Metric, labels: tuple[str, ...], states: Iterable[str], state: str | None) -> Iterator[Sample]:
    """A sample a state, 1 for the one that holds; `labels` without the state."""
    for one in states:
        yield Sample(metric, (*labels, one), float(one == state))
