"""The agent: opens the state, starts monitoring and the web, and runs until it is told to stop."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from signal import SIGHUP, SIGINT, SIGTERM
from typing import Any

from xenwatch.agent.heap import keep_small
from xenwatch.agent.incident_registry import IncidentRegistry
from xenwatch.agent.liveness import Liveness
from xenwatch.agent.metrics.registry import AgentCounters
from xenwatch.agent.monitor import Monitor, MonitorCallbacks, MonitorParts, prepare
from xenwatch.agent.outlets import Outlets
from xenwatch.agent.pools import Pools, repairable
from xenwatch.agent.remediation import RemediationController, open_remediation, recent_incidents
from xenwatch.agent.sdnotify import SystemdNotifier
from xenwatch.agent.server import AgentServer, ServedState
from xenwatch.agent.signals import signal_handlers
from xenwatch.agent.watchdog import feed_watchdog, probe_loop
from xenwatch.base.clock import Clock
from xenwatch.base.errors import StoreError, XenwatchError
from xenwatch.base.supervise import supervise
from xenwatch.config.access import load_access
from xenwatch.config.fleet_member import fleet_coordinator
from xenwatch.config.listeners import guarded
from xenwatch.config.loader import LoadedConfig
from xenwatch.config.sections import Config
from xenwatch.config.xapi import repair_accesses
from xenwatch.host.exec.runner import Runner
from xenwatch.host.paths import Paths
from xenwatch.host.simulated import simulated_paths
from xenwatch.model.incident import Incident, Remark
from xenwatch.model.sample import Snapshot
from xenwatch.remediation.open import effects_of
from xenwatch.state.retention import delete_old
from xenwatch.state.store import SavedState, Store
from xenwatch.state.writer import CaptureState, Writer

log = logging.getLogger(__name__)

PARTS = ("logs", "sampling")
DRAIN_SECONDS = 5.0
"""Longest last reading of the logs before the end."""


@dataclass(frozen=True, slots=True)
class ExternalAccess:
    """What the agent needs besides its configuration."""

    clock: Clock
    reload: Callable[[], LoadedConfig]
    """Reads the configuration again; blocking. Raises XenwatchError."""
    environment: Mapping[str, str] = field(default_factory=dict)
    started: Callable[[int], None] = lambda _port: None
    """Called with the port once it is served."""
    paths: Paths = Paths()  # noqa: RUF009 - frozen
    """Where the host's own files are."""
    runner: Runner | None = None
    """Runs remediation's programs; None: on this machine."""
    hangup_ends: bool = False
    """Whether SIGHUP ends it, as the closing of a terminal should, instead of reading the configuration again."""


