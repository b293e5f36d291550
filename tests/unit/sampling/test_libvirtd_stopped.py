"""A libvirtd that is stopped for a minute: snapshots go on with the age of the data, nothing leaks, it recovers."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosts.libvirtd import Daemon, daemon_of_our_own

from xenwatch.base.clock import SystemClock
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.host import build_host
from xenwatch.host.paths import Paths
from xenwatch.model.sample import Snapshot
from xenwatch.sampling.catalogue import all_collectors
from xenwatch.sampling.sampler import Sampler

STOPPED_SECONDS = 60


@pytest.fixture
def libvirtd() -> Iterator[Daemon]:
    with daemon_of_our_own() as daemon:
        yield daemon


def known(snapshot: Snapshot) -> bool:
    return any(s.metric.name == "xen_domain_info" for s in snapshot.samples)


async def until(condition: object, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110 - seconds pass outside
            await asyncio.sleep(0.2)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_libvirtd_stopped_for_a_minute_costs_its_collectors_only(libvirtd: Daemon, tmp_path: Path) -> None:
    host = build_host(SystemClock(), Paths(tmp_path), SystemRunner(), toolstack=None, libvirt_uri=libvirtd.uri)
    parts = all_collectors()
    sampler = Sampler([parts[name] for name in ("domain", "vcpu", "libvirt", "dom0")], host, host.clock)
    running = asyncio.create_task(sampler.run())
    await until(lambda: known(sampler.snapshot()), 30)
    before = (len(os.listdir("/proc/self/fd")), threading.active_count())  # noqa: PTH208
    libvirtd.signal(signal.SIGSTOP)
    await asyncio.sleep(STOPPED_SECONDS)
    stopped = sampler.snapshot()
    assert known(stopped)
    assert not stopped.health["domain"].ok
    age = stopped.at - (stopped.health["domain"].last_success or 0)
    assert age > STOPPED_SECONDS - 15
    assert stopped.health["dom0"].ok
    assert stopped.at - (stopped.health["dom0"].last_success or 0) < 15
    assert len(os.listdir("/proc/self/fd")) <= before[0] + 2  # noqa: PTH208
    assert threading.active_count() <= before[1] + 4
    libvirtd.signal(signal.SIGCONT)
    await until(lambda: sampler.snapshot().health["domain"].ok, 90)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await host.close()
