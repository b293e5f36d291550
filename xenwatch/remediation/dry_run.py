"""Asks the guards about a run that is not started: in a transaction that is rolled back."""

from collections.abc import Callable

from xenwatch.base.errors import XenwatchError
from xenwatch.model.action import ActionRun, Proposal
from xenwatch.remediation.action import Action
from xenwatch.remediation.guards import approvals
from xenwatch.remediation.guards.admission import Refusal, admission
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.store import runs
from xenwatch.remediation.store.async_store import AsyncRunStore
from xenwatch.remediation.store.transaction import Transaction


class _Rollback(XenwatchError):
    """Carries the guards' answer out of the transaction."""

    def __init__(self, refusal: Refusal | None) -> None:
        self.refusal = refusal


async def dry_run(
    store: AsyncRunStore, proposal: Proposal, action: Action, policy: Policy, *, as_approved: bool, is_fleet: bool
) -> Refusal | None:
    """Which guard would refuse this run now; nothing is written, not even in the run store."""

    def ask(transaction: Transaction) -> None:
        run_id = runs.add(transaction, proposal)
        if run_id is None:
            raise _Rollback(Refusal("duplicate", "there is already a run for this incident or alert"))
        run = ActionRun(run_id, proposal, "proposed", transaction.at, transaction.wall)
        if as_approved:
            approvals.approve(transaction, run, "human:dry-run", proposal.plan_hash)
        raise _Rollback(admission(transaction, run, action, policy, is_fleet=is_fleet))

    return await _rolled_back(store, ask)


async def would_refuse(store: AsyncRunStore, run: ActionRun, action: Action, policy: Policy) -> Refusal | None:
    """The host's own guards about a stored run, before the fleet is asked: nothing is taken for one that must wait."""

    def ask(transaction: Transaction) -> None:
        raise _Rollback(admission(transaction, run, action, policy, is_fleet=True))

    return await _rolled_back(store, ask)


async def _rolled_back(store: AsyncRunStore, ask: Callable[[Transaction], None]) -> Refusal | None:
    try:
        await store.write(ask)
    except _Rollback as rollback:
        return rollback.refusal
    return None
