"""Asks the guards about a run that is not to be: a transaction that is rolled back."""

from xenwatch.model.action import ActionRun, Proposal
from xenwatch.remediation.guards import approvals
from xenwatch.remediation.guards.admission import Refusal, admission
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.store.async_store import AsyncRunStore
from xenwatch.remediation.store.transaction import Transaction


class _Answer(Exception):
    """Carries the guards' answer out of the transaction."""

    def __init__(self, stop: Refusal | None) -> None:
        self.stop = stop


async def rehearse(
    ledger: AsyncRunStore, proposal: Proposal, policy: Policy, *, cross_host: bool, as_approved: bool
) -> Refusal | None:
    """Which guard would stop this run now; nothing is written, not even in the journal."""

    def ask(tx: Transaction) -> None:
        run = tx.add(proposal)
        if run is None:
            raise _Answer(Refusal("duplicate", "this trouble has its run already"))
        row = ActionRun(run, proposal, "proposed", tx.at, tx.wall)
        if as_approved:
            approvals.approve(tx, row, "human:dry-run", proposal.plan_hash)
        raise _Answer(admission(tx, row, policy, cross_host=cross_host))

    try:
        await ledger.write(ask)
    except _Answer as answer:
        return answer.stop
    return None
