"""The agent's HTTP server: what it shows, and the metrics about the agent itself."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client.core import Metric

from xenwatch.agent.failures import known_failures
from xenwatch.agent.incident_registry import IncidentRegistry
from xenwatch.agent.liveness import Liveness
from xenwatch.agent.log_tails import log_tails
from xenwatch.agent.metrics import families as part_metrics
from xenwatch.agent.metrics.listeners import listener_families
from xenwatch.agent.metrics.notifications import notification_families
from xenwatch.agent.metrics.registry import AgentCounters, SelfMetrics, agent_families
from xenwatch.agent.metrics.remediation import remediation_families
from xenwatch.agent.monitor import Monitor
from xenwatch.agent.remediation import RemediationController
from xenwatch.agent.status import status_of
from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError, StoreError, Unavailable
from xenwatch.config.listeners import limits_of, passwords_of_listener, socket_of, tls_of
from xenwatch.config.sections import Config, WebSettings
from xenwatch.model.incident import Incident, Remark
from xenwatch.model.operation import Operation
from xenwatch.model.sample import Sample
from xenwatch.notify.notifications import Notifications
from xenwatch.sampling.catalogue import metrics_of
from xenwatch.state.query import find_incident
from xenwatch.state.store import Store
from xenwatch.state.writer import Writer
from xenwatch.web.app import build_app, build_bare, build_local_app, serve, serve_socket
from xenwatch.web.context import HistoryEntry, LogTail, PartHealth, StandingCheck, WebContext
from xenwatch.web.exposition import Exposition
from xenwatch.web.server.listener import Listener
from xenwatch.web.server.loopback import is_loopback
from xenwatch.web.server.unix_socket import group_id
from xenwatch.web.trend_file import EVERY, NAME, load_trends, save_trends

log = logging.getLogger(__name__)

STATE_DEADLINE = 5.0


@dataclass(frozen=True, slots=True)
class ServedState:
    """The parts that the server shows, and the one change that it can ask for."""

    clock: Clock
    counters: AgentCounters
    progress: Liveness
    registry: IncidentRegistry
    remediation: RemediationController
    store: Store
    writer: Writer
    state_dir: Path
    monitor: Callable[[], Monitor]
    """Called each time: a reload replaces the monitor."""
    remark: Callable[[str, Remark], Incident | None]
    """A person's remark on the incident with this id → as it is now; None where there is no such incident."""
    notifications: Notifications
    pools: Callable[[], Mapping[str, Sequence[Sample]]] = dict
    """The last samples of each pool, by its name."""
    host: str = ""
    """What the watched host calls itself."""


