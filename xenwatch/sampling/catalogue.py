"""All collectors, and every metric that they may emit."""

from collections.abc import Mapping
from functools import cache

from xenwatch.base.clock import Clock
from xenwatch.base.registry import load_parts
from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Snapshot
from xenwatch.sampling import collectors, health
from xenwatch.sampling.collector import Collector
from xenwatch.sampling.sampler import Sampler, declared_by


def all_collectors() -> dict[str, Collector]:
    """Every collector by name, switched on or not."""
    return {part.name: part for part in load_parts(collectors, "COLLECTOR", Collector).values()}


def enabled(switches: Mapping[str, bool] | None = None) -> list[Collector]:
    """Collectors to run: those on by default, except where `switches` says otherwise by name."""
    wanted = switches or {}
    return [collector for name, collector in all_collectors().items() if wanted.get(name, collector.default_on)]


def all_metrics() -> dict[str, Metric]:
    """Every metric the sampler may emit, by name: of the collectors and about them."""
    return {metric.name: metric for metric in health.METRICS} | declared_by(all_collectors().values())


@cache
def metrics_of() -> dict[str, frozenset[str]]:
    """The names of the metrics of each collector, by its name."""
    return {name: frozenset(metric.name for metric in part.metrics) for name, part in all_collectors().items()}


async def take_once(host: Host, clock: Clock, switches: Mapping[str, bool] | None = None) -> Snapshot:
    """One snapshot through every collector that is on, for `diagnose --live` and `collect`."""
    return await Sampler(enabled(switches), host, clock).take_once()
