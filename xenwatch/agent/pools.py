"""The pools of [xapi.NAME]: reads each in cycles, and hands on samples, log lines and facts."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, Protocol

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError
from xenwatch.config.sections import Config
from xenwatch.config.xapi import XapiSettings, access_of
from xenwatch.facts.xapi import pool_facts
from xenwatch.host.xapi.client import XapiClient, XapiLoginRefused
from xenwatch.host.xapi.clocks import clock_offsets
from xenwatch.host.xapi.feed import RecordChange
from xenwatch.logs.format import all_formats
from xenwatch.logs.sources.xapi_events import event_lines
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.model.sample import Sample
from xenwatch.sampling.xapi.reader import PoolReader

log = logging.getLogger(__name__)

REFUSED_SECONDS = 300.0
"""After a refused login nothing is tried for so long: some directories lock an account after a few attempts."""


class PoolListener(Protocol):
    """Who hears of pools: the monitor."""

    def take_lines(self, chunk: Chunk) -> None:
        """Lines of a log."""

    def take_facts(self, facts: Sequence[Fact]) -> None:
        """What was learnt of a pool."""


Listening = Callable[[], PoolListener]
"""Asked each time: a reload replaces the monitor."""


def repairable(incidents: Iterable[Incident], pools: Collection[str] = ()) -> list[Incident]:
    """Of this host, and of pools that may be acted on. What is of another pool is nobody's here, whatever its name."""
    return [one for one in incidents if one.diagnosis.subject.host is None or one.diagnosis.subject.host in pools]


class Pools:
    """`parts()` run beside the agent's others; `samples()` are the last ones of all pools."""

    def __init__(self, config: Config, clock: Clock, listener: Listening, fresh: Callable[[], None]) -> None:
        """`fresh` is called when there are new samples. InputError where a file of the configuration cannot be used."""
        self._fresh, every = fresh, config.sampling.facts_every
        self._watched = {name: _Watched(name, one, clock, every, listener) for name, one in config.xapi.items()}

    def parts(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """One for each pool: a pool that hangs holds up no other."""
        return {f"pool {name}": partial(one.run, self._fresh) for name, one in self._watched.items()}

    def by_name(self) -> dict[str, Sequence[Sample]]:
        """Of the last cycle, by the name of the pool."""
        return {name: one.samples for name, one in self._watched.items()}

    def samples(self) -> list[Sample]:
        """Of the last cycle of each pool."""
        return [sample for one in self._watched.values() for sample in one.samples]


class _Watched:
    """One pool."""

    def __init__(
        self, name: str, settings: XapiSettings, clock: Clock, facts_every: float, listener: Listening
    ) -> None:
        self._name, self._settings, self._clock, self._listener = name, settings, clock, listener
        self._facts_every = facts_every
        self._access = access_of(name, settings)
        self._source = Source(f"xapi:{name}", all_formats()["xapi"], host=name)
        self._offset = 0
        self._facts_due = 0.0
        self._error = ""
        self.samples: Sequence[Sample] = ()

    async def run(self, fresh: Callable[[], None]) -> None:
        """Until cancelled; the session is closed then."""
        client = XapiClient(self._access)
        reader = PoolReader(client, self._clock, self._settings.tags)
        try:
            while True:
                started = self._clock.monotonic()
                pause = await self._cycle(client, reader)
                fresh()
                await self._clock.sleep(max(pause - (self._clock.monotonic() - started), 1.0))
        finally:
            self.samples = ()
            await client.close()

    async def _cycle(self, client: XapiClient, reader: PoolReader) -> float:
        """Seconds from the beginning of this one to that of the next."""
        reading = await reader.read()
        self.samples = reading.samples
        self._note(reading.error)
        if reading.error is not None:
            return REFUSED_SECONDS if isinstance(reading.error, XapiLoginRefused) else self._settings.every
        if self._settings.events:
            self._tell(reading.changes, reader)
        now = self._clock.monotonic()
        if now >= self._facts_due:
            self._facts_due = now + self._facts_every
            records, names = reader.feed.records, reader.names
            clocks = await clock_offsets(client, records, self._clock)
            self._listener().take_facts(
                await asyncio.to_thread(pool_facts, records, names, self._name, self._clock.now(), clocks)
            )
        return self._settings.every

    def _note(self, error: HostError | None) -> None:
        """Once for each reason: a pool that is down for a night does not fill the log."""
        words = "" if error is None else str(error)
        if words and words != self._error:
            log.warning("pool %s is not watched: %s", self._name, words)
        elif self._error and not words:
            log.info("pool %s is watched again", self._name)
        self._error = words

    def _tell(self, changes: Iterable[RecordChange], reader: PoolReader) -> None:
        lines = list(event_lines(changes, reader.feed.records, reader.names, self._clock.now()))
        if not lines:
            return
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
        self._listener().take_lines(
            Chunk(self._source, data, Position("events", self._offset, 0), TimeHint(self._clock.now()))
        )
        self._offset += len(data)
