"""The agent: opens the state, starts the work and the web, and goes on until it is told to stop."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from signal import SIGHUP, SIGINT, SIGTERM
from typing import Any

from xenwatch.agent.heap import keep_small
from xenwatch.agent.incident_registry import IncidentRegistry
from xenwatch.agent.liveness import Liveness
from xenwatch.agent.metrics.registry import AgentCounters
from xenwatch.agent.monitor import Monitor, MonitorCallbacks
from xenwatch.agent.remediation import RemediationController, open_remediation, untold
from xenwatch.agent.sdnotify import SystemdNotifier
from xenwatch.agent.server import AgentServer, ServedState
from xenwatch.agent.signals import answered
from xenwatch.agent.watchdog import feed_watchdog, probe_loop
from xenwatch.base.clock import Clock
from xenwatch.base.errors import StoreError, XenwatchError
from xenwatch.base.supervise import supervise
from xenwatch.config.access import load_access
from xenwatch.config.listeners import guarded
from xenwatch.config.loader import LoadedConfig
from xenwatch.config.sections import Config
from xenwatch.host.exec.runner import Runner
from xenwatch.host.paths import Paths
from xenwatch.model.incident import Incident
from xenwatch.model.sample import Snapshot
from xenwatch.state.retention import tidy
from xenwatch.state.store import Store
from xenwatch.state.writer import CaptureState, Writer

log = logging.getLogger(__name__)

PARTS = ("logs", "sampling")
DRAIN_SECONDS = 5.0
"""Longest last look at the logs before the end."""


@dataclass(frozen=True, slots=True)
class ExternalAccess:
    """What the agent is given besides its configuration."""

    clock: Clock
    reload: Callable[[], LoadedConfig]
    """Reads the configuration again; blocking. Raises XenwatchError."""
    environment: Mapping[str, str] = field(default_factory=dict)
    started: Callable[[int], None] = lambda _port: None
    """Called with the port once it is served."""
    paths: Paths = Paths()  # noqa: RUF009 - frozen
    """Where the host's own files lie."""
    runner: Runner | None = None
    """Runs remediation's programs; None: this machine does."""


