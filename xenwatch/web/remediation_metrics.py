"""Remediation's figures as samples of /metrics."""

from collections.abc import Iterator

from xenwatch.model.action import RemediationStatistics
from xenwatch.model.sample import Metric, Sample

_P = "xenwatch_remediation_"
RUNS = Metric(_P + "runs_total", "counter", "Runs that ended, by action and result.", ("action", "result"))
BLOCKED = Metric(_P + "blocked_total", "counter", "Runs held back and proposals not made, by guard.", ("guard",))
IN_PROGRESS = Metric(_P + "in_progress", "gauge", "Runs underway.", ("action",))
BUDGET = Metric(_P + "budget_remaining", "gauge", "Actions left in the window of a limit.", ("limit",))
BREAKER = Metric(_P + "breaker_open", "gauge", "1 while the circuit breaker is open.")
STORM = Metric(_P + "storm_active", "gauge", "1 while too much fails at once for automatic actions.")
MAINTENANCE = Metric(_P + "maintenance_active", "gauge", "1 while any maintenance is on.")
OFF = Metric(_P + "switched_off", "gauge", "1 while remediation is turned off.")
PENDING = Metric(_P + "approval_pending", "gauge", "Proposals that wait for a person.")
UNKNOWN = Metric(_P + "unknown_runs", "gauge", "Runs whose outcome is unknown; a person must settle them.")
REPEATED = Metric(_P + "repeated_successes", "gauge", "Targets repaired three times or more within seven days.")
OLDEST = Metric(_P + "oldest_open_seconds", "gauge", "Age of the oldest run underway.")
FSYNC = Metric(_P + "journal_fsync_seconds", "gauge", "Longest commit of the journal since start.")


def samples(figures: RemediationStatistics) -> Iterator[Sample]:
    """All of them."""
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
