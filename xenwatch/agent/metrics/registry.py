"""The agent's metrics about itself: prometheus-client's registry, filled at each scrape from the parts' counters."""

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from xenwatch import __version__
from xenwatch.web.renderer import Format

MOST_LOGS = 500
"""Logs that get series of their own; where there are more, the ones read last do."""

_LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

Families = Callable[[], Iterator[Metric]]
"""One part's metric families, made at each scrape."""


@dataclass(slots=True)
class AgentCounters:
    """Counted by the agent itself, for no part in particular."""

    task_failures: Counter[str] = field(default_factory=Counter)
    state_errors: int = 0
    reload_ok: bool = True
    reloaded_at: float = 0.0
    dropped: Counter[str] = field(default_factory=Counter)
    """Series left out of the exposition, by reason."""


class SelfMetrics:
    """The registry and how it is rendered."""

    def __init__(self, parts: Iterable[Families] = ()) -> None:
        # `_created` series double the number of counters and nobody uses them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.lag = Histogram(
            "xenwatch_event_loop_lag_seconds",
            "How late the event loop woke from a timed sleep",
            registry=self.registry,
            buckets=_LAG_BUCKETS,
        )
        self.registry.register(_Parts([build_info, *parts]))
        ProcessCollector(registry=self.registry)

    def add(self, *parts: Families) -> None:
        """Further families."""
        self.registry.register(_Parts(parts))

    def render(self, format_: Format) -> bytes:
        """All of it; OpenMetrics with its closing `# EOF`."""
        if format_ == "text":
            return generate_latest(self.registry)
        text: bytes = generate_openmetrics(self.registry)  # type: ignore[no-untyped-call]
        return text


class _Parts(Collector):
    def __init__(self, parts: Iterable[Families]) -> None:
        self._parts = tuple(parts)

    def describe(self) -> Iterable[Metric]:
        """Nothing: families are made when they are scraped, not when they are registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        for part in self._parts:
            yield from part()


def build_info() -> Iterator[Metric]:
    """Which xenwatch this is."""
    info = {"version": __version__, "python": platform.python_version()}
    yield InfoMetricFamily("xenwatch_build", "Version of the agent and of the Python it runs on", value=info)


def agent_families(counters: AgentCounters) -> Iterator[Metric]:
    """Failed tasks, reloads, dropped series."""
    failures = CounterMetricFamily("xenwatch_task_failures", "Times a part failed and was restarted", labels=["task"])
    for task, count in sorted(counters.task_failures.items()):
        failures.add_metric([task], count)
    yield failures
    dropped = CounterMetricFamily("xenwatch_series_dropped", "Series left out of the exposition", labels=["reason"])
    for reason, count in sorted(counters.dropped.items()):
        dropped.add_metric([reason], count)
    yield dropped
    yield gauge(
        "xenwatch_config_last_reload_successful",
        "Whether the configuration in force is the one in the file",
        counters.reload_ok,
    )
    yield gauge(
        "xenwatch_config_last_reload_success_timestamp_seconds",
        "When a configuration was last loaded",
        counters.reloaded_at,
    )


def gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    """One number."""
    return GaugeMetricFamily(name, words, value=float(value))


def counter(name: str, words: str, value: float) -> CounterMetricFamily:
    """One count; `name` without `_total`."""
    return CounterMetricFamily(name, words, value=value)
