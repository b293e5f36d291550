"""Keeps hosts from acting at once: a lease on the target and a slot of the fleet's budget, by etcd's word alone.

The lease lives only while its holder keeps it alive; its token rises, and the host that an order reaches refuses an
older one. A slot lives until the run is known to have succeeded or to have done nothing: what failed or is unknown
holds it until a person frees it. Without a majority of etcd nothing is granted that another host might do too.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from xenwatch.base.clock import Clock
from xenwatch.fleet.claims import (
    ACTION,
    EPOCH,
    LEADER,
    SLOTS,
    STARTS,
    all_taken,
    compares,
    epoch_text,
    free_numbers,
    lease_key,
    slot_of,
    spread,
    token_of,
    why_not,
    writes,
)
from xenwatch.fleet.etcd import (
    EtcdClient,
    EtcdError,
    KeyValue,
    created_at,
    delete_operation,
    put_operation,
    read_operation,
)
from xenwatch.fleet.host_report import self_key
from xenwatch.fleet.maintenance import tell_maintenance
from xenwatch.fleet.storm import STORM
from xenwatch.model.coordination import Claim, Denied, Grant, Holding, MaintenanceNotice

T = TypeVar("T")
log = logging.getLogger(__name__)

LEASE_SECONDS = 30
_LONGEST_CALL = 12.0
"""Seconds for all that one question asks of etcd; then etcd counts as away."""
_TRIES = 5


class FleetCoordinator:
    """One for each agent. Its client is made in the event loop, with the first question."""

    is_fleet = True

    def __init__(
        self, host: str, connect: Callable[[], EtcdClient], clock: Clock, *, lease_seconds: int = LEASE_SECONDS
    ) -> None:
        self._host, self._connect, self._clock, self._lease_seconds = host, connect, clock, lease_seconds
        self._client: EtcdClient | None = None
        self._held: dict[str, tuple[int, int, asyncio.Task[None]]] = {}
        """By run: the lease of etcd, the revision at which the key was created, and what keeps it alive."""
        self._busy: set[str] = set()
        """Runs between their claim and their end: nobody else touches their slots."""
        self._told: tuple[MaintenanceNotice, ...] | None = None
        self._may_hold_slots = True

    async def take(self, claim: Claim) -> Grant | Denied:
        """A lease on the target and a slot, both or none. Without a majority only what this host alone can do."""
        if claim.host != self._host:
            return Denied("coordination", f"the policy calls this host {claim.host}, and [fleet] host {self._host}")
        self._busy.add(claim.run)
        outcome = await self._taken(claim)
        if isinstance(outcome, Denied):
            self._busy.discard(claim.run)
        return outcome

    async def _taken(self, claim: Claim) -> Grant | Denied:
        try:
            return await self._within(self._take(claim))
        except (EtcdError, TimeoutError) as error:
            if claim.needs_lease:
                why = str(error) or "no answer in time"
                return Denied("coordination", f"etcd has no majority here, so only local actions start: {why}")
            return Grant(claim.run, claim.target)

    async def holds(self, grant: Grant) -> bool:
        """By a read of the majority: what this host believes of itself does not count."""
        if not grant.token:
            return True
        held = self._held.get(grant.run)
        try:
            return held is not None and await self._within(self._is_ours(grant, held[1]))
        except (EtcdError, TimeoutError):
            return False

    async def release(self, grant: Grant) -> None:
        """Others may act on the target now; where etcd is away, as soon as the lease is over."""
        self._busy.discard(grant.run)
        held = self._held.pop(grant.run, None)
        if held is not None:
            held[2].cancel()
            with suppress(EtcdError, TimeoutError):
                await self._within(self._etcd().revoke(held[0]))

    async def settle(self, holding: Holding, maintenance: tuple[MaintenanceNotice, ...]) -> None:
        """Called every few seconds; it asks etcd only where something may differ."""
        if not self._may_hold_slots and maintenance == self._told:
            return
        try:
            await self._within(self._settle(holding, maintenance))
        except (EtcdError, TimeoutError) as error:
            self._may_hold_slots = True
            log.info("the fleet is told later: %s", error)

    async def close(self) -> None:
        """Leases end by themselves: an order may still be on its way."""
        for _lease, _created, task in self._held.values():
            task.cancel()
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _take(self, claim: Claim) -> Grant | Denied:
        client = self._etcd()
        lease = await client.grant_lease(self._lease_seconds) if claim.needs_lease else 0
        window = await client.grant_lease(int(claim.window)) if claim.most_in_window else 0
        outcome: Grant | Denied = Denied("coordination", "others were faster, five times in a row")
        self._may_hold_slots = True  # from here on an answer may be lost after the write
        for _ in range(_TRIES):
            answer = await self._try(claim, (lease, window))
            if answer is not None:
                outcome = answer
                break
        if isinstance(outcome, Denied):
            for unused in filter(None, (lease, window)):
                await client.revoke(unused)
        return outcome

    async def _try(self, claim: Claim, leases: tuple[int, int]) -> Grant | Denied | None:
        """None: somebody wrote in between."""
        client = self._etcd()
        keys = (await client.list_below(ACTION)).keys
        epoch = next((kv for kv in keys if kv.key == EPOCH), None)
        if epoch is None:
            put = put_operation(EPOCH, epoch_text(self._clock.now()))
            await client.transact([created_at(EPOCH, 0)], [put])
            return None
        if (denied := why_not(claim, await self._found(claim, keys))) is not None:
            return denied
        slots = [kv for kv in keys if kv.key.startswith(SLOTS)]
        starts = [kv for kv in keys if kv.key.startswith(STARTS)]
        free, left = free_numbers(slots, SLOTS, claim.most_at_once), free_numbers(starts, STARTS, claim.most_in_window)
        if not free:
            return all_taken(claim, slots)
        if claim.most_in_window and not left:
            return Denied("budget", f"fleet: {claim.most_in_window} runs of all hosts in {claim.window:g} s are used")
        slot, start = spread(claim.run, free), spread(claim.run, left) if left else None
        wanted = [*compares(claim, slot, start), created_at(EPOCH, epoch.created)]
        revision = await client.revision_of(wanted, writes(claim, slot, start, leases))
        return None if revision is None else self._granted(claim, leases[0], epoch.value, revision)

    async def _found(self, claim: Claim, keys: tuple[KeyValue, ...]) -> dict[str, str]:
        others = [LEADER, STORM, *((self_key(claim.to),) if claim.to else ())]
        found = [kv for prefix in others for kv in (await self._etcd().list_below(prefix)).keys]
        return {kv.key: kv.value for kv in (*keys, *found)}

    def _granted(self, claim: Claim, lease: int, epoch: str, revision: int) -> Grant:
        if not claim.needs_lease:
            return Grant(claim.run, claim.target)
        self._held[claim.run] = (lease, revision, asyncio.create_task(self._keep(lease)))
        return Grant(claim.run, claim.target, token_of(epoch, revision))

    async def _keep(self, lease: int) -> None:
        """Until it is released; where etcd does not answer, the lease ends and `holds` says so."""
        while True:
            await self._clock.sleep(self._lease_seconds / 3)
            with suppress(EtcdError, TimeoutError):
                if not await self._within(self._etcd().keep_alive(lease)):
                    return

    async def _is_ours(self, grant: Grant, created: int) -> bool:
        """The read is what makes etcd ask its majority: a transaction without one is answered by a member alone."""
        key = lease_key(grant.target)
        return await self._etcd().transact([created_at(key, created)], [read_operation(key)])

    async def _settle(self, holding: Holding, maintenance: tuple[MaintenanceNotice, ...]) -> None:
        await self._free(holding)
        if maintenance != self._told:
            await tell_maintenance(self._etcd(), self._host, maintenance, self._clock.now())
            self._told = maintenance

    async def _free(self, holding: Holding) -> None:
        """In this order: a slot that is listed and not busy has a run that the store knows by then."""
        client = self._etcd()
        self._may_hold_slots = False  # a claim that comes in while this goes on sets it again
        mine = self._mine((await client.list_below(SLOTS)).keys)
        busy = frozenset(self._busy)
        kept = busy | await holding()
        self._may_hold_slots |= any(run in kept for run, _kv in mine)
        for run, kv in mine:
            if run not in kept:
                await client.transact([created_at(kv.key, kv.created)], [delete_operation(kv.key)])

    def _mine(self, keys: Sequence[KeyValue]) -> list[tuple[str, KeyValue]]:
        slots = [(slot_of(kv), kv) for kv in keys]
        return [(slot.run, kv) for slot, kv in slots if slot is not None and slot.host == self._host]

    def _etcd(self) -> EtcdClient:
        if self._client is None:
            self._client = self._connect()
        return self._client

    async def _within(self, work: Coroutine[Any, Any, T]) -> T:
        async with asyncio.timeout(_LONGEST_CALL):
            return await work
