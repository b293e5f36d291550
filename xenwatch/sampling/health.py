"""The sampler's metrics about its collectors: success, duration, age of the data, which sources answer."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from xenwatch.model.sample import CollectorHealth, Metric, Sample

SOURCE_UP = Metric(
    "xenwatch_source_up",
    "gauge",
    "Whether a source of data (libvirt, xl, xenstore) answered when last asked",
    ("source",),
)
SUCCESS = Metric("xenwatch_collector_success", "gauge", "Whether a collector's last run succeeded", ("collector",))
DURATION = Metric(
    "xenwatch_collector_duration_seconds", "gauge", "How long a collector's last run took", ("collector",)
)
LAST_SUCCESS = Metric(
    "xenwatch_collector_last_success_timestamp_seconds",
    "gauge",
    "When a collector last succeeded: the age of its data",
    ("collector",),
)
TIMEOUTS = Metric(
    "xenwatch_collector_timeouts_total",
    "counter",
    "Runs of a collector that were stopped at their deadline",
    ("collector",),
)
ERRORS = Metric(
    "xenwatch_collector_errors_total", "counter", "Runs of a collector that failed, by reason", ("collector", "reason")
)
SKIPPED = Metric(
    "xenwatch_collector_skipped_total",
    "counter",
    "Runs of a collector that were skipped because the one before was still running",
    ("collector",),
)
UNSUPPORTED = Metric(
    "xenwatch_collector_unsupported",
    "gauge",
    "Calls that this host, driver or version does not support; they are not repeated",
    ("collector", "call"),
)
METRICS = (SOURCE_UP, SUCCESS, DURATION, LAST_SUCCESS, TIMEOUTS, ERRORS, SKIPPED, UNSUPPORTED)


@dataclass(slots=True)
class CollectorRecord:
    """The runs of one collector since the agent started."""

    collector: str
    runs: int = 0
    ok: bool = False
    duration: float = 0.0
    last_success: float | None = None
    error: str | None = None
    timeouts: int = 0
    skipped: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    unsupported: bool = False

    def health(self) -> CollectorHealth:
        return CollectorHealth(self.collector, self.ok, self.duration, self.last_success, self.error)


def health_samples(records: Iterable[CollectorRecord], sources: Mapping[str, bool]) -> list[Sample]:
    """Samples of all collectors that have run."""
    samples = [Sample(SOURCE_UP, (source,), float(up)) for source, up in sources.items()]
    for record in records:
        if record.runs:
            samples += _of(record)
    return samples


def _of(record: CollectorRecord) -> list[Sample]:
    name = (record.collector,)
    samples = [
        Sample(SUCCESS, name, float(record.ok)),
        Sample(DURATION, name, record.duration),
        Sample(TIMEOUTS, name, float(record.timeouts)),
        Sample(SKIPPED, name, float(record.skipped)),
        *(Sample(ERRORS, (record.collector, reason), float(n)) for reason, n in sorted(record.errors.items())),
    ]
    if record.last_success is not None:
        samples.append(Sample(LAST_SUCCESS, name, record.last_success))
    if record.unsupported:
        samples.append(Sample(UNSUPPORTED, (record.collector, "all"), 1.0))
    return samples
