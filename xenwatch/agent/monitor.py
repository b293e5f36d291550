"""The work under one configuration: logs followed, the host sampled, both judged. A reload starts another one."""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from xenwatch.base.clock import Clock
from xenwatch.base.supervise import supervise
from xenwatch.config.assembly import collectors_of, device_models, load_rules, spool_directory
from xenwatch.config.sections import Config, LogSettings
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.facts.poller import FactRounds
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.host import is_control_domain, open_host
from xenwatch.host.paths import Paths
from xenwatch.logs.command_sources import CommandLogs
from xenwatch.logs.follow import Follower
from xenwatch.logs.format import all_formats, recognise
from xenwatch.logs.options import CommandLogOptions, FollowOptions
from xenwatch.logs.owner import owner_of
from xenwatch.logs.watch import DirectoryWatcher
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, Source
from xenwatch.model.sample import Snapshot
from xenwatch.sampling.sampler import Sampler
from xenwatch.state.store import SavedState

log = logging.getLogger(__name__)

FORGOTTEN_ROUNDS = 3
"""Rounds after which a fact that was not seen again is not known any more."""
TICK = 1.0
"""Seconds between two looks at what did not come and what has been quiet."""


@dataclass(frozen=True, slots=True)
class MonitorCallbacks:
    """Whom the work tells."""

    changed: Callable[[Iterable[Incident]], None]
    worked: Callable[[], None]
    """Lines were read: cursors and correlation state have moved."""
    progress: Callable[[str], None]
    """`logs` after each look at them, `sampling` after each cycle."""
    sampled: Callable[[Snapshot], None]
    failed: Callable[[str, Exception], None]
    """A part failed; it goes on or is started again."""


