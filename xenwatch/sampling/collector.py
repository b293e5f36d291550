"""What a collector is: a subject, its metrics, its interval, and a function that reads them from the host."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample

Collect = Callable[[Host], Awaitable[Sequence[Sample]]]
"""Reads once. Raises HostError where the host does not answer; Unsupported where it never will."""


@dataclass(frozen=True, slots=True)
class Collector:
    """One file of `sampling/collectors/` declares one, as `COLLECTOR`."""

    name: str
    metrics: tuple[Metric, ...]
    """All that it may emit; whatever is emitted and not declared here is an error."""
    begin: Callable[[], Collect]
    """Makes the reading function with memory of its own (counters that wrap, what was seen before)."""
    interval: float
    """Seconds from one reading to the next."""
    deadline: float
    """Seconds after which a reading is given up; less than the interval."""
    default_on: bool = True
    follows_domains: bool = True
    """A sample with a `domain` label that is not in the inventory is dropped at once. False: it is about others too."""
