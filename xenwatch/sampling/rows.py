"""Makes many samples at a time: all numbers of one subject together, and what does not change only once."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import partial
from itertools import repeat
from typing import cast

from xenwatch.model.sample import Metric, Sample

_made = partial(tuple.__new__, Sample)
"""Like `Sample(...)` but faster; a host of a thousand guests needs tens of thousands in each cycle."""


def row(metrics: Iterable[Metric], labels: tuple[str, ...], values: Iterable[float]) -> Iterable[Sample]:
    """One sample of each metric, all with the same labels; as many as the shorter of the two has."""
    return cast("Iterable[Sample]", map(_made, zip(metrics, repeat(labels), values, strict=False)))


def told(metrics: Iterable[Metric], labels: Iterable[tuple[str, ...]], values: Iterable[float]) -> Iterable[Sample]:
    """One sample of each metric with the labels and the value that stand at its place."""
    return cast("Iterable[Sample]", map(_made, zip(metrics, labels, values, strict=True)))


class KeptRows:
    """Samples that stay the same from cycle to cycle, made once: lasting states, properties, places."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[Sample, ...]] = {}
        self._now: dict[Hashable, tuple[Sample, ...]] = {}

    def of(self, key: Hashable, make: Callable[[], Iterable[Sample]]) -> tuple[Sample, ...]:
        """The very same samples as in the last reading, if `key`, all that they are made of, was there too."""
        samples = self._last.get(key)
        if samples is None:
            samples = tuple(make())
        self._now[key] = samples
        return samples

    def forget_unused(self) -> None:
        """Drop what was not used in this reading; called at its end."""
        self._last, self._now = self._now, {}


def state_set(metric: Metric, labels: tuple[str, ...], states: Iterable[str], state: str | None) -> Iterator[Sample]:
    """A sample a state, 1 for the one that holds; `labels` without the state."""
    for possible in states:
        yield Sample(metric, (*labels, possible), float(possible == state))
