"""Drops what is old from the run store, so that it does not grow for ever: the record stays whole from there on."""

from xenwatch.model.action import AGENT
from xenwatch.remediation.guards import approvals
from xenwatch.remediation.store import budget, entries, nonces, outbox, runs, triggers
from xenwatch.remediation.store.transaction import Transaction

KEEP = 90 * 86400.0
"""Seconds, while the host is up, for which a run and its lines are kept."""
_KEEP_ENDED = 86400.0
"""How long nonces and ended triggers are kept."""
_KEEP_DELIVERED = 7 * 86400.0


def drop_old(transaction: Transaction, keep: float = KEEP) -> int:
    """Delete the oldest lines and the runs that they alone spoke of; how many lines."""
    triggers.forget_ended(transaction, _KEEP_ENDED)
    nonces.forget(transaction, _KEEP_ENDED)
    outbox.forget_delivered(transaction, _KEEP_DELIVERED)
    old = entries.old_ones(transaction, transaction.at - keep)
    last = _last_to_go(transaction, old) if old else None
    if last is None:
        return 0
    entries.prune(transaction, last, AGENT)
    gone = runs.without_record(transaction, entries.recorded_runs(transaction))
    approvals.forget(transaction, gone)
    budget.forget(transaction, gone)
    runs.forget(transaction, gone)
    return sum(seq <= last for seq, _ in old)


def _last_to_go(transaction: Transaction, old: list[tuple[int, str | None]]) -> int | None:
    """A run goes as a whole, and not before it and its trigger are over; the lines behind it wait."""
    firing, troubles = triggers.active_keys(transaction), runs.troubles(transaction)
    kept = runs.not_over(transaction) | {run for run, key in troubles.items() if key in firing}
    newest = entries.last_lines(transaction)
    last = old[-1][0]
    while True:
        staying = [seq for seq, run in old if seq <= last and run and (run in kept or newest[run] > last)]
        if not staying:
            return last if last >= old[0][0] else None
        last = staying[0] - 1
