"""Durable sliding windows: how often may be acted on a guest, a host, with an action, with a class of risk."""

from collections.abc import Mapping
from dataclasses import dataclass

from xenwatch.base.durations import format_duration
from xenwatch.model.action import UNDERWAY, Proposal
from xenwatch.remediation.policy.policy import CooldownLimits, Limit
from xenwatch.remediation.store.transaction import Transaction

_COLUMNS = {"guest": "guest", "host": "host", "class": "class", "action": "action"}


@dataclass(frozen=True, slots=True)
class _Scope:
    """Which rows of the budget a limit counts."""

    key: str
    column: str
    value: str


def _scopes(proposal: Proposal) -> tuple[_Scope, ...]:
    return (
        _Scope("global", "", ""),
        _Scope("host", "host", proposal.host),
        _Scope("guest", "guest", proposal.target.key),
        _Scope(f"class.{proposal.risk}", "class", proposal.risk),
        _Scope(f"action.{proposal.action}", "action", proposal.action),
    )


def reserve(tx: Transaction, run: str, proposal: Proposal, limits: Mapping[str, Limit]) -> str | None:
    """Take one action from every budget of a run; what is used up, in words, and nothing taken, where one is empty."""
    for scope in _scopes(proposal):
        limit = limits.get(scope.key)
        if limit is not None and (full := _full(tx, scope, limit)):
            return full
    row = (run, tx.at, proposal.target.key, proposal.host, proposal.risk, proposal.action)
    tx.db.execute("INSERT INTO budget VALUES(?,?,?,?,?,?)", row)
    return None


def _full(tx: Transaction, scope: _Scope, limit: Limit) -> str | None:
    used = _count(tx, scope, tx.at - limit.window)
    if used >= limit.max_actions:
        return f"{scope.key}: {used} of {limit.max_actions} actions in {format_duration(limit.window)} are used"
    if limit.max_concurrent and _underway(tx, scope) >= limit.max_concurrent:
        return f"{scope.key}: {limit.max_concurrent} run(s) underway already"
    return None


def _where(scope: _Scope) -> tuple[str, tuple[str, ...]]:
    """What only reads (L0) uses up the budget of its class and its action alone."""
    if not scope.column:
        return "AND b.class <> 'L0'", ()
    harmless = "" if scope.column in ("class", "action") else "AND b.class <> 'L0'"
    return f"AND b.{scope.column} = ? {harmless}", (scope.value,)


def _count(tx: Transaction, scope: _Scope, since: float) -> int:
    where, values = _where(scope)
    return int(tx.one(f"SELECT count(*) FROM budget b WHERE b.at > ? {where}", since, *values))  # noqa: S608 - our own columns


def _underway(tx: Transaction, scope: _Scope) -> int:
    marks = ",".join("?" * len(UNDERWAY))
    where, values = _where(scope)
    sql = f"SELECT count(*) FROM budget b JOIN run r ON r.id = b.run WHERE r.state IN ({marks}) {where}"  # noqa: S608 - our own columns
    return int(tx.one(sql, *UNDERWAY, *values))


def remaining(tx: Transaction, limits: Mapping[str, Limit], host: str) -> dict[str, int]:
    """What is left of the budgets that have one holder: global, this host, each class and action."""
    left = {}
    for key, limit in limits.items():
        kind, _, value = key.partition(".")
        if kind != "guest":
            scope = _Scope(key, _COLUMNS.get(kind, ""), value or host)
            left[key] = max(0, limit.max_actions - _count(tx, scope, tx.at - limit.window))
    return left


def cooling(tx: Transaction, target: str, pace: CooldownLimits) -> str | None:
    """Why a target must be left in peace yet; None where it need not."""
    level, last = tx.db.execute("SELECT level, last FROM backoff WHERE target=?", (target,)).fetchone() or (0, 0.0)
    wait = min(pace.cooldown * 2 ** max(0, level - 1), pace.longest) if level else 0.0
    left = last + wait - tx.at
    return f"acted {format_duration(tx.at - last)} ago; next in {format_duration(left)}" if left > 0 else None


def note_attempt(tx: Transaction, target: str) -> None:
    """Count one more attempt; the pause after it is twice the one before, whatever came of it."""
    tx.db.execute(
        "INSERT INTO backoff VALUES(?,1,?,NULL)"
        " ON CONFLICT(target) DO UPDATE SET level=level+1, last=?, healthy_since=NULL",
        (target, tx.at, tx.at),
    )


def note_health(tx: Transaction, target: str, healthy: bool, pace: CooldownLimits) -> None:
    """One sample of health. Only an unbroken stretch of it starts the pauses over; one good sample does not."""
    since = tx.one("SELECT healthy_since FROM backoff WHERE target=?", target)
    if not healthy:
        tx.db.execute("UPDATE backoff SET healthy_since=NULL WHERE target=?", (target,))
    elif since is None:
        tx.db.execute("UPDATE backoff SET healthy_since=? WHERE target=?", (tx.at, target))
    elif tx.at - since >= pace.stability:
        tx.db.execute("UPDATE backoff SET level=0 WHERE target=?", (target,))
