"""Counts remediation from its journal, for /metrics: plain numbers, never kept anywhere else."""

from xenwatch.model.action import ENDED, UNDERWAY, RemediationFigures
from xenwatch.remediation.guards import breaker, budget, storm
from xenwatch.remediation.guards import kill_switch as switch
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.store.transaction import Transaction

_WEEK = 7 * 86400.0
_REPEATED = 3


def figures(tx: Transaction, policy: Policy, slowest_commit: float) -> RemediationFigures:
    """Everything of RemediationFigures at this moment."""
    states = tx.db.execute("SELECT action, state, count(*) FROM run GROUP BY action, state").fetchall()
    repeated = tx.one(
        "SELECT count(*) FROM (SELECT target FROM run WHERE state='succeeded' AND risk<>'L0' AND created > ?"
        " GROUP BY target HAVING count(*) >= ?)",
        tx.at - _WEEK,
        _REPEATED,
    )
    oldest = tx.one(
        "SELECT min(created) FROM run WHERE state IN ('admitted','leased','prechecked','executing','verifying')"
    )
    return RemediationFigures(
        runs={(action, state): count for action, state, count in states if state in ENDED},
        blocked=dict(tx.db.execute("SELECT guard, count FROM blocked").fetchall()),
        in_progress=_underway(states),
        budget_remaining=budget.remaining(tx, policy.limits, policy.inventory.here),
        breaker_open=breaker.reason_open(tx) is not None,
        storm_active=storm.is_on(tx),
        maintenance_active=switch.any_maintenance(tx),
        switched_off=switch.reason_off(tx) is not None or not policy.enabled,
        approval_pending=sum(count for _, state, count in states if state == "awaiting_approval"),
        unknown_runs=sum(count for _, state, count in states if state == "unknown"),
        repeated_successes=int(repeated),
        oldest_open_seconds=tx.at - oldest if oldest is not None else 0.0,
        fsync_seconds=slowest_commit,
    )


def _underway(states: list[tuple[str, str, int]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for action, state, count in states:
        if state in UNDERWAY:
            counts[action] = counts.get(action, 0) + count
    return counts
