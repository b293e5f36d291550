"""A person's one-time consent to one plan: bound to its hash, with an end, by another person where risk asks it."""

import secrets

from xenwatch.base.errors import InputError
from xenwatch.model.action import ActionRun
from xenwatch.remediation.store.transaction import Transaction


def approve(tx: Transaction, run: ActionRun, actor: str, plan_hash: str) -> str:
    """Note a consent and answer its id. InputError where it must not be given; then nothing is written."""
    proposal = run.proposal
    if not actor.startswith("human:") or actor == "human:":
        raise InputError(f"{actor} cannot approve: only a person can")
    if run.state not in ("proposed", "awaiting_approval"):
        raise InputError(f"run {run.id} is {run.state}: there is nothing to approve")
    if tx.at >= proposal.expires:
        raise InputError(f"run {run.id} has expired")
    if plan_hash != proposal.plan_hash:
        raise InputError(f"run {run.id} has another plan than the one approved; look at it again")
    if proposal.four_eyes and actor == proposal.requester:
        raise InputError(f"run {run.id} is {proposal.risk}: {actor} asked for it, so somebody else must approve it")
    nonce = secrets.token_hex(16)
    row = (nonce, run.id, actor, plan_hash, proposal.expires)
    tx.db.execute("INSERT INTO approval(nonce, run, actor, plan_hash, expires) VALUES(?,?,?,?,?)", row)
    tx.entry("approval", run.id, actor, "approved", {"plan_hash": plan_hash, "nonce": nonce})
    return nonce


def revoke(tx: Transaction, run: ActionRun, actor: str, reason: str) -> None:
    """Take back every consent to a run that has not been used."""
    tx.db.execute("UPDATE approval SET revoked=1 WHERE run=? AND used=0", (run.id,))
    tx.entry("approval", run.id, actor, f"revoked: {reason}")


def reject(tx: Transaction, run: ActionRun, actor: str, reason: str) -> None:
    """A person says no."""
    if run.state not in ("proposed", "awaiting_approval"):
        raise InputError(f"run {run.id} is {run.state}: it cannot be rejected any more")
    tx.move(run.id, "rejected", actor, reason)


def consent(tx: Transaction, run: ActionRun) -> str | None:
    """Who consented to this very plan, where the consent still stands; None otherwise."""
    sql = "SELECT actor FROM approval WHERE run=? AND plan_hash=? AND expires > ? AND revoked=0 ORDER BY rowid LIMIT 1"
    actor = tx.one(sql, run.id, run.proposal.plan_hash, tx.at)
    return None if actor is None else str(actor)


def use(tx: Transaction, run: ActionRun) -> None:
    """A consent is good for one start."""
    tx.db.execute("UPDATE approval SET used=1 WHERE run=?", (run.id,))
