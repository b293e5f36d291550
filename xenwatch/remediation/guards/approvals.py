"""A person's one-time approval of one plan: bound to its hash, limited in time, by a second person where risky."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from xenwatch.base.errors import InputError
from xenwatch.model.action import PENDING, ActionRun
from xenwatch.remediation.action import hash_as_shown
from xenwatch.remediation.policy.inventory import ManagedInventory
from xenwatch.remediation.store import entries, runs
from xenwatch.remediation.store.transaction import Transaction, View


def approve(transaction: Transaction, run: ActionRun, actor: str, plan_hash: str) -> str:
    """Record an approval and return its id. InputError where it is not valid; then nothing is written."""
    proposal = run.proposal
    require_valid(run, actor, plan_hash)
    if transaction.at >= proposal.expires:
        raise InputError(f"run {run.id} has expired")
    nonce = secrets.token_hex(16)
    row = (nonce, run.id, actor, plan_hash, proposal.expires)
    transaction.db.execute("INSERT INTO approval(nonce, run, actor, plan_hash, expires) VALUES(?,?,?,?,?)", row)
    entries.append(transaction, "approval", run.id, actor, "approved", {"plan_hash": plan_hash, "nonce": nonce})
    return nonce


def require_valid(run: ActionRun, actor: str, plan_hash: str) -> None:
    """InputError where this person cannot approve this plan of this run, whatever the time is."""
    proposal = run.proposal
    if not actor.startswith("human:") or actor == "human:":
        raise InputError(f"{actor} cannot approve a run: only a person can")
    if run.state not in PENDING:
        raise InputError(f"run {run.id} is {run.state}: there is nothing to approve")
    if plan_hash != proposal.plan_hash:
        raise InputError(f"run {run.id} has another plan than the one you approved; look at it again")
    if proposal.four_eyes and actor == proposal.requester:
        raise InputError(f"run {run.id} is {proposal.risk}: {actor} requested it, so somebody else must approve it")


def require_as_shown(run: ActionRun, actor: str, plan_hash: str, inventory: ManagedInventory) -> None:
    """As `require_valid`, and InputError where what a person reads is not what the hash stands for.

    Whoever writes the store may lie, and the effects helper carries out what has the hash that a person consented to.
    """
    require_valid(run, actor, plan_hash)
    proposal = run.proposal
    shown = hash_as_shown(proposal.action, proposal.target, proposal.params, proposal.plan)
    if shown != proposal.plan_hash:
        raise InputError("the plan that is shown is not the one that would be approved: the run store was changed")
    guest = inventory.guest(proposal.target) if proposal.target.kind == "domain" else None
    if guest is not None and guest.name != proposal.target.name:
        raise InputError(f"{proposal.target} is {guest.name} in the policy: the run store was changed")


def revoke(transaction: Transaction, run: ActionRun, actor: str, reason: str) -> None:
    """Take back every approval of a run that has not been used."""
    transaction.db.execute("UPDATE approval SET revoked=1 WHERE run=? AND used=0", (run.id,))
    entries.append(transaction, "approval", run.id, actor, f"revoked: {reason}")


def reject(transaction: Transaction, run: ActionRun, actor: str, reason: str) -> None:
    """A person decides that the run must not start."""
    if run.state not in PENDING:
        raise InputError(f"run {run.id} is {run.state}: it cannot be rejected any more")
    runs.move(transaction, run.id, "rejected", actor, reason)


def approver(view: View, run: ActionRun) -> str | None:
    """Who approved this very plan, where the approval is still valid; None otherwise."""
    sql = "SELECT actor FROM approval WHERE run=? AND plan_hash=? AND expires > ? AND revoked=0 ORDER BY rowid LIMIT 1"
    actor = view.value(sql, run.id, run.proposal.plan_hash, view.at)
    return None if actor is None else str(actor)


def mark_used(transaction: Transaction, run: ActionRun) -> None:
    """An approval is valid for one start."""
    transaction.db.execute("UPDATE approval SET used=1 WHERE run=?", (run.id,))


@dataclass(frozen=True, slots=True)
class StoredApproval:
    """A row as it stands, for the comparison with the record."""

    run: str
    actor: str
    plan_hash: str
    revoked: bool
    used: bool
    expires: float


def stored(view: View) -> dict[str, StoredApproval]:
    """The rows by nonce."""
    rows = view.rows("SELECT nonce, run, actor, plan_hash, revoked, used, expires FROM approval")
    return {
        nonce: StoredApproval(run, actor, plan, bool(revoked), bool(used), expires)
        for nonce, run, actor, plan, revoked, used, expires in rows
    }


def forget(transaction: Transaction, run_ids: Collection[str]) -> None:
    """Delete the rows of runs that are deleted."""
    transaction.db.executemany("DELETE FROM approval WHERE run=?", [(run,) for run in run_ids])
