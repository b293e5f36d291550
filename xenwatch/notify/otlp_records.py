"""Incidents and samples as OpenTelemetry has them, in the SDK's own types; loaded only where a collector is named."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from xenwatch import __version__
from xenwatch.base.printed_text import as_unicode
from xenwatch.model.diagnosis import Severity
from xenwatch.model.incident import Incident
from xenwatch.model.sample import Metric as OwnMetric
from xenwatch.model.sample import Sample, Snapshot

EVENT = "xenwatch.incident"
_NANO = 1_000_000_000
_SCOPE = InstrumentationScope("xenwatch", __version__)
_SEVERITIES: Mapping[Severity, SeverityNumber] = {
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}


def resource_of(host: str) -> Resource:
    """Who speaks, by the semantic conventions."""
    return Resource({"service.name": "xenwatch", "service.version": __version__, "host.name": as_unicode(host)})


def log_of(incident: Incident, at: float, resource: Resource) -> ReadableLogRecord:
    """A change of an incident as a log record."""
    told, subject = incident.diagnosis, incident.diagnosis.subject
    attributes = {
        f"{EVENT}.id": incident.id, f"{EVENT}.state": incident.state, f"{EVENT}.rule": told.rule,
        f"{EVENT}.class": told.class_, f"{EVENT}.subject.kind": subject.kind, f"{EVENT}.subject.name": subject.name,
        f"{EVENT}.summary": told.summary, f"{EVENT}.cause": told.cause,
        f"{EVENT}.explained_by": incident.explained_by or "",
        f"{EVENT}.acknowledged_by": incident.acknowledged_by or "",
    }  # fmt: skip
    record = LogRecord(
        timestamp=int((incident.resolved or incident.last_seen) * _NANO),
        observed_timestamp=int(at * _NANO),
        severity_text=told.severity,
        severity_number=_SEVERITIES[told.severity],
        body=as_unicode(f"{incident.state}: {told.title}"),
        attributes={name: as_unicode(text) for name, text in attributes.items() if text},
        event_name=EVENT,
    )
    return ReadableLogRecord(record, resource, _SCOPE)


def metrics_of(snapshot: Snapshot, resource: Resource) -> MetricsData:
    """Counters are monotonic sums, all others gauges, under the names that /metrics has. Histograms are left out."""
    by_name: dict[str, tuple[OwnMetric, list[Sample]]] = defaultdict(lambda: (snapshot.samples[0].metric, []))
    for sample in snapshot.samples:
        if sample.metric.type != "histogram":
            by_name.setdefault(sample.metric.name, (sample.metric, []))[1].append(sample)
    metrics = [_metric(metric, samples, int(snapshot.at * _NANO)) for metric, samples in by_name.values()]
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(_SCOPE, metrics, "")], "")])


def _metric(metric: OwnMetric, samples: Iterable[Sample], at: int) -> Metric:
    points = [NumberDataPoint(_labels(metric.labels, labels), 0, at, value) for _, labels, value in samples]
    cumulative = AggregationTemporality.CUMULATIVE
    data = Sum(points, cumulative, is_monotonic=True) if metric.type == "counter" else Gauge(points)
    return Metric(metric.name, metric.help, "", data)


def _labels(names: Sequence[str], values: Sequence[str]) -> dict[str, str]:
    return {name: as_unicode(value) for name, value in zip(names, values, strict=True)}
