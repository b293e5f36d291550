"""The agent's side of the web: what it shows, and the metrics about itself."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client.core import Metric

from xenwatch.agent.incident_registry import IncidentRegistry
from xenwatch.agent.liveness import Liveness
from xenwatch.agent.metrics import families as partmetrics
from xenwatch.agent.metrics.listeners import listener_families
from xenwatch.agent.metrics.registry import AgentCounters, SelfMetrics, agent_families
from xenwatch.agent.metrics.remediation import remediation_families
from xenwatch.agent.monitor import Monitor
from xenwatch.agent.remediation import RemediationController
from xenwatch.agent.status import status_of
from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError, StoreError
from xenwatch.config.listeners import limits_of, tls_of
from xenwatch.config.sections import Config
from xenwatch.model.incident import Incident
from xenwatch.state.query import find_incident
from xenwatch.state.store import Store
from xenwatch.state.writer import Writer
from xenwatch.web.app import build_app, build_bare, is_loopback, serve
from xenwatch.web.context import HistoryEntry, PartHealth, WebContext
from xenwatch.web.exposition import Exposition
from xenwatch.web.listener import Listener

STATE_DEADLINE = 5.0


@dataclass(frozen=True, slots=True)
class ServedState:
    """What stands behind the desk: the parts that it shows, and the one thing that it can have done."""

    clock: Clock
    counters: AgentCounters
    progress: Liveness
    ledger: IncidentRegistry
    remedy: RemediationController
    store: Store
    writer: Writer
    state_dir: Path
    work: Callable[[], Monitor]
    """Asked for each time: a reload replaces it."""
    acknowledge: Callable[[str, str], Incident | None]
    """Incident and who looks after it; None where there is no such incident."""


class AgentServer:
    """Answers for one agent."""

    def __init__(self, behind: ServedState) -> None:
        self._behind = behind
        self.metrics = SelfMetrics([self._families])
        self.exposition = Exposition(self.metrics.render)
        self.listeners: dict[str, Listener] = {}
        """What listens, by the section of the configuration."""

    async def open(self, config: Config) -> int:
        """Start serving; the port. Unavailable where an address is taken or a certificate cannot be used."""
        remedy, settings = self._behind.remedy, config.web
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
        self.listeners["web"] = door
        if config.hooks.listen is not None and webhooks:
            host, hooks_port = config.hooks.listen
            apart = build_bare(webhooks, loopback=is_loopback(host))
            self.listeners["hooks"], _ = await serve(apart, host, hooks_port, limits=limits, tls=tls_of(config.hooks))
        return port

    async def close(self) -> None:
        """Stop serving."""
        for door in self.listeners.values():
            await door.close()

    def _view(self) -> WebContext:
        return WebContext(
            exposition=self.exposition,
            health=self._health,
            ready=self._ready,
            incidents=self._behind.ledger.ranked,
            history=self._history,
            acknowledge=self._behind.acknowledge,
            status=self._status,
        )

    def _health(self) -> Sequence[PartHealth]:
        """State that cannot be written is shown and counted, and is no reason to start the agent again."""
        writer = self._behind.writer
        age = None if writer.last_commit is None else self._behind.clock.monotonic() - writer.last_commit
        waiting = f"{writer.waiting} incidents wait for the disk" if writer.failing else ""
        return [*self._behind.progress.checks(), PartHealth("state", not writer.failing, age, waiting)]

    def _ready(self) -> str | None:
        waiting = {"logs": "the first look at the logs", "sampling": "the first sampling cycle"}
        return next((words for part, words in waiting.items() if not self._behind.progress.has(part)), None)

    def _status(self) -> Mapping[str, Any]:
        return status_of(self._behind.work(), self._behind.ledger)

    async def _history(self, incident: str) -> Sequence[HistoryEntry]:
        """What is not on disk yet is not in it."""
        try:
            async with asyncio.timeout(STATE_DEADLINE):
                _, changes = await asyncio.to_thread(find_incident, self._behind.state_dir, incident)
        except (InputError, StoreError, TimeoutError):
            return []
        return [HistoryEntry(change.at, change.what, change.detail) for change in changes]

    def _families(self) -> Iterator[Metric]:
        behind, work = self._behind, self._behind.work()
        pipeline, started = work.pipeline, behind.clock.now() - behind.clock.monotonic()
        counts = partmetrics.DiagnosisCounts(
            pipeline.matches, pipeline.engine.failures, pipeline.scanner.unmatched_total, work.rules
        )
        for families in (
            partial(agent_families, behind.counters),
            partial(partmetrics.log_families, work.follower.counters, behind.counters),
            partial(partmetrics.diagnosis_families, counts),
            partial(partmetrics.incident_families, behind.ledger),
            partial(partmetrics.state_families, behind.writer, behind.store, behind.counters, started),
            partial(partmetrics.exposition_families, self.exposition),
            partial(listener_families, self.listeners),
            partial(remediation_families, behind.remedy.figures),
        ):
            yield from families()
