"""What the guards refused: said in the journal, counted, and told where a person is needed."""

from xenwatch.model.action import ActionRun, EventKind, Trigger
from xenwatch.remediation.executor import US
from xenwatch.remediation.guards.admission import Refusal
from xenwatch.remediation.store import outbox
from xenwatch.remediation.store import triggers as trouble
from xenwatch.remediation.store.transaction import Transaction


def note_refusal(tx: Transaction, trigger: Trigger, stop: Refusal, kind: EventKind | None) -> None:
    """Nothing is drafted for a trouble; `kind`: who is outside hears of it."""
    tx.entry("refused", None, US, f"{stop.guard}: {stop.reason}", {"trouble": trigger.key})
    _count(tx, stop.guard)
    if kind is not None:
        outbox.tell(tx, kind, trigger.key, f"{trigger.name} of {trigger.target}: {stop.reason}; a person is needed")


def note_block(tx: Transaction, run: ActionRun, stop: Refusal) -> None:
    """A guard's no is journalled once, until another guard says it; a plan of an older policy is done with."""
    if tx.one("SELECT guard FROM run WHERE id=?", run.id) != stop.guard:
        tx.db.execute("UPDATE run SET guard=? WHERE id=?", (stop.guard, run.id))
        if stop.guard != "approval":
            tx.entry("blocked", run.id, US, f"{stop.guard}: {stop.reason}")
            _count(tx, stop.guard)
    if stop.guard == "superseded":
        tx.move(run.id, "aborted", US, stop.reason)
        trouble.set_handled(tx, run.proposal.trigger.key, False)


def _count(tx: Transaction, guard: str) -> None:
    tx.db.execute("INSERT INTO blocked VALUES(?,1) ON CONFLICT(guard) DO UPDATE SET count=count+1", (guard,))
