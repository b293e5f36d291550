"""Storm: where much fails at once there is one cause behind it, and restarting everything would only make it worse."""

from collections.abc import Collection

from xenwatch.model.action import AGENT
from xenwatch.remediation.policy.policy import StormLimit
from xenwatch.remediation.store import entries
from xenwatch.remediation.store.transaction import Transaction, View


def record_failing(transaction: Transaction, failing: Collection[str], watched: int, limit: StormLimit) -> bool:
    """Take in which targets fail now, of how many watched; true during a storm. It ends after a calm cooldown."""
    transaction.db.executemany(
        "INSERT INTO failing VALUES(?,?) ON CONFLICT(target) DO UPDATE SET at=excluded.at",
        [(target, transaction.at) for target in failing],
    )
    transaction.db.execute("DELETE FROM failing WHERE at <= ?", (transaction.at - limit.within,))
    recent = int(transaction.value("SELECT count(*) FROM failing"))
    over_limit = recent >= limit.min_count and recent > limit.max_unhealthy * max(watched, 1)
    return _update(transaction, over_limit, calm=not failing and not over_limit, cooldown=limit.cooldown)


def _update(transaction: Transaction, over_limit: bool, calm: bool, cooldown: float) -> bool:
    ((was_active, calm_since),) = transaction.rows("SELECT active, calm_since FROM storm")
    if over_limit or (was_active and not calm):
        active, since = True, None
    else:
        since = calm_since if calm_since is not None else transaction.at
        active = bool(was_active) and transaction.at - since < cooldown
    transaction.db.execute("UPDATE storm SET active=?, calm_since=?", (active, since))
    if bool(was_active) != active:
        reason = "a storm begins" if active else "the storm is over"
        entries.append(transaction, "storm", None, AGENT, reason, {"on": active})
    return active


def is_active(view: View) -> bool:
    """Whether there was a storm when the failing targets were last recorded."""
    return bool(view.value("SELECT active FROM storm"))
