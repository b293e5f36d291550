"""Nonces of signed deliveries, kept over restarts so that a delivery is accepted once."""

from xenwatch.remediation.store.transaction import Transaction


def first_use(transaction: Transaction, nonce: str) -> bool:
    """Keep a nonce; false where it was kept already."""
    sql = "INSERT OR IGNORE INTO nonce VALUES(?,?)"
    return transaction.db.execute(sql, (nonce, transaction.at)).rowcount > 0


def forget(transaction: Transaction, seconds: float) -> None:
    """Drop nonces older than this."""
    transaction.db.execute("DELETE FROM nonce WHERE at < ?", (transaction.at - seconds,))
