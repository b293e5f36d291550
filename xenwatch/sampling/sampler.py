"""Runs collectors, each at its own interval and under its own deadline, and makes snapshots of their samples."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

from xenwatch.base.clock import Clock
from xenwatch.base.deadline import within
from xenwatch.base.errors import CommandFailed, HostError, TimedOut, Unavailable, Unsupported
from xenwatch.base.supervise import supervise
from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.sampling.collector import Collector
from xenwatch.sampling.health import CollectorRecord, health_samples

log = logging.getLogger(__name__)

SETTLE_SECONDS = 1.0
"""From the first new data of a cycle to its snapshot, so that collectors due together come out together."""
Wrap = Callable[[str, Awaitable[None]], Awaitable[None]]

_UNSUPPORTED_PAUSE = 60.0
"""md, iSCSI or /etc/xen/auto may appear later, and checking that they are missing costs next to nothing."""


async def _nobody_asks(_snapshot: Snapshot) -> None: ...


class Sampler:
    """`run()` until cancelled; `snapshot()` at any time; `on_snapshot` after each cycle."""

    def __init__(
        self,
        collectors: Iterable[Collector],
        host: Host,
        clock: Clock,
        on_snapshot: Callable[[Snapshot], Awaitable[None]] = _nobody_asks,
    ) -> None:
        self._host, self._clock, self._on_snapshot = host, clock, on_snapshot
        self._running = [_Running(collector) for collector in collectors]
        self._fresh = asyncio.Event()
        self._names: frozenset[str] | None = None

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for running in self._running:
                name = f"collector {running.collector.name}"
                keep = partial(self._keep_running, running)
                group.create_task(supervise(name, keep, self._clock), name=name)
            group.create_task(self._publish(), name="snapshots")

    def snapshot(self) -> Snapshot:
        """All current samples, including the last good ones of collectors that failed since."""
        records = [running.record for running in self._running]
        samples = [sample for running in self._running for sample in running.samples]
        samples += health_samples(records, self._host.sources())
        health = {record.collector: record.health() for record in records if record.runs}
        return Snapshot(self._clock.now(), tuple(samples), health)

    async def take_once(self, *, at_once: int | None = None, wrap: Wrap = lambda _name, run: run) -> Snapshot:
        """Run every collector once, side by side (at most `at_once` at a time), and return the samples.

        A deadline counts from when its collector begins. `wrap` is put around each run, with the collector's name.
        """
        places = asyncio.Semaphore(at_once or max(1, len(self._running)))

        async def run(running: "_Running") -> None:
            async with places:
                await wrap(running.collector.name, self._run_once(running))

        await asyncio.gather(*map(run, self._running))
        return self.snapshot()

    async def _keep_running(self, running: "_Running") -> None:
        interval, due = running.collector.interval, self._clock.monotonic()
        while True:
            await self._run_once(running)
            self._fresh.set()
            due += _UNSUPPORTED_PAUSE if running.record.unsupported else interval
            late = self._clock.monotonic() - due
            if late > 0:
                missed = int(late // interval) + 1
                running.record.skipped += missed
                due += missed * interval
            await self._clock.sleep(due - self._clock.monotonic())

    async def _run_once(self, running: "_Running") -> None:
        collector, record, started = running.collector, running.record, self._clock.monotonic()
        version = self._version()
        try:
            samples = await within(self._clock, collector.deadline, collector.name, running.collect(self._host))
        except Unsupported as error:
            running.keep((), record, None)
            record.unsupported, record.error = True, str(error)
        except HostError as error:
            running.failed(error)
        except Exception as error:  # a broken collector is counted and logged, and the others go on
            log.exception("collector %s failed", collector.name)
            running.failed(error)
        else:
            running.keep(samples, record, self._clock.now())
        record.runs += 1
        record.duration = self._clock.monotonic() - started
        if self._version() != version:
            self._forget_gone()

    def _version(self) -> int:
        last = self._host.domains.last
        return last.version if last is not None else 0

    def _forget_gone(self) -> None:
        """A domain came or went while a collector ran: no sample may be about one that is gone."""
        last = self._host.domains.last
        if last is not None:
            for running in self._running:
                running.drop_all_but(last.names)

    async def _publish(self) -> None:
        while True:
            await self._fresh.wait()
            await self._clock.sleep(SETTLE_SECONDS)
            self._fresh.clear()
            await self._on_snapshot(self.snapshot())


class _Running:
    """One collector, its reading function, its last good samples and its record."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.collect = collector.begin()
        self.record = CollectorRecord(collector.name)
        self.samples: Sequence[Sample] = ()
        self._by_domain = frozenset(metric for metric in collector.metrics if "domain" in metric.labels)

    def keep(self, samples: Sequence[Sample], record: CollectorRecord, at: float | None) -> None:
        self.samples = samples
        record.ok, record.error, record.unsupported = True, None, False
        record.last_success = at

    def failed(self, error: Exception) -> None:
        """The last good samples stay; a metric shows their age."""
        self.record.ok, self.record.error = False, str(error) or type(error).__name__
        if isinstance(error, TimedOut):
            self.record.timeouts += 1
        else:
            self.record.errors[_reason(error)] += 1

    def drop_all_but(self, names: frozenset[str]) -> None:
        if self._by_domain and self.collector.follows_domains:
            self.samples = [s for s in self.samples if s.metric not in self._by_domain or _domain_of(s) in names]


def _domain_of(sample: Sample) -> str:
    return sample.labels[sample.metric.labels.index("domain")]


def _reason(error: Exception) -> str:
    for kind, word in _REASONS:
        if isinstance(error, kind):
            return word
    return "bug"


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (Unavailable, "unavailable"),
    (CommandFailed, "command_failed"),
    (HostError, "host"),
)


def declared_by(collectors: Iterable[Collector]) -> dict[str, Metric]:
    """The metrics of collectors by name; two that declare one name must mean the same."""
    metrics: dict[str, Metric] = {}
    for collector in collectors:
        for metric in collector.metrics:
            if metrics.setdefault(metric.name, metric) != metric:
                raise ValueError(f"collector {collector.name} declares {metric.name} differently from another")
    return metrics
