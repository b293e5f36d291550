"""Remediation's numbers for /metrics, counted from the run store and kept nowhere else."""

from xenwatch.model.action import ACTIVE, ENDED, RemediationStatistics, RunState
from xenwatch.remediation.guards import breaker, budget, kill_switch, storm
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.store import blocked, runs
from xenwatch.remediation.store.transaction import View

_WEEK = 7 * 86400.0
_REPEATED = 3


def statistics(view: View, policy: Policy, slowest_commit: float) -> RemediationStatistics:
    """Everything of RemediationStatistics at this moment."""
    counts = runs.state_counts(view)
    oldest = runs.oldest_active(view)
    return RemediationStatistics(
        runs={(action, state): count for action, state, count in counts if state in ENDED},
        blocked=blocked.counts(view),
        in_progress=_in_progress(counts),
        budget_remaining=budget.remaining(view, policy.limits, policy.inventory.here),
        breaker_open=breaker.open_reason(view) is not None,
        storm_active=storm.is_active(view),
        maintenance_active=kill_switch.has_maintenance(view),
        switched_off=kill_switch.off_reason(view) is not None or not policy.enabled,
        approval_pending=_total(counts, "awaiting_approval"),
        unknown_runs=_total(counts, "unknown"),
        repeated_successes=runs.repeated_successes(view, view.at - _WEEK, _REPEATED),
        oldest_open_seconds=view.at - oldest if oldest is not None else 0.0,
        fsync_seconds=slowest_commit,
    )


def _total(counts: list[tuple[str, RunState, int]], wanted: RunState) -> int:
    return sum(count for _, state, count in counts if state == wanted)


def _in_progress(counts: list[tuple[str, RunState, int]]) -> dict[str, int]:
    by_action: dict[str, int] = {}
    for action, state, count in counts:
        if state in ACTIVE:
            by_action[action] = by_action.get(action, 0) + count
    return by_action
