"""The connection to libvirt, against its own test driver and a real libvirtd that is stopped and killed."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hosts.libvirtd import Daemon, daemon_of_our_own
from hosts.node import own_node

from xenwatch.base.clock import ManualClock, SystemClock
from xenwatch.base.errors import HostError, TimedOut, Unavailable, Unsupported
from xenwatch.host.libvirt.client import Libvirt
from xenwatch.host.libvirt.connection import LifecycleEvent, Session


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Libvirt]:
    door = Libvirt(own_node(tmp_path), SystemClock())
    yield door
    await door.close()


def names(session: Session) -> list[str]:
    domains = session.call("connectListAllDomains", session.connection.listAllDomains)
    return [domain.name() for domain in domains]


async def test_work_is_done_on_a_connection_that_opens_by_itself(door: Libvirt) -> None:
    assert not door.up
    assert await door.run("list", names, 10) == ["test"]
    assert door.up
    assert "connectListAllDomains" in door.stats.histogram()


async def test_a_call_the_driver_lacks_is_asked_once_only(door: Libvirt) -> None:
    asked = []

    def job(session: Session) -> object:
        domain = session.connection.listAllDomains()[0]
        return session.call("domainGetJobInfo", lambda: (asked.append(1), domain.jobInfo()))

    for _ in range(3):
        with pytest.raises(Unsupported, match="domainGetJobInfo"):
            await door.run("jobs", job, 10)
    assert len(asked) == 1
    assert door.stats.unsupported == {"domainGetJobInfo"}


async def test_libvirts_own_error_is_ours_and_is_not_printed(door: Libvirt, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(HostError, match="Domain not found"):
        await door.run("lookup", lambda s: s.call("lookup", s.connection.lookupByName, "nobody").name(), 10)
    assert door.stats.errors == {("lookup", "42"): 1}
    assert capfd.readouterr() == ("", "")
    assert door.up


async def test_lifecycle_events_arrive_in_the_event_loop(tmp_path: Path) -> None:
    seen: asyncio.Queue[LifecycleEvent] = asyncio.Queue()
    door = Libvirt(own_node(tmp_path), ManualClock(), on_lifecycle=seen.put_nowait)
    await door.run("destroy", lambda s: s.connection.lookupByName("test").destroy(), 10)
    async with asyncio.timeout(10):
        event = await seen.get()
    await door.close()
    assert (event.name, event.event, event.detail, event.at) == ("test", "stopped", "destroyed", 1_700_000_000.0)


async def test_a_hung_call_costs_a_thread_and_nobody_else(door: Libvirt) -> None:
    go_on = threading.Event()
    with pytest.raises(TimedOut):
        await door.run("hang", lambda _s: go_on.wait(), 0.05)
    assert door.stuck_calls == 1
    assert await door.run("list", names, 10) == ["test"]
    go_on.set()
    async with asyncio.timeout(10):
        while door.stuck_calls:  # noqa: ASYNC110 - the other thread's end has no event
            await asyncio.sleep(0)


async def test_when_all_threads_hang_callers_are_told_at_once_and_none_are_added(door: Libvirt) -> None:
    go_on, before = threading.Event(), threading.active_count()
    for _ in range(4):
        with pytest.raises(TimedOut):
            await door.run("hang", lambda _s: go_on.wait(), 0.02)
    with pytest.raises(Unavailable, match="hang in earlier calls"):
        await door.run("list", names, 60)
    assert threading.active_count() <= before + 4
    go_on.set()


async def test_an_absent_daemon_is_asked_again_with_growing_pauses(tmp_path: Path) -> None:
    clock = ManualClock()
    door = Libvirt(f"test+unix:///default?socket={tmp_path}/none", clock)
    for pause in (1, 2, 4):
        with pytest.raises(Unavailable, match="Failed to connect socket"):
            await door.run("list", names, 10)
        with pytest.raises(Unavailable, match=f"next attempt in {pause} s"):
            await door.run("list", names, 10)
        clock.advance(pause)
    assert door.stats.errors[("open", "38")] == 3
    await door.close()


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with daemon_of_our_own() as daemon:
        yield daemon


async def _until_listed(door: Libvirt) -> list[str]:
    async with asyncio.timeout(60):
        while True:
            try:
                return await door.run("list", names, 2)
            except HostError:
                await asyncio.sleep(0.1)


async def test_a_stopped_libvirtd_costs_bounded_threads_and_descriptors_and_is_used_again_when_it_goes_on(
    daemon: Daemon,
) -> None:
    door = Libvirt(daemon.uri, SystemClock())
    assert await _until_listed(door) == ["test"]
    descriptors, threads = _open_files(), threading.active_count()
    daemon.signal(signal.SIGSTOP)
    for _ in range(12):
        with pytest.raises(HostError):
            await door.run("list", names, 0.1)
    assert not door.up
    assert threading.active_count() <= threads + 4
    daemon.signal(signal.SIGCONT)
    assert await _until_listed(door) == ["test"]
    assert _open_files() <= descriptors + 1
    await door.close()


async def test_a_connection_carries_one_call_at_a_time(door: Libvirt) -> None:
    """libvirt before 10.3 crashes the process when a connection dies under several calls (CVE-2024-4418)."""
    running, most = 0, 0

    def count(session: Session) -> list[str]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        found = names(session)
        running -= 1
        return found

    await asyncio.gather(*(door.run("count", count, 30) for _ in range(20)))
    assert (running, most) == (0, 1)


async def test_a_connection_that_is_closed_under_a_running_call_lives_until_the_call_comes_back(door: Libvirt) -> None:
    """Freed at once, the process would crash inside libvirt."""
    go_on = threading.Event()

    def slow(session: Session) -> list[str]:
        go_on.wait()
        return names(session)

    call = asyncio.create_task(door.run("slow", slow, 30))
    await door.run("list", names, 10)
    await door.close()
    go_on.set()
    assert await call == ["test"]


async def test_a_killed_libvirtd_is_found_again_once_it_is_back(daemon: Daemon) -> None:
    door = Libvirt(daemon.uri, SystemClock())
    await _until_listed(door)
    daemon.signal(signal.SIGKILL)
    with pytest.raises(Unavailable):
        await door.run("list", names, 2)
    daemon.start()
    assert await _until_listed(door) == ["test"]
    assert door.reconnects == 1
    await door.close()


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
