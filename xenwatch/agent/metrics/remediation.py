"""Remediation's figures as samples and as metric families, beside the agent's own."""

from collections.abc import Iterator

from prometheus_client import core

from xenwatch.model.action import RemediationStatistics
from xenwatch.model.sample import Metric, Sample

_P = "xenwatch_remediation_"
RUNS = Metric(_P + "runs_total", "counter", "Runs that ended, by action and result.", ("action", "result"))
BLOCKED = Metric(_P + "blocked_total", "counter", "Runs and proposals that a guard refused, by guard.", ("guard",))
IN_PROGRESS = Metric(_P + "in_progress", "gauge", "Runs in progress.", ("action",))
BUDGET = Metric(_P + "budget_remaining", "gauge", "Actions left in the window of a limit.", ("limit",))
BREAKER = Metric(_P + "breaker_open", "gauge", "1 while the circuit breaker is open.")
STORM = Metric(_P + "storm_active", "gauge", "1 while too many targets fail at once for automatic actions.")
MAINTENANCE = Metric(_P + "maintenance_active", "gauge", "1 while there is any maintenance.")
OFF = Metric(_P + "switched_off", "gauge", "1 while remediation is turned off.")
PENDING = Metric(_P + "approval_pending", "gauge", "Proposals that wait for approval.")
UNKNOWN = Metric(_P + "unknown_runs", "gauge", "Runs with an unknown outcome, which a user must settle.")
REPEATED = Metric(_P + "repeated_successes", "gauge", "Targets repaired three times or more within seven days.")
OLDEST = Metric(_P + "oldest_open_seconds", "gauge", "Age of the oldest run in progress.")
FSYNC = Metric(_P + "journal_fsync_seconds", "gauge", "Longest commit of the run store since the start.")


def samples(figures: RemediationStatistics) -> Iterator[Sample]:
    """Every metric of remediation."""
    for (action, result), count in figures.runs.items():
        yield Sample(RUNS, (action, result), count)
    for metric, values in (
        (BLOCKED, figures.blocked),
        (IN_PROGRESS, figures.in_progress),
        (BUDGET, figures.budget_remaining),
    ):
        for label, count in values.items():
            yield Sample(metric, (label,), count)
    single = {
        BREAKER: figures.breaker_open, STORM: figures.storm_active, MAINTENANCE: figures.maintenance_active,
        OFF: figures.switched_off, PENDING: figures.approval_pending, UNKNOWN: figures.unknown_runs,
        REPEATED: figures.repeated_successes, OLDEST: figures.oldest_open_seconds, FSYNC: figures.fsync_seconds,
    }  # fmt: skip
    for metric, value in single.items():
        yield Sample(metric, (), float(value))


def remediation_families(figures: RemediationStatistics | None) -> Iterator[core.Metric]:
    """One family for each metric; none where remediation is off."""
    families: dict[str, core.CounterMetricFamily | core.GaugeMetricFamily] = {}
    for metric, labels, value in samples(figures) if figures is not None else ():
        kind = core.CounterMetricFamily if metric.type == "counter" else core.GaugeMetricFamily
        family = families.setdefault(metric.name, kind(metric.name, metric.help, labels=metric.labels))
        family.add_metric(labels, value)
    yield from families.values()
