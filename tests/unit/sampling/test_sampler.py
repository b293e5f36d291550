"""Collectors keep their own pace and their last good data, and nothing one does delays another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import CommandFailed, Unavailable, Unsupported
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.host import Host, build_host
from xenwatch.host.inventory import DomainInventory
from xenwatch.host.paths import Paths
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.sampling.collector import Collector
from xenwatch.sampling.sampler import Sampler, declared_by

NUMBER = Metric("xen_number", "gauge", "A number")
BY_DOMAIN = Metric("xen_by_domain", "gauge", "A number of a domain", ("domain",))


def collector(name: str, work: Callable[[Host], Awaitable[Sequence[Sample]]], **more: object) -> Collector:
    settings = {"interval": 10.0, "deadline": 5.0, **more}
    return Collector(name=name, metrics=(NUMBER, BY_DOMAIN), begin=lambda: work, **settings)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def host(clock: ManualClock, tmp_path: Path) -> Host:
    return build_host(clock, Paths(tmp_path), SystemRunner(), toolstack=None, libvirt_uri=None)


@asynccontextmanager
async def running(sampler: Sampler) -> AsyncIterator[None]:
    task = asyncio.create_task(sampler.run())
    await settle()
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def value(snapshot: Snapshot, name: str, *labels: str) -> float | None:
    return next((s.value for s in snapshot.samples if s.metric.name == name and s.labels == labels), None)


async def test_each_collector_runs_at_its_own_pace(clock: ManualClock, host: Host) -> None:
    runs = {"fast": 0, "slow": 0}

    def counting(name: str) -> Callable[[Host], Awaitable[Sequence[Sample]]]:
        async def collect(_host: Host) -> Sequence[Sample]:
            runs[name] += 1
            return []

        return collect

    fast, slow = collector("fast", counting("fast"), interval=5.0), collector("slow", counting("slow"), interval=30.0)
    async with running(Sampler([fast, slow], host, clock)):
        for _ in range(6):
            clock.advance(5)
            await settle()
    assert runs == {"fast": 7, "slow": 2}


async def test_a_collector_that_hangs_is_given_up_and_keeps_its_last_good_data(clock: ManualClock, host: Host) -> None:
    hang = False

    async def collect(_host: Host) -> Sequence[Sample]:
        if hang:
            await asyncio.Event().wait()
        return [Sample(NUMBER, (), 1.0)]

    async def well(_host: Host) -> Sequence[Sample]:
        return []

    sampler = Sampler([collector("hangs", collect), collector("well", well)], host, clock)
    async with running(sampler):
        last_good = clock.now()
        hang = True
        clock.advance(10)
        await settle()
        assert value(sampler.snapshot(), "xenwatch_collector_success", "hangs") == 1.0
        clock.advance(5)
        await settle()
        snapshot = sampler.snapshot()
    assert value(snapshot, "xen_number") == 1.0
    assert value(snapshot, "xenwatch_collector_success", "hangs") == 0.0
    assert value(snapshot, "xenwatch_collector_timeouts_total", "hangs") == 1.0
    assert value(snapshot, "xenwatch_collector_last_success_timestamp_seconds", "hangs") == last_good
    assert value(snapshot, "xenwatch_collector_last_success_timestamp_seconds", "well") == last_good + 10
    assert snapshot.health["hangs"].error == "hangs: not done within 5 s"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unavailable("no socket"), "unavailable"),
        (CommandFailed(["xl"], 1, ""), "command_failed"),
        (ZeroDivisionError("oops"), "bug"),
    ],
)
async def test_a_failure_is_counted_by_reason_and_the_next_run_may_go_well(
    clock: ManualClock, host: Host, error: Exception, reason: str
) -> None:
    failures = [error]

    async def collect(_host: Host) -> Sequence[Sample]:
        if failures:
            raise failures.pop()
        return [Sample(NUMBER, (), 2.0)]

    sampler = Sampler([collector("fails", collect)], host, clock)
    async with running(sampler):
        assert value(sampler.snapshot(), "xenwatch_collector_errors_total", "fails", reason) == 1.0
        assert value(sampler.snapshot(), "xen_number") is None
        clock.advance(10)
        await settle()
        assert value(sampler.snapshot(), "xen_number") == 2.0
        assert value(sampler.snapshot(), "xenwatch_collector_success", "fails") == 1.0


async def test_what_the_host_will_never_answer_emits_nothing_and_is_asked_seldom(
    clock: ManualClock, host: Host
) -> None:
    asked = 0

    async def collect(_host: Host) -> Sequence[Sample]:
        nonlocal asked
        asked += 1
        raise Unsupported("no such thing here")

    sampler = Sampler([collector("never", collect)], host, clock)
    async with running(sampler):
        for _ in range(5):
            clock.advance(10)
            await settle()
        snapshot = sampler.snapshot()
    assert asked == 1
    assert value(snapshot, "xenwatch_collector_unsupported", "never", "all") == 1.0
    assert value(snapshot, "xenwatch_collector_success", "never") == 1.0
    assert value(snapshot, "xenwatch_collector_last_success_timestamp_seconds", "never") is None


async def test_runs_missed_while_one_took_long_are_skipped_and_counted(clock: ManualClock, host: Host) -> None:
    go_on = asyncio.Event()

    async def collect(_host: Host) -> Sequence[Sample]:
        await go_on.wait()
        return []

    sampler = Sampler([collector("long", collect, deadline=60.0)], host, clock)
    async with running(sampler):
        clock.advance(35)
        go_on.set()
        await settle()
    assert value(sampler.snapshot(), "xenwatch_collector_skipped_total", "long") == 3.0


async def test_a_snapshot_comes_once_for_all_that_were_due_together(clock: ManualClock, host: Host) -> None:
    seen: list[Snapshot] = []

    async def collect(_host: Host) -> Sequence[Sample]:
        return [Sample(NUMBER, (), 1.0)]

    async def see(snapshot: Snapshot) -> None:
        seen.append(snapshot)

    sampler = Sampler([collector("a", collect), collector("b", collect)], host, clock, see)
    async with running(sampler):
        clock.advance(1)
        await settle()
        assert len(seen) == 1
        assert set(seen[0].health) == {"a", "b"}
        clock.advance(9)
        await settle()
        clock.advance(1)
        await settle()
    assert len(seen) == 2


async def test_series_of_a_domain_that_is_gone_are_gone_at_once(clock: ManualClock, host: Host) -> None:
    """A slow collector still holds its last samples when a fast one sees that the guest is gone."""
    present = ["web", "db"]

    async def domains(host: Host) -> Sequence[Sample]:
        version = (host.domains.last.version if host.domains.last else 0) + 1
        host.domains.last = DomainInventory(clock.now(), (), version=version, names=frozenset(present))
        return []

    async def disks(_host: Host) -> Sequence[Sample]:
        return [Sample(BY_DOMAIN, (name,), 1.0) for name in ("web", "db")] + [Sample(NUMBER, (), 1.0)]

    fast, slow = collector("domains", domains), collector("disks", disks, interval=300.0)
    past = collector("events", disks, interval=300.0, follows_domains=False)
    sampler = Sampler([fast, slow, past], host, clock)
    async with running(sampler):
        assert value(sampler.snapshot(), "xen_by_domain", "db") == 1.0
        present.remove("db")
        clock.advance(10)
        await settle()
        kept = [s.labels for s in sampler.snapshot().samples if s.metric is BY_DOMAIN]
    assert sorted(kept) == [("db",), ("web",), ("web",)]
    assert value(sampler.snapshot(), "xen_number") == 1.0


def test_two_collectors_may_not_mean_different_things_by_one_name() -> None:
    other = Metric("xen_number", "counter", "Another")
    one = Collector("one", (NUMBER,), lambda: None, 1, 1)  # type: ignore[arg-type, return-value]
    two = Collector("two", (other,), lambda: None, 1, 1)  # type: ignore[arg-type, return-value]
    with pytest.raises(ValueError, match="two declares xen_number differently"):
        declared_by([one, two])
