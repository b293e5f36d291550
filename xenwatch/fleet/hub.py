"""The hub: every one follows the fleet; the one that is elected writes what the hosts' incidents have in common.

It is elected by a key on its lease. Each of its writes is a transaction that holds only while that very key exists, so
a hub that slept through its lease writes nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Container, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from xenwatch.base.clock import Clock
from xenwatch.fleet.claims import LEADER
from xenwatch.fleet.etcd import EtcdClient, EtcdError, LeaderLost, created_at, in_transactions, put_operation
from xenwatch.fleet.incident import FleetIncident, judged
from xenwatch.fleet.patience import Patience
from xenwatch.fleet.rule import FleetRule
from xenwatch.fleet.spread import Spread
from xenwatch.fleet.storm import COOLDOWN_SECONDS, STORM, StormWatch
from xenwatch.fleet.targets import Targets
from xenwatch.fleet.view import FleetView, Part

log = logging.getLogger(__name__)

LEASE_SECONDS = 10
RESOLVED_SECONDS = 86_400
"""An incident of the fleet that is over is kept for a day."""
_GATHER_SECONDS = 0.2
"""A storm is judged in a few parts, not once for each line of it."""
_PAUSE = 1.0
_STORM_AGAIN_SECONDS = 60.0
_FAREWELL_SECONDS = 2.0
"""Without it the next hub waits until the lease is over."""


class Hub:
    """One of any number; `run` goes on until it is cancelled."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], EtcdClient],
        rules: Sequence[FleetRule],
        clock: Clock,
        *,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        self._name, self._connect, self._rules = name, connect, rules
        self._clock, self._lease_seconds = clock, lease_seconds
        self._wake = asyncio.Event()
        self.view = FleetView(self._changed)
        self.targets, self.spread = Targets(clock), Spread(clock)
        self._patience = Patience({rule.id: rule.hold for rule in rules}, clock)
        self.is_leader = False
        self.failures = 0
        self._storm, self._storm_told = StormWatch(clock), 0.0

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock.now()

    def verify(self, rule: str) -> tuple[str, ...]:
        """What shows whether a rule of the fleet is right, by its id; nothing for one that is not known here."""
        return next((one.verify for one in self._rules if one.id == rule), ())

    def _changed(self, parts: Container[Part]) -> None:
        if "hosts" in parts:
            self.targets.note(self.view.hosts)
        if "fleet" in parts:
            self.spread.note(self.view.fleet)
        if "incidents" in parts or "facts" in parts:
            self._wake.set()

    async def run(self) -> None:
        """Follow the fleet, and lead it whenever nobody else does."""
        client = self._connect()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._again(lambda: self.view.follow(client)))
                group.create_task(self._again(lambda: self._lead(client)))
        finally:
            await client.close()

    async def _again(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await work()
            except EtcdError as error:
                self.failures += 1
                log.info("etcd: %s", error)
            await self._clock.sleep(_PAUSE)

    async def _lead(self, client: EtcdClient) -> None:
        """Wait until nobody leads, lead, and end when the lease or the key is lost."""
        lease = await client.grant_lease(self._lease_seconds)
        try:
            while not await client.transact([created_at(LEADER, 0)], [put_operation(LEADER, self._name, lease)]):
                await self._clock.sleep(self._lease_seconds / 4)
                if not await client.keep_alive(lease):
                    return
            term = (await client.list_below(LEADER)).keys[0].created
            self.is_leader = True
            self._storm, self._storm_told = StormWatch(self._clock), -_STORM_AGAIN_SECONDS
            log.info("this hub (%s) leads the fleet", self._name)
            while await client.keep_alive(lease):
                await self._rounds(client, term, self._clock.monotonic() + self._lease_seconds / 4)
        finally:
            self.is_leader = False
            with suppress(EtcdError, TimeoutError):
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await client.revoke(lease)

    async def _rounds(self, client: EtcdClient, term: int, until: float) -> None:
        """One after the other until then; of a very large fleet's one lasts long, and half of the time is left free."""
        while (began := self._clock.monotonic()) < until:
            self._wake.clear()
            await self._write_changes(client, term)
            took = self._clock.monotonic() - began
            with suppress(TimeoutError):
                async with asyncio.timeout(until - began - took):  # wait_for of Python 3.11 may lose a cancellation
                    await self._wake.wait()
                await self._clock.sleep(max(_GATHER_SECONDS, took))

    async def _write_changes(self, client: EtcdClient, term: int) -> None:
        if not self.view.is_current:
            return
        await self._brake(client, term)
        known = self.view.fleet
        found = judged(self._rules, list(self.view.incidents.values()), dict(known), self.view.facts)
        lasting = self._patience.lasting(found, known)
        await self._write(client, term, [one for id_, one in lasting.items() if known.get(id_) != one])

    async def _brake(self, client: EtcdClient, term: int) -> None:
        words, now = self._storm.words(self.view.incidents, len(self.view.hosts)), self._clock.monotonic()
        if words is None or now - self._storm_told < _STORM_AGAIN_SECONDS:
            return
        put = put_operation(STORM, words, await client.grant_lease(COOLDOWN_SECONDS))
        if not await client.transact([created_at(LEADER, term)], [put]):
            raise LeaderLost("another hub leads the fleet")
        self._storm_told = now
        log.warning("a storm over the fleet: %s; nothing starts by itself", words)

    async def _write(self, client: EtcdClient, term: int, changed: Sequence[FleetIncident]) -> None:
        """In few transactions, what is open first: somebody waits for that."""
        lease = 0 if all(one.is_open for one in changed) else await client.grant_lease(RESOLVED_SECONDS)
        for part in in_transactions((one, one.as_json()) for one in sorted(changed, key=lambda one: not one.is_open)):
            puts = [put_operation(one.etcd_key, text, 0 if one.is_open else lease) for one, text in part]
            if not await client.transact([created_at(LEADER, term)], puts):
                raise LeaderLost("another hub leads the fleet")
            self.view.fleet |= {one.id: one for one, _ in part}
