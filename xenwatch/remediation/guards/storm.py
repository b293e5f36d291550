"""Storm: when much fails at once, one cause is behind it, and restarting everything would only make it worse."""

from collections.abc import Collection

from xenwatch.remediation.policy.policy import StormLimit
from xenwatch.remediation.store.transaction import Transaction


def note_failing(tx: Transaction, failing: Collection[str], watched: int, limit: StormLimit) -> bool:
    """Take in which targets fail now, of how many watched; true while a storm is on. It ends after a calm cooldown."""
    tx.db.executemany(
        "INSERT INTO failing VALUES(?,?) ON CONFLICT(target) DO UPDATE SET at=excluded.at",
        [(t, tx.at) for t in failing],
    )
    tx.db.execute("DELETE FROM failing WHERE at <= ?", (tx.at - limit.within,))
    recent = int(tx.one("SELECT count(*) FROM failing"))
    rough = recent >= limit.min_count and recent > limit.max_unhealthy * max(watched, 1)
    return _settle(tx, rough, calm=not failing and not rough, cooldown=limit.cooldown)


def _settle(tx: Transaction, rough: bool, calm: bool, cooldown: float) -> bool:
    was, calm_since = tx.db.execute("SELECT active, calm_since FROM storm").fetchone()
    if rough or (was and not calm):
        on, since = True, None
    else:
        since = calm_since if calm_since is not None else tx.at
        on = bool(was) and tx.at - since < cooldown
    tx.db.execute("UPDATE storm SET active=?, calm_since=?", (on, since))
    if bool(was) != on:
        tx.entry("storm", None, "xenwatch", "storm begins" if on else "storm is over", {"on": on})
    return on


def is_on(tx: Transaction) -> bool:
    """Whether a storm is on by the last that was taken in."""
    return bool(tx.one("SELECT active FROM storm"))
