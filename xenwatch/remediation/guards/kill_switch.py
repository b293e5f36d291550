"""What a person sets by hand and the journal keeps: the kill switch, and maintenance with owner, reason and end."""

from xenwatch.base.errors import InputError
from xenwatch.remediation.store.transaction import Transaction


def turn(tx: Transaction, off: bool, actor: str, reason: str) -> None:
    """Turn all remediation off, or on again; it holds over restarts."""
    tx.db.execute("UPDATE switch SET off=?, actor=?, reason=?", (off, actor, reason))
    tx.entry("switch", None, actor, reason, {"off": off})


def reason_off(tx: Transaction) -> str | None:
    """Who turned remediation off and why; None while it is on."""
    off, actor, reason = tx.db.execute("SELECT off, actor, reason FROM switch").fetchone()
    return f"turned off by {actor}: {reason}" if off else None


def start_maintenance(tx: Transaction, scope: str, *, owner: str, reason: str, seconds: float, longest: float) -> None:
    """No automatic action on `scope` (`all`, `host/xen1`, `domain/<uuid>`) for a while; InputError: not granted."""
    if not owner or not reason:
        raise InputError("maintenance needs an owner and a reason")
    if not 0 < seconds <= longest:
        raise InputError(f"maintenance may last from 1 s to {longest:g} s, not {seconds:g} s")
    tx.db.execute("INSERT OR REPLACE INTO maintenance VALUES(?,?,?,?)", (scope, owner, reason, tx.at + seconds))
    tx.entry("maintenance", None, f"human:{owner}", reason, {"scope": scope, "seconds": seconds})


def end_maintenance(tx: Transaction, scope: str, owner: str) -> None:
    """Maintenance is over before its time."""
    tx.db.execute("DELETE FROM maintenance WHERE scope=?", (scope,))
    tx.entry("maintenance", None, f"human:{owner}", "over", {"scope": scope, "seconds": 0})


def maintained(tx: Transaction, *scopes: str) -> str | None:
    """Whose maintenance covers any of the scopes; None where there is none."""
    marks = ",".join("?" * (len(scopes) + 1))
    sql = f"SELECT scope, owner, reason FROM maintenance WHERE expires > ? AND scope IN ({marks}) LIMIT 1"  # noqa: S608 - marks only
    row = tx.db.execute(sql, (tx.at, "all", *scopes)).fetchone()
    return None if row is None else f"maintenance of {row[0]} by {row[1]}: {row[2]}"


def any_maintenance(tx: Transaction) -> bool:
    """Whether any maintenance is on."""
    return bool(tx.one("SELECT count(*) FROM maintenance WHERE expires > ?", tx.at))