class Agent:
    """One run of the agent, made inside the event loop that runs it."""

    def __init__(self, loaded: LoadedConfig, outside: ExternalAccess) -> None:
        """Loads the rules and opens the state. XenwatchError says why it cannot start."""
        self._config, self._outside, self._clock = loaded.config, outside, outside.clock
        clock, settings = outside.clock, loaded.config.agent
        self.counters = AgentCounters(reloaded_at=clock.now())
        self.progress = Liveness(clock, settings.stall_after, PARTS)
        self._snapshot: Snapshot | None = None
        self._sampled, self._stop, self._reload = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.work = self._new_work(loaded)
        self._store = Store(settings.state_dir, now=clock.now)
        saved = self._store.load()
        self.work.begin(saved)
        self.ledger = IncidentRegistry(self.work.pipeline.incidents.all())
        self.remedy = _remedy(loaded.config, outside)
        self.remedy.changed(untold(self.ledger.known.values()))
        self._writer = Writer(
            self._store, self._capture, clock, every=settings.commit_every, on_error=self._state_error
        )
        self.desk = AgentServer(
            ServedState(
                clock,
                self.counters,
                self.progress,
                self.ledger,
                self.remedy,
                self._store,
                self._writer,
                settings.state_dir,
                work=lambda: self.work,
                acknowledge=self.acknowledge,
            )
        )
        self._notifier = SystemdNotifier(outside.environment)

    async def run(self) -> None:
        """Until `stop()`, SIGTERM or SIGINT; then drain the logs and commit once more."""
        try:
            port = await self.desk.open(self._config)
        except XenwatchError:
            await self.desk.close()
            await self._writer.close()
            await self.remedy.stop()
            raise
        self._outside.started(port)
        try:
            with answered({SIGTERM: self.stop, SIGINT: self.stop, SIGHUP: self.reload}):
                await self._run_beside()
        finally:
            await self._end()

    def stop(self) -> None:
        """End cleanly, as SIGTERM does."""
        self._stop.set()

    def reload(self) -> None:
        """Read configuration and rules again, as SIGHUP does."""
        self._reload.set()

    def acknowledge(self, incident: str, who: str) -> Incident | None:
        """Note that a person looks after it; None where there is no such incident."""
        found = self.work.pipeline.incidents.acknowledge(incident, who)
        if found is not None:
            self._changed([found])
        return found

    async def _run_beside(self) -> None:
        beside: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "state": self._writer.run,
            "retention": lambda: tidy(self._writer, self._clock, self._config.agent.keep_incidents, self.ledger.forget),
            "exposition": self._render,
            "event loop": lambda: probe_loop(self._clock, self.desk.metrics.lag.observe),
            "watchdog": lambda: feed_watchdog(self._clock, self._notifier, self.progress),
            "memory": lambda: keep_small(self._clock),
            **self.remedy.parts(),
        }
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(supervise(name, work, self._clock, on_failure=self._failed), name=name)
                for name, work in beside.items()
            ]
            self._notifier.tell("READY=1", "STATUS=following logs")
            while not self._stop.is_set():
                await self._one_work()
            for task in tasks:
                task.cancel()

    async def _one_work(self) -> None:
        """One configuration's work, until the end or until a reload has made another."""
        running = asyncio.create_task(self.work.run(), name="work")
        try:
            following = await self._next_work()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        if following is not None:
            following.begin(self.work.capture())
            self.work = following

    async def _next_work(self) -> Monitor | None:
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
            following = await self._reloaded()
            if following is not None:
                return following

    async def _reloaded(self) -> Monitor | None:
        """A new work; None where the new configuration or rules cannot be used: the old ones stay in force."""
        self._notifier.tell("STATUS=reloading")
        try:
            loaded = await asyncio.to_thread(self._outside.reload)
            work = await asyncio.to_thread(self._new_work, loaded)
            self.remedy.reload(loaded.config.remediation.policy, self._config.agent.state_dir)
        except XenwatchError as error:
            self.counters.reload_ok = False
            log.error("reload failed, the old configuration and rules stay in force:\n%s", error)  # noqa: TRY400 - words for the administrator
            return None
        finally:
            self._notifier.tell("STATUS=following logs")
        self.counters.reload_ok, self.counters.reloaded_at = True, self._clock.now()
        log.info("configuration and %d rules taken over", work.rules)
        return work

    def _new_work(self, loaded: LoadedConfig) -> Monitor:
        hooks = MonitorCallbacks(self._changed, self._worked, self._made, self._took, self._failed)
        return Monitor(loaded.config, self._clock, hooks, paths=self._outside.paths)

    def _changed(self, incidents: Iterable[Incident]) -> None:
        changed = list(incidents)
        if not changed:
            return
        self.ledger.take(changed)
        self._writer.changed(changed)
        self.remedy.changed(changed)

    def _worked(self) -> None:
        self._writer.worked()

    def _made(self, part: str) -> None:
        self.progress.made(part)

    def _took(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._sampled.set()

    def _failed(self, part: str, _error: Exception) -> None:
        self.counters.task_failures[part] += 1

    def _state_error(self, _error: StoreError) -> None:
        self.counters.state_errors += 1

    def _capture(self) -> CaptureState:
        saved = self.work.capture()
        return CaptureState(saved.cursors, saved.correlation, self.ledger.known)

    async def _render(self) -> None:
        while True:
            await self._sampled.wait()
            self._sampled.clear()
            if self._snapshot is not None:
                await self.desk.exposition.update(self._snapshot)

    async def _end(self) -> None:
        self._notifier.tell("STOPPING=1")
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self.work.drain()
        except TimeoutError:
            log.warning("the logs could not be read to their ends within %.0f s; the rest waits", DRAIN_SECONDS)
        finally:
            await self.remedy.stop()
            await self._writer.close()
            await self.desk.close()


def _remedy(config: Config, outside: ExternalAccess) -> RemediationController:
    """Remediation as configured. ConfigError where the policy or the secrets have a mistake."""
    settings, access = config.remediation, load_access(config.remediation.access)
    return open_remediation(
        settings.policy,
        access,
        config.agent.state_dir,
        outside.clock,
        config.sampling.libvirt_uri,
        runner=outside.runner,
        guarded=guarded(config.web),
    )
