"""Counts how often each guard refused, for /metrics."""

from xenwatch.remediation.store.transaction import Transaction, View


def increment(transaction: Transaction, guard: str) -> None:
    """Count one refusal."""
    sql = "INSERT INTO blocked VALUES(?,1) ON CONFLICT(guard) DO UPDATE SET count=count+1"
    transaction.db.execute(sql, (guard,))


def counts(view: View) -> dict[str, int]:
    """Refusals by guard."""
    return dict(view.rows("SELECT guard, count FROM blocked"))