class Monitor:
    """Follower, sampler and pipeline. Making one may take seconds (rules are compiled); `begin` takes none."""

    def __init__(self, config: Config, clock: Clock, hooks: MonitorCallbacks, *, paths: Paths = Paths()) -> None:  # noqa: B008 - frozen
        """XenwatchError says which rules or settings cannot be used."""
        self._config, self._clock, self._hooks = config, clock, hooks
        rules = load_rules(config)
        self.rules = len(rules)
        self.collectors = collectors_of(config.sampling)
        # A first start compiles for seconds a dialect: in a thread, so that nobody waits for it.
        self._compiling = ThreadPoolExecutor(1, thread_name_prefix="signatures", initializer=_be_nice)
        self._models = device_models(paths)
        self.pipeline = Pipeline(
            rules,
            formats=all_formats().values(),
            cache=config.diagnosis.cache_dir,
            compiling=self._compiling,
            owners=self._models,
        )
        self.dialects: dict[str, str] = {}
        """Of each log that is followed, by path."""
        self.last_snapshot: Snapshot | None = None
        self.host = open_host(
            clock, paths=paths, libvirt_uri=config.sampling.libvirt_uri or None, ssh=config.sampling.ssh
        )
        self._sampler = Sampler(self.collectors, self.host, clock, self._on_snapshot)
        self._facts = FactRounds(self.host, clock, config.sampling.facts_every, self._on_facts)
        self._last_chunk = clock.monotonic()
        self.begin(SavedState())

    def begin(self, saved: SavedState) -> None:
        """Go on where another work, or another run of the agent, ended."""
        self.pipeline.restore(saved.correlation, saved.incidents)
        self._models.from_json(saved.correlation.get("device_models", []))
        self.follower = self._new_follower(saved.cursors)
        self.command_logs = CommandLogs(
            _command_log_options(self._config.logs),
            self.host,
            SystemRunner().lines,
            self._on_command_chunk,
            lambda: (self.dialects, self.follower.counters),
            cursors=saved.correlation.get("command_logs"),
        )

    def capture(self) -> SavedState:
        """What stands now; cursors, correlation and incidents agree."""
        state = self.pipeline.state()
        correlation = {
            **state,
            "engine": {**state["engine"], "facts": []},  # learnt anew at every start
            "device_models": self._models.to_json(),
            "command_logs": self.command_logs.cursors(),
        }
        return SavedState(self.follower.cursors(), correlation, tuple(self.pipeline.incidents.all()))

    async def run(self) -> None:
        """Until cancelled; each part is started again when it fails."""
        here = not self._config.sampling.ssh and self._config.sampling.libvirt_uri.startswith("xen:///")
        if here and not is_control_domain(self.host.paths):
            log.warning(
                "no Xen runs here (/proc/xen/capabilities): logs are judged, but there are no domains to sample"
            )
        parts = (
            ("logs", self.follower.run),
            ("command logs", self.command_logs.run),
            ("facts", self._facts.run),
            ("sampling", self._sampler.run),
            ("time", self._tick),
        )
        try:
            async with asyncio.TaskGroup() as group:
                for name, part in parts:
                    fenced = supervise(name, part, self._clock, on_failure=self._hooks.failed)
                    group.create_task(fenced, name=name)
        finally:
            self._compiling.shutdown(wait=False, cancel_futures=True)
            await self.host.close()

    async def drain(self) -> None:
        """Read what was written since the last look, for a clean end."""
        await self.follower.look()
        self.follower.close()

    def _new_follower(self, cursors: Mapping[str, Any] | None) -> "_Follower":
        logs = self._config.logs
        options = FollowOptions(
            start="begin" if logs.from_start else "end",
            history_bytes=logs.history,
            reconcile_seconds=logs.reconcile_every,
            overwritten=logs.overwritten,
            spool_directory=spool_directory(self._config),
        )
        # No cursors at all: the very first start, for which `start` is meant.
        follower = _Follower(
            logs.paths, self._on_chunk, self._open_source, self._clock, cursors=cursors or None, options=options
        )
        follower.looked = self._looked
        return follower

    def _looked(self) -> None:
        """Every log was read as far as it goes: what they say together is judged, in the order of time."""
        self.command_logs.files_known.set()
        self._conclude("lines of the logs")
        self._hooks.progress("logs")

    def _open_source(self, path: str, head: bytes) -> Source | None:
        dialect = recognise(path, head).format
        if dialect is None:
            return None
        self.dialects[path] = dialect.name
        return Source(path, dialect, owner_of(path, dialect, self._models))

    def _on_chunk(self, chunk: Chunk) -> None:
        self._last_chunk = self._clock.monotonic()
        with self._fenced(f"lines of {chunk.source.path} at {chunk.position}"):
            self.pipeline.read(chunk)
        if self.pipeline.is_full:
            self._conclude("lines of the logs")
        self._hooks.worked()

    def _on_command_chunk(self, chunk: Chunk) -> None:
        """A log that is no file has no rounds: what it says is judged at once."""
        self._on_chunk(chunk)
        self._conclude(f"lines of {chunk.source.path}")

    def _on_facts(self, facts: Sequence[Fact]) -> None:
        now = self._clock.now()
        self.pipeline.facts(facts)
        self._conclude("facts of the host")
        self.pipeline.engine.forget_facts(now - FORGOTTEN_ROUNDS * self._config.sampling.facts_every)

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        self.last_snapshot = snapshot
        self._hooks.progress("sampling")
        self._hooks.sampled(snapshot)
        inventory = self.host.domains.last
        for domain in inventory.domains if inventory else ():
            told = {"domain": domain.name, "domid": str(domain.domid or ""), "uuid": domain.uuid}
            self.pipeline.scanner.registry.learn(told, snapshot.at)
        self.pipeline.snapshot(snapshot)
        self._conclude("a snapshot")

    def _conclude(self, what: str) -> None:
        with self._fenced(what):
            self._hooks.changed(self.pipeline.conclude(self._clock.now()))

    @contextlib.contextmanager
    def _fenced(self, what: str) -> Iterator[None]:
        """One piece that cannot be judged does not keep the next one from it."""
        try:
            yield
        except Exception as error:
            log.exception("%s could not be judged", what)
            self._hooks.failed("diagnosis", error)

    async def _tick(self) -> None:
        """While old lines are still being read their own times count, not ours: nothing is overdue yet."""
        while True:
            await self._clock.sleep(TICK)
            if not self.collectors:
                self._hooks.progress("sampling")  # there is none to wait for
            behind = any(one.lag_bytes for one in self.follower.counters.sources.values())
            if not behind or self._clock.monotonic() - self._last_chunk > TICK:
                self._hooks.changed(self.pipeline.tick(self._clock.now()))


def _command_log_options(logs: LogSettings) -> CommandLogOptions:
    return CommandLogOptions(logs.from_start, logs.hypervisor_every, logs.journal)


def _be_nice() -> None:
    """Of this thread alone: a hotplug script that waits for the cpu of a small dom0 fails after 40 s, and its guest."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


class _Follower(Follower):
    """Says when it has looked at every log: that is progress, also where nothing new was written."""

    looked: Callable[[], None]

    async def look(self, watcher: DirectoryWatcher | None = None) -> None:
        await super().look(watcher)
        self.looked()
