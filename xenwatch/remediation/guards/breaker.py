"""The circuit breaker: after so many unsuccessful runs in a row only a person lets the next one start."""

from xenwatch.model.action import AGENT, UNSUCCESSFUL, RunState
from xenwatch.remediation.store import entries
from xenwatch.remediation.store.transaction import Transaction, View

_SCOPE = "all"


def record_end(transaction: Transaction, end: RunState, open_after: int) -> bool:
    """Count how a run ended; true where this very run opened the breaker."""
    if end == "succeeded":
        transaction.db.execute("UPDATE breaker SET failures=0 WHERE scope=? AND open=0", (_SCOPE,))
        return False
    if end not in UNSUCCESSFUL:
        return False
    sql = "INSERT INTO breaker VALUES(?,0,1,'') ON CONFLICT(scope) DO UPDATE SET failures=failures+1"
    transaction.db.execute(sql, (_SCOPE,))
    ((was_open, failures),) = transaction.rows("SELECT open, failures FROM breaker WHERE scope=?", _SCOPE)
    if was_open or failures < open_after:
        return False
    reason = f"{failures} runs in a row failed or ended unknown"
    transaction.db.execute("UPDATE breaker SET open=1, reason=? WHERE scope=?", (reason, _SCOPE))
    entries.append(transaction, "breaker", None, AGENT, reason, {"open": True})
    return True


def open_reason(view: View) -> str | None:
    """Why the breaker is open; None where it is closed."""
    reason = view.value("SELECT reason FROM breaker WHERE scope=? AND open=1", _SCOPE)
    return None if reason is None else str(reason)


def close(transaction: Transaction, actor: str, reason: str) -> None:
    """A person states that the cause has been dealt with."""
    transaction.db.execute("UPDATE breaker SET open=0, failures=0, reason='' WHERE scope=?", (_SCOPE,))
    entries.append(transaction, "breaker", None, actor, reason, {"open": False})
