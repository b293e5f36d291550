"""What each round does first: end what waited too long, forget what is old, tell the fleet what it must know."""

from collections.abc import Container

from xenwatch.base.clock import Clock
from xenwatch.model.action import AGENT
from xenwatch.model.coordination import Coordinator
from xenwatch.remediation.guards import kill_switch
from xenwatch.remediation.store import runs, triggers
from xenwatch.remediation.store.async_store import AsyncRunStore
from xenwatch.remediation.store.retention import drop_old
from xenwatch.remediation.store.transaction import Transaction


def expire(transaction: Transaction, starting: Container[str]) -> None:
    """Runs that nobody approved in time, but for those that are starting; and what is old."""
    for run, trigger_key in runs.expired(transaction):
        if run not in starting:
            runs.move(transaction, run, "expired", AGENT, "nobody approved it in time")
            triggers.set_handled(transaction, trigger_key, False)
    drop_old(transaction)


async def tell_fleet(fleet: Coordinator, store: AsyncRunStore, clock: Clock) -> None:
    """Which slots this host still holds, and what is in maintenance on it."""

    async def holding() -> frozenset[str]:
        return await store.read(runs.holding_slots)

    if fleet.is_fleet:
        await fleet.settle(holding, await store.read(lambda view: kill_switch.maintained(view, clock.now())))
