"""Cooldown: the pause after an action on a target doubles each time, until the target has been healthy for a while."""

from xenwatch.base.durations import format_duration
from xenwatch.remediation.policy.policy import CooldownLimits
from xenwatch.remediation.store.transaction import Transaction, View


def refusal_reason(view: View, target: str, limits: CooldownLimits) -> str | None:
    """Why nothing may be done to a target yet; None where its pause is over."""
    rows = view.rows("SELECT level, last FROM backoff WHERE target=?", target)
    level, last = rows[0] if rows else (0, 0.0)
    pause = min(limits.cooldown * 2 ** max(0, level - 1), limits.longest) if level else 0.0
    left = last + pause - view.at
    if left <= 0:
        return None
    return f"the last action was {format_duration(view.at - last)} ago; the next may start in {format_duration(left)}"


def record_attempt(transaction: Transaction, target: str) -> None:
    """Count one more attempt; the pause after it is twice the one before, whatever the outcome."""
    transaction.db.execute(
        "INSERT INTO backoff VALUES(?,1,?,NULL)"
        " ON CONFLICT(target) DO UPDATE SET level=level+1, last=?, healthy_since=NULL",
        (target, transaction.at, transaction.at),
    )


def record_health(transaction: Transaction, target: str, healthy: bool, limits: CooldownLimits) -> None:
    """One sample of health. Only an unbroken stretch of health resets the pauses; one good sample does not."""
    since = transaction.value("SELECT healthy_since FROM backoff WHERE target=?", target)
    if not healthy:
        transaction.db.execute("UPDATE backoff SET healthy_since=NULL WHERE target=?", (target,))
    elif since is None:
        transaction.db.execute("UPDATE backoff SET healthy_since=? WHERE target=?", (transaction.at, target))
    elif transaction.at - since >= limits.stability:
        transaction.db.execute("UPDATE backoff SET level=0 WHERE target=?", (target,))
