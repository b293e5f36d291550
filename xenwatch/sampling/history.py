"""A short memory of the metrics that rules ask about: what held for how long, and how fast a counter climbs."""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from itertools import pairwise
from typing import NamedTuple

from xenwatch.model.sample import Snapshot

Series = tuple[str, tuple[str, ...]]
"""A metric's name and its label values."""


class Point(NamedTuple):
    """One number at its moment, in seconds since the epoch."""

    at: float
    value: float


class History:
    """Keeps points of the named metrics only, for `span` seconds, and of series that are still there."""

    def __init__(self, names: Collection[str], span: float = 900.0) -> None:
        self._names, self._span = frozenset(names), span
        self._series: dict[Series, deque[Point]] = {}

    def observe(self, snapshot: Snapshot) -> None:
        """Take in a snapshot; snapshots come in the order of their times."""
        now: dict[Series, deque[Point]] = {}
        for metric, labels, value in snapshot.samples:
            if metric.name in self._names:
                points = self._series.get((metric.name, labels)) or deque()
                points.append(Point(snapshot.at, value))
                while points[0].at < snapshot.at - self._span:
                    points.popleft()
                now[metric.name, labels] = points
        self._series = now

    def series(self, name: str) -> Iterator[tuple[tuple[str, ...], list[Point]]]:
        """Label values and points, oldest first, of every series of a metric."""
        for (metric, labels), points in self._series.items():
            if metric == name:
                yield labels, list(points)


def held(points: list[Point], check: Callable[[float], bool], seconds: float) -> bool:
    """Whether `check` held at the last point and at all before it over `seconds`.

    A series younger than that has not held so long: a fresh start does not fire what waits ten minutes.
    """
    if not points:
        return False
    since = points[-1].at - seconds
    return points[0].at <= since + 1e-9 and all(check(p.value) for p in points if p.at >= since - 1e-9)


def rate(points: list[Point], seconds: float) -> float | None:
    """A counter's climb a second over the last `seconds`; falls are resets. None with fewer than two points."""
    if not points:
        return None
    recent = [point for point in points if point.at >= points[-1].at - seconds - 1e-9]
    if len(recent) < 2 or recent[-1].at <= recent[0].at:  # noqa: PLR2004
        return None
    climbed = sum(b.value - a.value if b.value >= a.value else b.value for a, b in pairwise(recent))
    return climbed / (recent[-1].at - recent[0].at)
