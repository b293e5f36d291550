"""What the guards refused: recorded, counted, and reported where a person is needed."""

from xenwatch.model.action import AGENT, ActionRun, EventKind, Trigger
from xenwatch.remediation.guards.admission import Refusal
from xenwatch.remediation.store import blocked, entries, outbox, runs, triggers
from xenwatch.remediation.store.transaction import Transaction


def record_refusal(transaction: Transaction, trigger: Trigger, refusal: Refusal, kind: EventKind | None) -> None:
    """Nothing is proposed for a trigger; `kind`: the event that is sent about it."""
    reason = f"{refusal.guard}: {refusal.reason}"
    entries.append(transaction, "refused", None, AGENT, reason, {"trouble": trigger.key})
    blocked.increment(transaction, refusal.guard)
    if kind is not None:
        summary = f"{trigger.name} of {trigger.target}: {refusal.reason}; a person is needed"
        outbox.enqueue(transaction, kind, trigger.key, summary)


def record_block(transaction: Transaction, run: ActionRun, refusal: Refusal) -> None:
    """A guard's refusal is recorded once, until another guard refuses. A plan of an older policy is given up."""
    if runs.set_guard(transaction, run.id, refusal.guard) and refusal.guard != "approval":
        entries.append(transaction, "blocked", run.id, AGENT, f"{refusal.guard}: {refusal.reason}")
        blocked.increment(transaction, refusal.guard)
    if refusal.guard == "superseded":
        runs.move(transaction, run.id, "aborted", AGENT, refusal.reason)
        triggers.set_handled(transaction, run.proposal.trigger.key, False)
