"""Remediation at one moment, for the page on which people approve: what waits, what runs, what may still happen."""

from xenwatch.model.action import ACTIVE, ENDED, PENDING, BudgetLine, RemediationOverview
from xenwatch.remediation.guards import approvals, breaker, kill_switch
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.statistics import statistics
from xenwatch.remediation.store import runs
from xenwatch.remediation.store.transaction import View

_MOST_ENDED = 100


def overview(view: View, policy: Policy, slowest_commit: float) -> RemediationOverview:
    """All of it from one reading of the run store."""
    figures, waiting = statistics(view, policy, slowest_commit), runs.select(view, *PENDING)
    approvers = ((run.id, approvals.approver(view, run)) for run in waiting)
    return RemediationOverview(
        mode=policy.mode,
        enabled=policy.enabled,
        switched_off=kill_switch.off_reason(view),
        breaker=breaker.open_reason(view),
        statistics=figures,
        budgets=tuple(
            BudgetLine(scope, figures.budget_remaining.get(scope), limit.max_actions, limit.window)
            for scope, limit in policy.limits.items()
        ),
        waiting=tuple(waiting),
        active=tuple(runs.select(view, *ACTIVE)),
        ended=tuple(runs.latest(view, *ENDED, limit=_MOST_ENDED)),
        approved_by={run: actor for run, actor in approvers if actor is not None},
    )
