"""Lifecycle of domains on libvirt's test driver: events, restarts, and a domain that comes and goes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from xenwatch.base.clock import ManualClock
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.host import Host, build_host
from xenwatch.host.libvirt.connection import LifecycleEvent, Session
from xenwatch.host.libvirt.lifecycle import Lifecycle
from xenwatch.host.paths import Paths
from xenwatch.sampling.catalogue import all_collectors

DEMO = Path(__file__).parents[2] / "hosts/demo_node.xml"


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    uri = f"test://{DEMO}"
    host = build_host(ManualClock(), Paths(tmp_path), SystemRunner(), toolstack=None, libvirt_uri=uri)
    yield host
    await host.close()


async def order(host: Host, name: str, what: Callable[[object], object]) -> None:
    """Do something to a domain, as its owner would."""
    before = len(host.lifecycle.counts)

    def work(session: Session) -> None:
        what(session.connection.lookupByName(name))

    assert host.libvirt is not None
    await host.libvirt.run("order", work, 10)
    async with asyncio.timeout(10):
        while len(host.lifecycle.counts) == before:  # noqa: ASYNC110 - the event comes from libvirt's thread
            await asyncio.sleep(0)
    host.clock.advance(5)  # type: ignore[attr-defined]


async def test_a_restart_is_counted_and_the_events_that_made_it(host: Host) -> None:
    read = all_collectors()["domain"].begin()
    await read(host)
    await order(host, "web", lambda domain: domain.destroy())  # type: ignore[attr-defined]
    down = {(s.metric.name, s.labels): s.value for s in await read(host)}
    assert down["xen_domain_state", ("web", "shutoff")] == 1
    assert ("xen_domain_cpu_seconds_total", ("web",)) not in down
    await order(host, "web", lambda domain: domain.create())  # type: ignore[attr-defined]
    up = {(s.metric.name, s.labels): s.value for s in await read(host)}
    assert (up["xen_domain_restarts_total", ("web",)], up["xen_domain_restarts_total", ("db",)]) == (1, 0)
    events = {s.labels: s.value for s in await all_collectors()["events"].begin()(host)}
    assert events[("web", "stopped", "destroyed")] == events[("web", "started", "booted")] == 1


async def test_a_domain_that_is_undefined_is_gone(host: Host) -> None:
    read = all_collectors()["domain"].begin()
    assert "archive" in {s.labels[0] for s in await read(host) if s.metric.name == "xen_domain_info"}
    await order(host, "archive", lambda domain: domain.undefine())  # type: ignore[attr-defined]
    assert "archive" not in {label for s in await read(host) for label in s.labels}


async def test_an_autostart_that_is_switched_shows_within_its_time(host: Host) -> None:
    read = all_collectors()["domain"].begin()
    await read(host)
    assert host.libvirt is not None
    await host.libvirt.run("order", lambda s: s.connection.lookupByName("db").setAutostart(1), 10)
    host.clock.advance(31)  # type: ignore[attr-defined]
    autostart = {s.labels: s.value for s in await read(host) if s.metric.name == "xen_domain_autostart"}
    assert (autostart[("db",)], autostart[("web",)]) == (1, 0)


def test_only_so_many_counts_are_kept() -> None:
    lifecycle = Lifecycle()
    for n in range(9000):
        lifecycle.seen(LifecycleEvent(0.0, f"guest{n}", "", n, "started", "booted"))
    assert len(lifecycle.counts) == 8192
    assert ("guest8999", "started", "booted") in lifecycle.counts
