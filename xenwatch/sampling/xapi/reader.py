"""Reads one pool once a cycle: what changed, the numbers of each host, and the samples that follow."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError
from xenwatch.host.xapi.client import XapiClient
from xenwatch.host.xapi.feed import PoolFeed, RecordChange
from xenwatch.host.xapi.names import PoolNames
from xenwatch.host.xapi.records import Record
from xenwatch.model.sample import Sample
from xenwatch.sampling.xapi import families as f
from xenwatch.sampling.xapi.columns import ColumnNames
from xenwatch.sampling.xapi.figures import HostFigures
from xenwatch.sampling.xapi.guests import GuestSamples
from xenwatch.sampling.xapi.hosts import host_samples, pool_samples
from xenwatch.sampling.xapi.storage import storage_samples


@dataclass(frozen=True, slots=True)
class PoolReading:
    """What one cycle brought."""

    samples: Sequence[Sample]
    changes: Sequence[RecordChange] = ()
    error: HostError | None = None
    """Why the master did not answer; the samples then tell only that."""


@dataclass(slots=True)
class _Objects:
    """Samples of the pool's objects, made again when one of them changed."""

    version: int = -1
    samples: list[Sample] = field(default_factory=list)


class PoolReader:
    """`read()` once a cycle, inside of the event loop of the client."""

    def __init__(self, client: XapiClient, clock: Clock, tags: Sequence[str] = ()) -> None:
        self.pool, self.feed = client.access.name, PoolFeed(client)
        self._client, self._clock = client, clock
        self._guests, self._objects = GuestSamples(self.pool, tags), _Objects()
        self._figures: dict[str, HostFigures] = {}
        self._last_success: float | None = None
        self.names = PoolNames(self.feed.records)
        self._column_names = self._shared_names()

    async def read(self) -> PoolReading:
        """Never raises what a host or a network may do."""
        try:
            changes = await self.feed.update()
        except HostError as error:
            return PoolReading(list(self._about(up=False)), error=error)
        self._last_success = self._clock.now()
        if self._objects.version != self.feed.version:
            self.names = PoolNames(self.feed.records)
            self._objects = _Objects(self.feed.version, self._of_objects())
            self._column_names = self._shared_names()
        figures = await self._read_figures()
        return PoolReading([*self._about(up=True), *self._objects.samples, *figures], changes)

    def _of_objects(self) -> list[Sample]:
        records, names = self.feed.records, self.names
        return [
            *pool_samples(records, names, self.pool),
            *host_samples(records, names, self.pool),
            *storage_samples(records, names, self.pool),
            *self._guests.of_all(records, names),
        ]

    def _about(self, *, up: bool) -> Iterator[Sample]:
        """How the asking itself goes."""
        pool = (self.pool,)
        yield Sample(f.POOL_UP, pool, float(up))
        yield Sample(f.EVENTS_LOST, pool, float(self.feed.counts.lost))
        yield Sample(f.LOGINS, pool, float(self._client.logins))
        if self._last_success is not None:
            yield Sample(f.POOL_AGE, pool, self._last_success)

    async def _read_figures(self) -> list[Sample]:
        """All hosts side by side; each has its own deadline, and one that is known to be dead is not asked."""
        asked = [(ref, host) for ref, host in self.feed.records.of("host").items() if self._is_live(host)]
        self._figures = {ref: self._figures_of(ref, host) for ref, host in asked}
        shared = self._column_names
        answers = await asyncio.gather(
            *(self._figures[ref].read(shared._replace(host=self.names.hosts[ref])) for ref, _ in asked)
        )
        told = [
            Sample(f.FIGURES_UP, (self.names.hosts[ref], self.pool), float(self._figures[ref].up)) for ref, _ in asked
        ]
        for answer in answers:
            told += answer
        return told

    def _is_live(self, host: Record) -> bool:
        metrics = self.feed.records.get("host_metrics", host["metrics"])
        return bool(host.get("address")) and (metrics is None or bool(metrics["live"]))

    def _figures_of(self, ref: str, host: Record) -> HostFigures:
        known = self._figures.get(ref)
        return known or HostFigures(self._client, self._client.address_of(str(host["address"])), self._clock)

    def _shared_names(self) -> ColumnNames:
        guests, repositories = self.feed.records.of("vm"), self.feed.records.of("sr")
        return ColumnNames(
            self.pool,
            "",
            {str(guests[ref]["uuid"]): name for ref, name in self.names.guests.items()},
            {str(repositories[ref]["uuid"])[:8]: name for ref, name in self.names.repositories.items()},
        )
