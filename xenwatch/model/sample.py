"""Numbers on their way out: a metric is declared once, a sample points to it, a snapshot holds one cycle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

MetricType = Literal["counter", "gauge", "histogram", "info", "stateset"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One family. `name` carries its unit and, for a counter, `_total`: `xen_domain_cpu_seconds_total`."""

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One number; `labels` are the values in the order the metric declares its labels.

    A stateset has one sample a state, 1 or 0, with the state as the last declared label. A histogram's samples carry
    one label value more than is declared: a bucket's upper bound (`0.1`, `+Inf`; cumulative), `sum` or `count`.
    """

    metric: Metric
    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, slots=True)
class CollectorHealth:
    """How a collector's last run went."""

    collector: str
    ok: bool
    duration: float
    last_success: float | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All samples that stand at one moment, last good ones included, and how each collector did last time."""

    at: float
    samples: tuple[Sample, ...]
    health: Mapping[str, CollectorHealth] = field(default_factory=dict)
    host: str | None = None
    """Name of the host it was taken on; None where one host is all there is."""
