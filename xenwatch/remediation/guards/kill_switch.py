"""What a person sets by hand and the run store keeps: the kill switch, and maintenance with owner, reason and end."""

from dataclasses import dataclass

from xenwatch.base.errors import InputError
from xenwatch.model.coordination import MaintenanceNotice
from xenwatch.remediation.store import entries
from xenwatch.remediation.store.transaction import Transaction, View


def turn(transaction: Transaction, off: bool, actor: str, reason: str) -> None:
    """Turn all remediation off, or on again; it holds over restarts."""
    transaction.db.execute("UPDATE switch SET off=?, actor=?, reason=?", (off, actor, reason))
    entries.append(transaction, "switch", None, actor, reason, {"off": off})


def off_reason(view: View) -> str | None:
    """Who turned remediation off and why; None while it is on."""
    ((off, actor, reason),) = view.rows("SELECT off, actor, reason FROM switch")
    return f"turned off by {actor}: {reason}" if off else None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """What a person asks for; `scope` is `all`, `host/xen1` or `domain/<uuid>`."""

    scope: str
    owner: str
    reason: str
    seconds: float
    """0 ends it before its time."""
    longest: float


def maintain(transaction: Transaction, asked: Maintenance) -> None:
    """No automatic action on the scope for a while. InputError: not accepted."""
    if not asked.seconds:
        transaction.db.execute("DELETE FROM maintenance WHERE scope=?", (asked.scope,))
        _record(transaction, asked, "ended")
        return
    if not asked.owner or not asked.reason:
        raise InputError("maintenance needs an owner and a reason")
    if not 0 < asked.seconds <= asked.longest:
        raise InputError(f"maintenance may last from 1 s to {asked.longest:g} s, not {asked.seconds:g} s")
    row = (asked.scope, asked.owner, asked.reason, transaction.at + asked.seconds)
    transaction.db.execute("INSERT OR REPLACE INTO maintenance VALUES(?,?,?,?)", row)
    _record(transaction, asked, asked.reason)


def _record(transaction: Transaction, asked: Maintenance, reason: str) -> None:
    facts = {"scope": asked.scope, "seconds": asked.seconds}
    entries.append(transaction, "maintenance", None, f"human:{asked.owner}", reason, facts)


def maintenance_reason(view: View, *scopes: str) -> str | None:
    """Which maintenance covers any of the scopes; None where there is none."""
    marks = ",".join("?" * (len(scopes) + 1))
    sql = f"SELECT scope, owner, reason FROM maintenance WHERE expires > ? AND scope IN ({marks}) LIMIT 1"  # noqa: S608 - marks only
    rows = view.rows(sql, view.at, "all", *scopes)
    return f"maintenance of {rows[0][0]} by {rows[0][1]}: {rows[0][2]}" if rows else None


def maintained(view: View, wall: float) -> tuple[MaintenanceNotice, ...]:
    """All that is on, with its end by the wall clock, to the minute."""
    rows = view.rows("SELECT scope, owner, reason, expires FROM maintenance WHERE expires > ? ORDER BY scope", view.at)
    return tuple(
        MaintenanceNotice(scope, owner, reason, ends=round((wall + expires - view.at) / 60) * 60.0)
        for scope, owner, reason, expires in rows
    )


def ends(view: View) -> dict[str, float]:
    """When the maintenance of each scope ends or ended."""
    return dict(view.rows("SELECT scope, expires FROM maintenance"))


def has_maintenance(view: View) -> bool:
    """Whether maintenance of anything is on."""
    return bool(view.value("SELECT count(*) FROM maintenance WHERE expires > ?", view.at))
