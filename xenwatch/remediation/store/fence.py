"""Fencing tokens: each order carries one, and the receiver refuses an order with an older token."""

from xenwatch.remediation.store.transaction import Transaction


def next_token(transaction: Transaction, target: str) -> int:
    """A token higher than every one before it, now the highest of this target."""
    token = int(transaction.value("SELECT coalesce(max(highest), 0) FROM fence")) + 1
    sql = "INSERT INTO fence VALUES(?,?) ON CONFLICT(target) DO UPDATE SET highest=excluded.highest"
    transaction.db.execute(sql, (target, token))
    return token
