"""The agent's side of the fleet: holds a lease, and keeps what the host says of itself in etcd under its own prefix.

Nothing waits for it: `offer` only notes what is to be written. While etcd is away, hangs, is full or comes back empty,
the agent goes on as if there were no fleet; afterwards everything that is true then is written, once.
"""

import asyncio
import json
import logging
import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from xenwatch.base.clock import Clock
from xenwatch.fleet.etcd import EtcdClient, EtcdError, EtcdFull, delete_operation, in_transactions, put_operation
from xenwatch.fleet.host_report import facts_key, facts_text, host_prefix, incident_key, incident_text, self_key
from xenwatch.model.incident import Incident

log = logging.getLogger(__name__)

LEASE_SECONDS = 30
MOST_INCIDENTS = 500
CLOSED_SECONDS = 600.0
"""So long an incident that is over stays, so that a hub that was away sees it end."""
_LONGEST_PAUSE = 30.0


class NoFleet:
    """In the place of a registry where the host belongs to no fleet."""

    def offer(self, incidents: Iterable[Incident]) -> None:
        """Nobody hears of them."""

    def tell(self, facts: Mapping[str, Iterable[str]]) -> None:
        """Nobody hears of them."""

    async def run(self) -> None:
        """Ends at once."""


class HostRegistry:
    """Runs beside the agent; `run` never ends and never raises for anything that etcd does."""

    def __init__(
        self,
        host: str,
        connect: Callable[[], EtcdClient],
        clock: Clock,
        *,
        about: Mapping[str, str] | None = None,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        """`about`: address and versions of this host, for the hub's lists."""
        self._host, self._connect, self._clock, self._lease_seconds = host, connect, clock, lease_seconds
        self._self = json.dumps(dict(about or {}), sort_keys=True)
        self._incidents: dict[str, Incident] = {}
        self._facts = ""
        self._wake = asyncio.Event()
        self.is_connected = False
        self.failures = 0
        """How often etcd did not do what was asked."""

    def offer(self, incidents: Iterable[Incident]) -> None:
        """These changed. It returns at once and never fails."""
        for incident in incidents:
            if not incident.diagnosis.guest_told:  # a guest could make a fleet's page, or hide one
                self._incidents[incident.id] = incident
        if len(self._incidents) > MOST_INCIDENTS:
            self._bound()
        self._wake.set()

    def tell(self, facts: Mapping[str, Iterable[str]]) -> None:
        """What this host has that others may have too. It returns at once and never fails."""
        text = facts_text(facts)
        if text != self._facts:
            self._facts = text
            self._wake.set()

    async def run(self) -> None:
        """Session after session, with a growing pause between those that fail."""
        client, pause = self._connect(), 0.5
        try:
            while True:
                try:
                    await self._session(client)
                    pause = 0.5
                except EtcdError as error:
                    self.failures += 1
                    if self.is_connected:
                        log.warning("The fleet's etcd does not answer; this host goes on alone: %s", error)
                        pause = 0.5
                self.is_connected = False
                await self._clock.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  five hundred hosts must not come at once
                pause = min(pause * 2, _LONGEST_PAUSE)
        finally:
            await client.close()

    async def _session(self, client: EtcdClient) -> None:
        """Until the lease is lost. Everything is written under it first: etcd may have been empty."""
        lease = await client.grant_lease(self._lease_seconds)
        written = {kv.key: "" for kv in (await client.list_below(host_prefix(self._host))).keys}
        while await client.keep_alive(lease):
            await self._tell(client, lease, written, self._clock.monotonic() + self._lease_seconds / 3)

    async def _tell(self, client: EtcdClient, lease: int, written: dict[str, str], until: float) -> None:
        """Each change as it comes, until then. An etcd that is full does not end the session: what it has stays."""
        while self._clock.monotonic() < until:
            self._wake.clear()
            try:
                await self._write(client, lease, written)
                self.is_connected = True
            except EtcdFull as error:
                self.failures += 1
                if self.is_connected:
                    log.warning("The fleet's etcd has no room; it hears of this host's changes later: %s", error)
                self.is_connected = False
            with suppress(TimeoutError):
                async with asyncio.timeout(
                    until - self._clock.monotonic()
                ):  # wait_for of Python 3.11 may lose a cancellation
                    await self._wake.wait()

    async def _write(self, client: EtcdClient, lease: int, written: dict[str, str]) -> None:
        """Only what differs from what this session has written, in few calls. A deletion needs no room: it is first."""
        wanted = self._wanted()
        for gone in in_transactions([(key, "") for key in written if key not in wanted]):
            await client.transact([], [delete_operation(key) for key, _ in gone])
            for key, _ in gone:
                del written[key]
        for changed in in_transactions([(key, text) for key, text in wanted.items() if written.get(key) != text]):
            await client.transact([], [put_operation(key, text, lease) for key, text in changed])
            written |= changed

    def _wanted(self) -> dict[str, str]:
        self._bound()
        incidents = {incident_key(self._host, id_): incident_text(i) for id_, i in self._incidents.items()}
        facts = {facts_key(self._host): self._facts} if self._facts else {}
        return {self_key(self._host): self._self, **facts, **incidents}

    def _bound(self) -> None:
        """Without those that ended long ago; of too many, the open ones stay first, then the latest."""
        since = self._clock.now() - CLOSED_SECONDS
        kept = [i for i in self._incidents.values() if i.state != "resolved" or (i.resolved or i.last_seen) >= since]
        kept.sort(key=lambda i: (i.state == "resolved", -i.last_seen))
        self._incidents = {incident.id: incident for incident in kept[:MOST_INCIDENTS]}
