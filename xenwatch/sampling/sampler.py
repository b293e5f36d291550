"""Runs collectors, each at its own pace and under its own deadline, and hands out snapshots of what stands."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from xenwatch.base.clock import Clock
from xenwatch.base.deadline import within
from xenwatch.base.errors import CommandFailed, HostError, TimedOut, Unavailable, Unsupported
from xenwatch.base.supervise import supervise
from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.sampling.collector import Collector
from xenwatch.sampling.health import Record, health_samples

log = logging.getLogger(__name__)

SETTLE_SECONDS = 1.0
"""From the first new data of a cycle to its snapshot, so that collectors due together come out together."""
_UNSUPPORTED_PAUSE = 60.0
"""md, iSCSI or /etc/xen/auto may come to be later, and to find them missing costs next to nothing."""


class Sampler:
    """`run()` until cancelled; `snapshot()` at any time; `on_snapshot` after each cycle."""

    def __init__(
        self,
        collectors: Iterable[Collector],
        host: Host,
        clock: Clock,
        on_snapshot: Callable[[Snapshot], None] = lambda _snapshot: None,
    ) -> None:
        self._host, self._clock, self._on_snapshot = host, clock, on_snapshot
        self._running = [_Running(collector) for collector in collectors]
        self._fresh = asyncio.Event()
        self._names: frozenset[str] | None = None

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for one in self._running:
                name = f"collector {one.collector.name}"
                group.create_task(supervise(name, lambda one=one: self._keep_running(one), self._clock), name=name)  # type: ignore[misc]
            group.create_task(self._publish(), name="snapshots")

    def snapshot(self) -> Snapshot:
        """All samples that stand now, last good ones included."""
        records = [one.record for one in self._running]
        samples = [sample for one in self._running for sample in one.samples]
        samples += health_samples(records, self._host.sources())
        health = {record.collector: record.health() for record in records if record.runs}
        return Snapshot(self._clock.now(), tuple(samples), health)

    async def take_once(self) -> Snapshot:
        """Every collector once, side by side, and what came of it."""
        await asyncio.gather(*(self._once(one) for one in self._running))
        return self.snapshot()

    async def _keep_running(self, one: "_Running") -> None:
        interval, due = one.collector.interval, self._clock.monotonic()
        while True:
            await self._once(one)
            self._fresh.set()
            due += _UNSUPPORTED_PAUSE if one.record.unsupported else interval
            late = self._clock.monotonic() - due
            if late > 0:
                missed = int(late // interval) + 1
                one.record.skipped += missed
                due += missed * interval
            await self._clock.sleep(due - self._clock.monotonic())

    async def _once(self, one: "_Running") -> None:
        collector, record, started = one.collector, one.record, self._clock.monotonic()
        version = self._version()
        try:
            samples = await within(self._clock, collector.deadline, collector.name, one.collect(self._host))
        except Unsupported as error:
            one.keep((), record, None)
            record.unsupported, record.error = True, str(error)
        except HostError as error:
            one.failed(error)
        except Exception as error:  # the one fence around a collector: it is counted and logged, and the others go on
            log.exception("collector %s failed", collector.name)
            one.failed(error)
        else:
            one.keep(samples, record, self._clock.now())
        record.runs += 1
        record.duration = self._clock.monotonic() - started
        if self._version() != version:
            self._forget_gone()

    def _version(self) -> int:
        last = self._host.domains.last
        return last.version if last is not None else 0

    def _forget_gone(self) -> None:
        """A domain came or went while a collector ran: no sample may speak of one that is not there."""
        last = self._host.domains.last
        if last is not None:
            for one in self._running:
                one.drop_all_but(last.names)

    async def _publish(self) -> None:
        while True:
            await self._fresh.wait()
            await self._clock.sleep(SETTLE_SECONDS)
            self._fresh.clear()
            self._on_snapshot(self.snapshot())


class _Running:
    """One collector at work: its reading function, its last good samples, its record."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.collect = collector.begin()
        self.record = Record(collector.name)
        self.samples: Sequence[Sample] = ()
        self._by_domain = frozenset(metric for metric in collector.metrics if "domain" in metric.labels)

    def keep(self, samples: Sequence[Sample], record: Record, at: float | None) -> None:
        self.samples = samples
        record.ok, record.error, record.unsupported = True, None, False
        record.last_success = at

    def failed(self, error: Exception) -> None:
        """The last good samples stay; their age is told."""
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
