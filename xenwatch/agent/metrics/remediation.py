"""Remediation's figures as metric families, beside the agent's own."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from xenwatch.model.action import RemediationStatistics
from xenwatch.web.remediation_metrics import samples


def remediation_families(figures: RemediationStatistics | None) -> Iterator[Metric]:
    """One family a metric; none where remediation is off."""
    families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
    for metric, labels, value in samples(figures) if figures is not None else ():
        kind = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
        family = families.setdefault(metric.name, kind(metric.name, metric.help, labels=metric.labels))
        family.add_metric(labels, value)
    yield from families.values()