class AgentServer:
    """Serves one agent over HTTP."""

    def __init__(self, served: ServedState) -> None:
        self._served = served
        self.metrics = SelfMetrics([self._families])
        self.exposition = Exposition(self.metrics.render, metrics_of)
        self.listeners: dict[str, Listener] = {}
        """What listens, by the section of the configuration."""
        self._external_url = ""
        self._trend_file = served.state_dir / NAME
        self.trends = load_trends(self._trend_file)

    async def open(self, config: Config) -> int:
        """Start serving; the port. Unavailable where an address is taken or a certificate cannot be used."""
        remediation, settings = self._served.remediation, config.web
        self._external_url = settings.external_url.rstrip("/")
        webhooks, (host, port) = remediation.hook_routes(config.hooks.deliveries_per_minute), settings.listen
        app = build_app(
            self._context(),
            loopback=is_loopback(host),
            largest_request=settings.largest_request,
            readers=remediation.users if settings.log_in == "token" else None,
            users=remediation.users,
            passwords=passwords_of_listener(settings),
            external_url=settings.external_url,
            extra_routes=[*remediation.routes(), *(webhooks if config.hooks.listen is None else [])],
        )
        limits = limits_of(settings)
        listener, port = await serve(app, host, port, limits=limits, tls=tls_of(settings))
        self.listeners["web"] = listener
        await self._open_socket(settings)
        if config.hooks.listen is not None and webhooks:
            host, hooks_port = config.hooks.listen
            hooks_app = build_bare(webhooks, loopback=is_loopback(host))
            self.listeners["hooks"], _ = await serve(
                hooks_app, host, hooks_port, limits=limits, tls=tls_of(config.hooks)
            )
        return port

    async def _open_socket(self, settings: WebSettings) -> None:
        """The socket of this machine. Without it the agent watches all the same, and people need tokens."""
        path = socket_of(settings)
        if path is None or not path.parent.is_dir():
            return
        try:
            gid = group_id(settings.socket_group) if settings.socket_group else None
            app = build_local_app(
                self._context(), gid, largest_request=settings.largest_request,
                extra_routes=self._served.remediation.routes(),
            )  # fmt: skip
            self.listeners["socket"] = await serve_socket(app, path, gid, limits_of(settings))
        except Unavailable as error:
            log.warning("the commands of this machine have no socket: %s", error)

    async def close(self) -> None:
        """Stop serving."""
        for listener in self.listeners.values():
            await listener.close()
        await self._save_trends()

    async def keep_trends(self) -> None:
        """Run until cancelled: the numbers of the pages go to disk now and then, so that a restart keeps them."""
        while True:
            await self._served.clock.sleep(EVERY)
            await self._save_trends()

    async def _save_trends(self) -> None:
        """A disk that takes nothing costs these numbers and nothing else."""
        try:
            await asyncio.to_thread(save_trends, *self.trends.kept(), self._trend_file)
        except OSError as error:
            log.warning("the numbers of the pages could not be written: %s", error)

    def _context(self) -> WebContext:
        return WebContext(
            exposition=self.exposition,
            health=self._health,
            ready=self._ready,
            incidents=self._served.registry.ranked,
            version=lambda: self._served.registry.version + self._served.remediation.version,
            history=self._history,
            remark=self._served.remark,
            status=self._status,
            snapshot=lambda: self._served.monitor().last_snapshot,
            trends=self.trends.of,
            failures=lambda: known_failures(self._served.monitor().pipeline.rules),
            remediation=self._served.remediation.active,
            now=self._served.clock.now,
            pools=self._served.pools,
            host=self._served.host,
            lately=self.trends.lately,
            operation=self._operation,
            checks=self._checks,
            logs=self._log_tails,
        )

    def _health(self) -> Sequence[PartHealth]:
        """State that cannot be written is shown and counted, but is no reason to restart the agent."""
        writer = self._served.writer
        age = None if writer.last_commit is None else self._served.clock.monotonic() - writer.last_commit
        waiting = f"{writer.waiting} incidents are not on disk yet" if writer.failing else ""
        checks = [*self._served.progress.checks(), PartHealth("state", not writer.failing, age, waiting)]
        trouble = self._served.remediation.effects.trouble
        return [*checks, PartHealth("effects", True, None, trouble)] if trouble else checks

    def _ready(self) -> str | None:
        waiting = {"logs": "the first reading of the logs", "sampling": "the first sampling cycle"}
        return next((words for part, words in waiting.items() if not self._served.progress.has_started(part)), None)

    def _checks(self) -> Sequence[StandingCheck]:
        results = self._served.monitor().host_checks.results
        return [StandingCheck(one.rule.id, one.found, () if one.found else one.missing) for one in results]

    async def _log_tails(self, guest: str) -> Sequence[LogTail]:
        monitor = self._served.monitor()
        return await log_tails(monitor.formats, monitor.host.domains.last, guest)

    def _operation(self, id_: str) -> Operation | None:
        return self._served.monitor().pipeline.operations.operations.get(id_)

    def _status(self) -> Mapping[str, Any]:
        return status_of(self._served.monitor(), self._served.registry)

    async def _history(self, incident: str) -> Sequence[HistoryEntry]:
        """Changes that are not on disk yet are not in it."""
        try:
            async with asyncio.timeout(STATE_DEADLINE):
                _, changes = await asyncio.to_thread(find_incident, self._served.state_dir, incident)
        except (InputError, StoreError, TimeoutError):
            return []
        return [HistoryEntry(change.at, change.what, change.detail) for change in changes]

    def _families(self) -> Iterator[Metric]:
        served, monitor, told = self._served, self._served.monitor(), self._served.notifications
        pipeline, started = monitor.pipeline, served.clock.now() - served.clock.monotonic()
        counts = part_metrics.DiagnosisCounts(
            pipeline.matches,
            pipeline.engine.failures,
            pipeline.scanner.unread.total,
            monitor.rules,
            pipeline.scanner.skipped,
            monitor.being_read.left_out,
            pipeline.incidents.pushed_out,
        )
        for families in (
            partial(agent_families, served.counters),
            partial(part_metrics.log_families, monitor.follower.counters, served.counters),
            partial(part_metrics.diagnosis_families, counts),
            partial(part_metrics.incident_families, served.registry, self._external_url),
            partial(part_metrics.host_check_families, monitor.host_checks.results),
            partial(part_metrics.state_families, served.writer, served.store, served.counters, started),
            partial(part_metrics.exposition_families, self.exposition),
            partial(listener_families, self.listeners),
            partial(remediation_families, served.remediation.figures),
            partial(notification_families, told.delivered, told.failed, told.waiting),
        ):
            yield from families()
