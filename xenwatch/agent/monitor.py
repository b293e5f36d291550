"""Monitoring under one configuration: follows logs, samples the host and diagnoses both. A reload makes a new one."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from xenwatch.agent.host_checks import HostChecks
from xenwatch.agent.pace import Pace
from xenwatch.base.clock import Clock
from xenwatch.base.nice import yield_to_others
from xenwatch.base.slices import by_turns
from xenwatch.base.supervise import supervise
from xenwatch.config.assembly import collectors_of, device_models, load_rules, spool_directory, ways_to
from xenwatch.config.sections import Config, LogSettings
from xenwatch.config.xapi import pool_of_log
from xenwatch.diagnosis.correlation.standing import checks_among
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import standing_checks
from xenwatch.facts.poller import FactRounds
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.host import is_control_domain, open_host
from xenwatch.host.libvirt.uri import is_local
from xenwatch.host.paths import Paths
from xenwatch.logs.command_sources import CommandLogs
from xenwatch.logs.files.descriptors import most_for_logs
from xenwatch.logs.follow import Follower
from xenwatch.logs.format import recognise
from xenwatch.logs.options import CommandLogOptions, FollowOptions
from xenwatch.logs.owner import DeviceModels, owner_of
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, Source
from xenwatch.model.sample import Snapshot
from xenwatch.sampling.collector import Collector
from xenwatch.sampling.sampler import Sampler
from xenwatch.state.being_read import BeingRead
from xenwatch.state.store import SavedState

log = logging.getLogger(__name__)

FORGOTTEN_ROUNDS = 3
"""Rounds after which a fact that was not read again is dropped."""
TICK = 1.0
"""Seconds between two checks for events that are overdue and incidents that have been quiet."""


@dataclass(frozen=True, slots=True)
class MonitorCallbacks:
    """What the monitor calls when something happens."""

    changed: Callable[[Iterable[Incident]], None]
    lines_read: Callable[[], None]
    """Cursors and correlation state have moved."""
    progress: Callable[[str], None]
    """`logs` after each reading of them, `sampling` after each cycle."""
    sampled: Callable[[Snapshot], None]
    failed: Callable[[str, Exception], None]
    """A part failed; it goes on or is started again."""


@dataclass(frozen=True, slots=True)
class MonitorParts:
    """What takes long to make (rules are compiled) and does not need the state of the monitor before."""

    config: Config
    collectors: tuple[Collector, ...]
    rules: int
    checks: tuple[Rule, ...]
    """The standing checks of the host."""
    models: DeviceModels
    pipeline: Pipeline
    compiling: ThreadPoolExecutor
    """Compiles signatures that are not in the cache."""


def prepare(config: Config, paths: Paths = Paths()) -> MonitorParts:  # noqa: B008 - frozen
    """Takes seconds at a first start. XenwatchError says which rules or settings cannot be used."""
    rules, models = load_rules(config), device_models(paths)
    # A first start compiles for seconds for each format: in a thread, so that nothing waits for it.
    compiling = ThreadPoolExecutor(1, thread_name_prefix="signatures", initializer=yield_to_others)
    pipeline = Pipeline(
        rules,
        cache=config.diagnosis.cache_dir,
        compiling=compiling,
        owners=models,
    )
    checks = tuple(checks_among(standing_checks(config.diagnosis.cache_dir)))
    collectors = tuple(collectors_of(config.sampling))
    return MonitorParts(config, collectors, len(rules), checks, models, pipeline, compiling)


class Monitor:
    """Follower, sampler and pipeline, going on where another monitor, or another run of the agent, ended."""

    def __init__(
        self,
        parts: MonitorParts,
        saved: SavedState,
        clock: Clock,
        callbacks: MonitorCallbacks,
        *,
        paths: Paths = Paths(),  # noqa: B008 - frozen
    ) -> None:
        self._config, self._clock, self._callbacks = parts.config, clock, callbacks
        self.rules, self.collectors, self.pipeline = parts.rules, parts.collectors, parts.pipeline
        self._compiling = parts.compiling
        self.formats: dict[str, str] = {}
        """Name of the format of each followed log, by path."""
        self.last_snapshot: Snapshot | None = None
        self._models = parts.models
        self.being_read = BeingRead(parts.config.agent.state_dir)
        self._last_chunk = clock.monotonic()
        self._pace = Pace(clock)
        self._reading = self._to_judge = False
        """Whether the logs are being read, and whether lines wait for their turn to be judged."""
        sampling = parts.config.sampling
        self.host = open_host(clock, paths=paths, **ways_to(sampling))
        self._sampler = Sampler(parts.collectors, self.host, clock, self._on_snapshot)
        self._facts = FactRounds(self.host, clock, sampling.facts_every, self._on_facts)
        self.host_checks = HostChecks(self.host, clock, parts.checks)
        self.pipeline.restore(saved.correlation, saved.incidents)
        self._models.from_json(saved.correlation.get("device_models", []))
        self.follower = self._new_follower(saved.cursors, lost=saved.cursors_lost)
        self.command_logs = CommandLogs(
            _command_log_options(parts.config.logs),
            self.host,
            SystemRunner().lines,
            self._on_command_chunk,
            lambda: (self.formats, self.follower.counters),
            cursors=saved.correlation.get("command_logs"),
        )

    def capture(self) -> SavedState:
        """The state at this moment; cursors, correlation and incidents agree."""
        state = self.pipeline.state()
        correlation = {
            **state,
            "engine": {**state["engine"], "facts": []},  # read again at every start
            "device_models": self._models.to_json(),
            "command_logs": self.command_logs.cursors(),
        }
        return SavedState(self.follower.cursors(), correlation, tuple(self.pipeline.incidents.all()))

    async def run(self) -> None:
        """Until cancelled; each part is started again when it fails."""
        here = not self._config.sampling.ssh and is_local(self._config.sampling.libvirt_uri)
        if here and not is_control_domain(self.host.paths):
            log.warning(
                "this machine does not run Xen (see /proc/xen/capabilities): "
                "logs are diagnosed, but there are no domains to sample"
            )
        parts = (
            ("logs", self.follower.run),
            ("command logs", self.command_logs.run),
            ("facts", self._facts.run),
            ("sampling", self._sampler.run),
            ("checks of the host", self.host_checks.run),
            ("time", self._tick),
        )
        try:
            async with asyncio.TaskGroup() as group:
                for name, part in parts:
                    supervised = supervise(name, part, self._clock, on_failure=self._callbacks.failed)
                    group.create_task(supervised, name=name)
        finally:
            self._compiling.shutdown(wait=False, cancel_futures=True)
            await self.host.close()

    async def drain(self) -> None:
        """Read what was written since the last reading, for a clean end."""
        await self.follower.look()
        self.follower.close()

    def take_lines(self, chunk: Chunk) -> None:
        """Lines of a log that another part reads, such as the events of a pool."""
        self._on_command_chunk(chunk)

    def take_facts(self, facts: Sequence[Fact]) -> None:
        """What another part has learnt, such as the state of a pool."""
        self.pipeline.facts(facts)
        self._conclude("facts of a pool")

    def _new_follower(self, cursors: Mapping[str, Any] | None, *, lost: bool) -> Follower:
        logs = self._config.logs
        options = FollowOptions(
            start="begin" if logs.from_start and not lost else "end",
            history_bytes=logs.history,
            reconcile_seconds=logs.reconcile_every,
            most_open=most_for_logs(),
            overwritten=logs.overwritten,
            spool_directory=spool_directory(self._config),
        )
        # No cursors at all: the very first start, for which `start` is meant.
        of_pools = tuple(path for pool in self._config.xapi.values() for path in pool.logs)
        return Follower(
            (*logs.paths, *of_pools),
            self._on_chunk,
            self._open_source,
            self._clock,
            cursors=cursors or None,
            options=options,
            on_look=self._on_look,
        )

    def _on_look(self) -> None:
        """Every log was read to its end: their events are diagnosed together, in the order of time."""
        self.command_logs.files_read.set()
        self._reading, self._to_judge = False, True
        self._judge_lines()
        self._callbacks.progress("logs")

    def _open_source(self, path: str, head: bytes) -> Source | None:
        format_ = recognise(path, head).format
        if format_ is None:
            return None
        self.formats[path] = format_.name
        host = pool_of_log(self._config.xapi, path)
        owner = None if host else owner_of(path, format_, self._models.of_process)
        return Source(path, format_, owner, host=host)

    def _on_chunk(self, chunk: Chunk) -> None:
        self._last_chunk, self._reading = self._clock.monotonic(), True
        for piece in self.being_read.pieces(chunk):
            with self._report_failure(f"lines of {chunk.source.path} at {chunk.position}"):
                self.pipeline.read(piece)
        if self.pipeline.is_full:
            self._judge_lines()
        self._callbacks.lines_read()

    def _on_command_chunk(self, chunk: Chunk) -> None:
        """A log that is not a file has no rounds: its lines are diagnosed at once."""
        reading = self._reading
        self._on_chunk(chunk)
        self._reading, self._to_judge = reading, True
        self._judge_lines()

    def _on_facts(self, facts: Sequence[Fact]) -> None:
        now = self._clock.now()
        self.pipeline.facts(facts)
        self._conclude("facts of the host")
        self.pipeline.engine.forget_facts(now - FORGOTTEN_ROUNDS * self._config.sampling.facts_every)

    async def _on_snapshot(self, snapshot: Snapshot) -> None:
        self.last_snapshot = snapshot
        self._callbacks.progress("sampling")
        self._callbacks.sampled(snapshot)
        await asyncio.sleep(0)  # of a thousand guests that took ten milliseconds
        inventory = self.host.domains.last
        for domain in inventory.domains if inventory else ():
            names = {"domain": domain.name, "domid": str(domain.domid or ""), "uuid": domain.uuid}
            self.pipeline.scanner.registry.learn(names, snapshot.at)
        with self._report_failure("a snapshot"):
            self._callbacks.changed(await by_turns(self.pipeline.judged_in_slices(snapshot)))

    def _judge_lines(self) -> None:
        """In a storm of incidents not after each line: they wait, in order and in the state, until the next turn."""
        if self._pace.due or self.pipeline.is_full:
            self._to_judge = False
            with self._pace.taking():
                self._conclude("lines of the logs")

    def _conclude(self, subject: str) -> None:
        with self._report_failure(subject):
            self._callbacks.changed(self.pipeline.conclude(self._clock.now()))

    @contextlib.contextmanager
    def _report_failure(self, subject: str) -> Iterator[None]:
        """One piece that cannot be diagnosed does not stop the next."""
        try:
            yield
        except Exception as error:
            log.exception("%s could not be diagnosed", subject)
            self._callbacks.failed("diagnosis", error)

    async def _tick(self) -> None:
        """While old lines are being read their own times count, not the present: nothing is overdue yet."""
        while True:
            await self._clock.sleep(TICK)
            if not self.collectors:
                self._callbacks.progress("sampling")  # there is no collector to wait for
            if self._to_judge and not self._reading:
                self._judge_lines()
            behind = any(counters.lag_bytes for counters in self.follower.counters.sources.values())
            if not behind or self._clock.monotonic() - self._last_chunk > TICK:
                self._callbacks.changed(self.pipeline.tick(self._clock.now()))


def _command_log_options(logs: LogSettings) -> CommandLogOptions:
    return CommandLogOptions(logs.from_start, logs.hypervisor_every, logs.journal)
