"""The circuit breaker: so many runs in a row failed or ended unknown that only a person lets the next one start."""

from xenwatch.model.action import RunState
from xenwatch.remediation.store.transaction import Transaction

SCOPE = "all"


def note_end(tx: Transaction, end: RunState, open_after: int) -> bool:
    """Count how a run ended; true when this very run opened the breaker."""
    if end == "succeeded":
        tx.db.execute("UPDATE breaker SET failures=0 WHERE scope=? AND open=0", (SCOPE,))
        return False
    if end not in ("failed", "unknown"):
        return False
    sql = "INSERT INTO breaker VALUES(?,0,1,'') ON CONFLICT(scope) DO UPDATE SET failures=failures+1"
    tx.db.execute(sql, (SCOPE,))
    was_open, failures = tx.db.execute("SELECT open, failures FROM breaker WHERE scope=?", (SCOPE,)).fetchone()
    if was_open or failures < open_after:
        return False
    reason = f"{failures} runs in a row failed or ended unknown"
    tx.db.execute("UPDATE breaker SET open=1, reason=? WHERE scope=?", (reason, SCOPE))
    tx.entry("breaker", None, "xenwatch", reason, {"open": True})
    return True


def reason_open(tx: Transaction) -> str | None:
    """Why the breaker is open; None where it is closed."""
    reason = tx.one("SELECT reason FROM breaker WHERE scope=? AND open=1", SCOPE)
    return None if reason is None else str(reason)


def close(tx: Transaction, actor: str, reason: str) -> None:
    """A person says that the cause is dealt with."""
    tx.db.execute("UPDATE breaker SET open=0, failures=0, reason='' WHERE scope=?", (SCOPE,))
    tx.entry("breaker", None, actor, reason, {"open": False})
