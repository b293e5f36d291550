"""The agent's side of the web: what it shows, and the metrics about itself."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client.core import Metric

from xenwatch.agent import partmetrics
from xenwatch.agent.config import Config
from xenwatch.agent.listening import limits_of, listener_families, tls_of
from xenwatch.agent.remedymetrics import remediation_families
from xenwatch.agent.selfmetrics import SelfMetrics, agent_families
from xenwatch.agent.status import status_of
from xenwatch.base.errors import InputError, StoreError
from xenwatch.journal.query import find_incident
from xenwatch.journal.store import Store
from xenwatch.journal.writer import Writer
from xenwatch.web.app import build_app, build_bare, is_loopback, serve
from xenwatch.web.door import Door
from xenwatch.web.metrics import Exposition
from xenwatch.web.view import Check, Happened, View

if TYPE_CHECKING:
    from xenwatch.agent.agent import Agent

STATE_DEADLINE = 5.0


class FrontDesk:
    """Answers for one agent. The agent's work may be replaced by a reload, so it is asked for each time."""

    def __init__(self, agent: "Agent", store: Store, writer: Writer, state_dir: Path) -> None:
        self._agent, self._store, self._writer, self._state_dir = agent, store, writer, state_dir
        self.metrics = SelfMetrics([self._families])
        self.exposition = Exposition(self.metrics.render)
        self.doors: dict[str, Door] = {}
        """What listens, by the section of the configuration."""

    async def open(self, config: Config) -> int:
        """Start serving; the port. Unavailable where an address is taken or a certificate cannot be used."""
        remedy, settings = self._agent.remedy, config.web
        webhooks, (host, port) = remedy.hook_routes(config.hooks.deliveries_per_minute), settings.listen
        app = build_app(
            self._view(),
            loopback=is_loopback(host),
            largest_request=settings.largest_request,
            readers=remedy.people if settings.log_in == "token" else None,
            more=[*remedy.routes(), *(webhooks if config.hooks.listen is None else [])],
        )
        limits = limits_of(settings)
        door, port = await serve(app, host, port, limits=limits, tls=tls_of(settings))
        self.doors["web"] = door
        if config.hooks.listen is not None and webhooks:
            host, hooks_port = config.hooks.listen
            apart = build_bare(webhooks, loopback=is_loopback(host))
            self.doors["hooks"], _ = await serve(apart, host, hooks_port, limits=limits, tls=tls_of(config.hooks))
        return port

    async def close(self) -> None:
        """Stop serving."""
        for door in self.doors.values():
            await door.close()

    def _view(self) -> View:
        return View(
            exposition=self.exposition,
            health=self._health,
            ready=self._ready,
            incidents=self._agent.ledger.ranked,
            history=self._history,
            acknowledge=self._agent.acknowledge,
            status=self._status,
        )

    def _health(self) -> Sequence[Check]:
        """State that cannot be written is shown and counted, and is no reason to start the agent again."""
        last = self._writer.last_commit
        age = None if last is None else self._agent.clock.monotonic() - last
        waiting = f"{self._writer.waiting} incidents wait for the disk" if self._writer.failing else ""
        return [*self._agent.progress.checks(), Check("state", not self._writer.failing, age, waiting)]

    def _ready(self) -> str | None:
        waiting = {"logs": "the first look at the logs", "sampling": "the first sampling cycle"}
        return next((words for part, words in waiting.items() if not self._agent.progress.has(part)), None)

    def _status(self) -> Mapping[str, Any]:
        return status_of(self._agent.work, self._agent.ledger)

    async def _history(self, incident: str) -> Sequence[Happened]:
        """What is not on disk yet is not in it."""
        try:
            async with asyncio.timeout(STATE_DEADLINE):
                _, changes = await asyncio.to_thread(find_incident, self._state_dir, incident)
        except (InputError, StoreError, TimeoutError):
            return []
        return [Happened(change.at, change.what, change.detail) for change in changes]

    def _families(self) -> Iterator[Metric]:
        agent, clock = self._agent, self._agent.clock
        pipeline = agent.work.pipeline
        counts = partmetrics.DiagnosisCounts(
            pipeline.matches, pipeline.engine.failures, pipeline.scanner.unmatched_total, agent.work.rules
        )
        for families in (
            partial(agent_families, agent.counters),
            partial(partmetrics.log_families, agent.work.follower.counters, agent.counters),
            partial(partmetrics.diagnosis_families, counts),
            partial(partmetrics.incident_families, agent.ledger),
            partial(
                partmetrics.state_families, self._writer, self._store, agent.counters, clock.now() - clock.monotonic()
            ),
            partial(partmetrics.exposition_families, self.exposition),
            partial(listener_families, self.doors),
            partial(remediation_families, agent.remedy.figures),
        ):
            yield from families()