class Agent:
    """One run of the agent, made inside the event loop that runs it."""

    def __init__(self, loaded: LoadedConfig, external: ExternalAccess) -> None:
        """Loads the rules and opens the state. XenwatchError says why it cannot start."""
        self._config, self._external, self._clock = loaded.config, external, external.clock
        clock, settings = external.clock, loaded.config.agent
        self.counters = AgentCounters(reloaded_at=clock.now())
        self.progress = Liveness(clock, settings.stall_after, PARTS)
        self._snapshot: Snapshot | None = None
        self._sampled, self._stop, self._reload = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._paths = _paths(external, loaded.config)
        parts = prepare(loaded.config, self._paths)
        self._store = Store(settings.state_dir, now=clock.now)
        saved = self._store.load()
        self.monitor = self._new_monitor(parts, saved)
        self.registry = IncidentRegistry(self.monitor.pipeline.incidents.all())
        self.remediation = _remediation(loaded.config, external)
        self.remediation.changed(self._repairable(recent_incidents(self.registry.incidents.values())))
        self._pools = Pools(loaded.config, clock, lambda: self.monitor, self._sampled.set)
        self.outlets = Outlets(loaded.config, clock, self._paths, self.registry.incidents.values())
        self._writer = Writer(
            self._store, self._capture, clock, every=settings.commit_every, on_error=self._state_error
        )
        self.server = AgentServer(
            ServedState(
                clock,
                self.counters,
                self.progress,
                self.registry,
                self.remediation,
                self._store,
                self._writer,
                settings.state_dir,
                monitor=lambda: self.monitor,
                remark=self.remark,
                notifications=self.outlets.notifications,
                pools=self._pools.by_name,
                host=self.outlets.host,
            )
        )
        self._notifier = SystemdNotifier(external.environment)

    async def run(self) -> None:
        """Run until `stop()`, SIGTERM or SIGINT; then read the logs to their ends and commit once more."""
        try:
            port = await self.server.open(self._config)
        except XenwatchError:
            await self.server.close()
            await self._writer.close()
            await self.remediation.stop()
            raise
        self._external.started(port)
        hangup = self.stop if self._external.hangup_ends else self.reload
        with signal_handlers({SIGTERM: self.stop, SIGINT: self.stop, SIGHUP: hangup}):
            try:
                await self._run_parts()
            finally:
                await self._end()  # within the deadlines of its parts; a second signal must not cut it short

    def stop(self) -> None:
        """End cleanly, as SIGTERM does."""
        self._stop.set()

    def reload(self) -> None:
        """Read configuration and rules again, as SIGHUP does."""
        self._reload.set()

    def remark(self, incident: str, remark: Remark) -> Incident | None:
        """What a person says or does about an incident; None where there is no such incident."""
        changed = self.monitor.pipeline.incidents.remark(incident, remark)
        if changed is not None:
            self._changed([changed])
        return changed

    async def _run_parts(self) -> None:
        parts: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "state": self._writer.run,
            "retention": lambda: delete_old(
                self._writer, self._clock, self._config.agent.keep_incidents, self.registry.forget
            ),
            "exposition": self._render,
            "event loop": lambda: probe_loop(self._clock, self.server.metrics.lag.observe),
            "watchdog": lambda: feed_watchdog(self._clock, self._notifier, self.progress),
            "memory": lambda: keep_small(self._clock),
            "trends": self.server.keep_trends,
            **self._pools.parts(),
            **self.remediation.parts(),
            **self.outlets.parts(),
        }
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(supervise(name, part, self._clock, on_failure=self._failed), name=name)
                for name, part in parts.items()
            ]
            self._notifier.tell("READY=1", "STATUS=following logs")
            while not self._stop.is_set():
                await self._run_monitor()
            for task in tasks:
                task.cancel()

    async def _run_monitor(self) -> None:
        """Monitor under one configuration, until the end or until a reload brings another one."""
        running = asyncio.create_task(self.monitor.run(), name="monitor")
        try:
            following = await self._next_parts()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        if following is not None:
            self.monitor = self._new_monitor(following, self.monitor.capture())

    async def _next_parts(self) -> MonitorParts | None:
        """Waits for the end (None) or a reload that succeeds."""
        while True:
            waits = [asyncio.create_task(event.wait()) for event in (self._stop, self._reload)]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            if self._stop.is_set():
                return None
            self._reload.clear()
            following = await self._load_again()
            if following is not None:
                return following

    async def _load_again(self) -> MonitorParts | None:
        """For a new monitor; None where the new configuration or rules cannot be used: the old ones stay in force."""
        self._notifier.tell("STATUS=reloading")
        try:
            loaded = await asyncio.to_thread(self._external.reload)
            parts = await asyncio.to_thread(prepare, loaded.config, self._paths)
            self.remediation.reload(loaded.config.remediation.policy, self._config.agent.state_dir)
        except XenwatchError as error:
            self.counters.reload_ok = False
            log.error("The reload failed; the old configuration and rules stay in force:\n%s", error)  # noqa: TRY400 - words for the administrator
            return None
        finally:
            self._notifier.tell("STATUS=following logs")
        self.outlets.reload(loaded.config, self.registry.incidents.values())
        self.counters.reload_ok, self.counters.reloaded_at = True, self._clock.now()
        log.info("The configuration and %d rules were reloaded.", parts.rules)
        return parts

    def _new_monitor(self, parts: MonitorParts, saved: SavedState) -> Monitor:
        callbacks = MonitorCallbacks(
            self._changed, self._on_lines_read, self.progress.note, self._on_snapshot, self._failed
        )
        return Monitor(parts, saved, self._clock, callbacks, paths=self._paths)

    def _changed(self, incidents: Iterable[Incident]) -> None:
        changed = list(incidents)
        if not changed:
            return
        self.registry.update(changed)
        self._writer.changed(changed)
        self.remediation.changed(self._repairable(changed))
        self.outlets.changed(changed)

    def _repairable(self, incidents: Iterable[Incident]) -> list[Incident]:
        return repairable(incidents, [name for name, pool in self._config.xapi.items() if pool.repair_user])

    def _on_lines_read(self) -> None:
        self._writer.state_moved()

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.server.trends.note(snapshot)
        self.outlets.sampled(snapshot)
        self._sampled.set()

    def _failed(self, part: str, _error: Exception) -> None:
        self.counters.task_failures[part] += 1

    def _state_error(self, _error: StoreError) -> None:
        self.counters.state_errors += 1

    def _capture(self) -> CaptureState:
        saved = self.monitor.capture()
        return CaptureState(saved.cursors, saved.correlation, self.registry.incidents)

    async def _render(self) -> None:
        while True:
            await self._sampled.wait()
            self._sampled.clear()
            if self._snapshot is not None:
                samples = (*self._snapshot.samples, *self._pools.samples())
                await self.server.exposition.update(replace(self._snapshot, samples=samples))

    async def _end(self) -> None:
        self._notifier.tell("STOPPING=1")
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self.monitor.drain()
        except TimeoutError:
            log.warning(
                "the logs could not be read to their ends within %.0f s; the next start reads the rest", DRAIN_SECONDS
            )
        finally:
            await self.remediation.stop()
            await self._writer.close()
            await self.server.close()


def _paths(external: ExternalAccess, config: Config) -> Paths:
    """Of this host, or of the simulated one."""
    simulated = config.sampling.simulated
    return external.paths if simulated is None else simulated_paths(simulated)


def _remediation(config: Config, external: ExternalAccess) -> RemediationController:
    """Remediation as configured. ConfigError where the policy or the file of secrets has a mistake."""
    settings, access = config.remediation, load_access(config.remediation.access)
    return open_remediation(
        settings.policy,
        access,
        config.agent.state_dir,
        external.clock,
        config.sampling.libvirt_uri,
        runner=external.runner,
        simulated=config.sampling.simulated,
        guarded=guarded(config.web),
        coordinator=fleet_coordinator(config.fleet, external.clock),
        effects=effects_of(settings.effects, settings.effects_socket, config.sampling.simulated),
        pools=repair_accesses(config.xapi),
    )
