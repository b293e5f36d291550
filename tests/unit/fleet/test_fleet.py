"""Fifty hosts and their hubs on a real etcd: one cause is one incident, also while members and hubs die."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from xenwatch.base.clock import SystemClock
from xenwatch.fleet.etcd import EtcdAccess, EtcdClient, EtcdUnavailable, created_at, put_operation
from xenwatch.fleet.host_report import LARGEST, incident_of, incident_text
from xenwatch.fleet.hub import Hub
from xenwatch.fleet.hub_web import hub_app
from xenwatch.fleet.incident import FleetIncident
from xenwatch.fleet.registry import HostRegistry
from xenwatch.fleet.rule import fleet_rules
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import HOST

pytestmark = pytest.mark.timeout(300)
CLOCK = SystemClock()
LEASE = 5


def nfs_dead(server: str = "10.0.0.9", *, guest_told: bool = False, **changes: Any) -> Incident:
    now = CLOCK.now()
    diagnosis = Diagnosis(
        rule="nfs-not-responding",
        class_="nfs-unavailable",
        subject=HOST,
        severity="error",
        title="NFS does not answer",
        summary=f"nfs: server {server} not responding, still trying",
        cause="The server is down.",
        at=now,
        fields={"server": server},
        guest_told=guest_told,
    )
    return Incident(**{"id": "n1", "diagnosis": diagnosis, "state": "open", "opened": now, "last_seen": now, **changes})


@asynccontextmanager
async def running(*parts: Hub | HostRegistry) -> AsyncIterator[list["asyncio.Task[None]"]]:
    tasks = [asyncio.create_task(part.run()) for part in parts]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def hub(etcd, name: str) -> Hub:
    return Hub(name, etcd.connect, fleet_rules(), CLOCK, lease_seconds=LEASE)


def hosts(etcd, count: int) -> list[HostRegistry]:
    return [HostRegistry(f"xen{n}", etcd.connect, CLOCK, lease_seconds=LEASE) for n in range(count)]


def open_ones(hub: Hub) -> list[FleetIncident]:
    return [incident for incident in hub.view.fleet.values() if incident.is_open]


async def test_a_dead_nfs_server_is_one_incident_that_names_fifty_hosts_and_ends_as_one(etcd, until):
    first, registries = hub(etcd, "hub1"), hosts(etcd, 50)
    async with running(first, *registries), TestClient(TestServer(hub_app(first))) as web:
        for registry in registries:
            registry.offer([nfs_dead()])
        await until(lambda: any(len(i.hosts) == 50 for i in open_ones(first)))
        (incident,) = open_ones(first)
        assert sorted(incident.hosts) == sorted(f"xen{n}" for n in range(50))
        assert len(incident.children) == 50
        page = [line for line in (await (await web.get("/metrics")).text()).splitlines() if "incident_open{" in line]
        assert len(page) == 1
        assert page[0].endswith(" 50.0")
        assert 'rule="fleet-nfs-server-dead"' in page[0]
        shown = await (await web.get(f"/fleet/incidents/{incident.id}")).json()
        assert len(shown["children"]) == 50
        assert len((await (await web.get("/fleet/hosts")).json())["hosts"]) == 50
        for registry in registries:
            registry.offer([nfs_dead(state="resolved", resolved=CLOCK.now())])
        await until(lambda: not open_ones(first))
        assert [i.state for i in first.view.fleet.values()] == ["resolved"]


async def test_what_hosts_share_reaches_the_hub_and_many_that_fail_at_once_are_a_storm(etcd, until):
    first, registries = hub(etcd, "hub1"), hosts(etcd, 4)
    async with running(first, *registries):
        await until(lambda: len(first.view.hosts) == 4 and first.is_leader)
        await asyncio.sleep(1)
        for registry in registries:
            registry.tell({"nfs-server": ["10.0.0.9"], "kernel": ["6.1.0-13"]})
            registry.offer([nfs_dead()])
        await until(lambda: len(first.view.facts) == 4)
        assert first.view.facts["xen0"] == {"kernel": ("6.1.0-13",), "nfs-server": ("10.0.0.9",)}
        await until(lambda: "/xenwatch/fleet/storm" in first.view.marks)


async def test_two_hosts_are_no_matter_of_the_fleet(etcd, until):
    first, registries = hub(etcd, "hub1"), hosts(etcd, 2)
    async with running(first, *registries):
        for registry in registries:
            registry.offer([nfs_dead()])
        await until(lambda: len(first.view.incidents) == 2 and first.is_leader)
        await asyncio.sleep(1)
        assert first.view.fleet == {}


async def test_a_hub_that_dies_in_a_storm_is_followed_by_another_and_nothing_is_lost_or_doubled(etcd, until):
    """It dies without a farewell: its key stands until the lease is over."""
    hubs, registries = [hub(etcd, "hub1"), hub(etcd, "hub2")], hosts(etcd, 8)
    async with running(*registries), running(*hubs) as tasks:
        await until(lambda: any(h.is_leader for h in hubs))
        leader, other = hubs if hubs[0].is_leader else hubs[::-1]
        for registry in registries[:4]:
            registry.offer([nfs_dead()])
        await until(lambda: open_ones(other))
        (before,) = open_ones(other)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(EtcdClient, "revoke", _nothing)
            dying = tasks[hubs.index(leader)]
            dying.cancel()
            with suppress(asyncio.CancelledError):
                await dying
        for registry in registries[4:]:
            registry.offer([nfs_dead()])
        await until(lambda: other.is_leader)
        await until(lambda: [len(i.hosts) for i in open_ones(other)] == [8])
        assert [i.id for i in other.view.fleet.values()] == [before.id]


async def _nothing(_client: EtcdClient, _lease: int) -> None:
    return None


async def test_a_hub_that_slept_through_its_lease_writes_nothing(etcd, until):
    first = hub(etcd, "hub1")
    async with running(first):
        await until(lambda: first.is_leader)
    client = etcd.connect()
    try:
        await client.put("/xenwatch/fleet/leader", "another hub")
        listing = await client.list_below("/xenwatch/fleet/leader")
        stale = listing.keys[0].created - 1
        wrote = await client.transact([created_at("/xenwatch/fleet/leader", stale)], [put_operation("/x", "y")])
        assert not wrote
        assert (await client.list_below("/x/")).keys == ()
    finally:
        await client.close()


async def test_while_etcd_is_away_a_host_goes_on_and_afterwards_everything_that_is_true_is_there(etcd, until):
    first, registries = hub(etcd, "hub1"), hosts(etcd, 3)
    async with running(first, *registries):
        await until(lambda: len(first.view.hosts) == 3)
        etcd.kill()
        for registry in registries:
            registry.offer([nfs_dead()])
        await until(lambda: registries[0].failures > 0 and not first.view.is_current)
        assert not any(registry.is_connected for registry in registries)
        etcd.start()
        await until(lambda: any(len(i.hosts) == 3 for i in open_ones(first)))


async def test_an_etcd_that_came_back_empty_is_filled_again(etcd, until):
    first, registries = hub(etcd, "hub1"), hosts(etcd, 3)
    async with running(first, *registries):
        for registry in registries:
            registry.offer([nfs_dead()])
        await until(lambda: open_ones(first))
        (before,) = open_ones(first)
        etcd.erase()
        await until(lambda: not first.view.is_current)
        etcd.start()
        await until(lambda: first.view.is_current and any(len(i.hosts) == 3 for i in open_ones(first)))
        assert [i.id for i in open_ones(first)] == [before.id]


async def test_one_of_three_members_that_hangs_holds_nobody_up_for_long(etcd, until):
    first, registries = hub(etcd, "hub1"), hosts(etcd, 3)
    async with running(first, *registries):
        await until(lambda: len(first.view.hosts) == 3)
        etcd.stop(0)
        try:
            for registry in registries:
                registry.offer([nfs_dead()])
            await until(lambda: any(len(i.hosts) == 3 for i in open_ones(first)))
        finally:
            etcd.go_on(0)


async def test_compaction_loses_nothing(etcd, until):
    first, registries = hub(etcd, "hub1"), hosts(etcd, 3)
    client = etcd.connect()
    try:
        for number in range(20):
            await client.put("/other", str(number))
        revision = (await client.list_below("/other")).revision
        await client.call("kv/compaction", {"revision": str(revision)})
        async with running(first, *registries):
            for registry in registries:
                registry.offer([nfs_dead()])
            await until(lambda: any(len(i.hosts) == 3 for i in open_ones(first)))
    finally:
        await client.close()


async def test_what_was_compacted_while_a_hub_saw_nothing_is_listed_again(etcd, until):
    first = Hub("hub1", lambda: EtcdClient(EtcdAccess(etcd.endpoints[:1])), fleet_rules(), CLOCK, lease_seconds=LEASE)
    registries, client = hosts(etcd, 3), EtcdClient(EtcdAccess(etcd.endpoints[1:]), call_seconds=30.0)
    try:
        async with running(first, *registries):
            await until(lambda: len(first.view.hosts) == 3)
            etcd.kill(0)
            await until(lambda: not first.view.is_current)
            for registry in registries:
                registry.offer([nfs_dead()])
            told = await client.list_below("/xenwatch/hosts/")
            while sum("/incidents/" in kv.key for kv in told.keys) < 3:
                await asyncio.sleep(0.2)
                told = await client.list_below("/xenwatch/hosts/")
            await client.call("kv/compaction", {"revision": str(told.revision)})
            etcd.start(0)
            await until(lambda: any(len(i.hosts) == 3 for i in open_ones(first)))
    finally:
        await client.close()


async def test_without_a_majority_nothing_is_written(etcd, until):
    client = etcd.connect()
    try:
        await client.put("/a", "1")
        etcd.kill(0, 1)
        with pytest.raises(EtcdUnavailable):
            await client.put("/a", "2")
    finally:
        await client.close()


def test_an_incident_takes_at_most_two_kibibytes_whatever_it_says():
    big = nfs_dead("ж" * 5000)
    text = incident_text(big)
    assert len(text.encode()) <= LARGEST
    known = incident_of("/xenwatch/hosts/xen1/incidents/n1", text, 7)
    assert known is not None
    assert (known.host, known.id, known.rule, known.order) == ("xen1", "n1", "nfs-not-responding", 7)


def test_what_is_no_incident_is_left_alone():
    assert incident_of("/xenwatch/hosts/xen1/self", "{}", 1) is None
    assert incident_of("/xenwatch/hosts/xen1/incidents/a", json.dumps({"rule": 1}), 1) is None


async def test_an_offer_never_waits_and_what_is_kept_is_bounded():
    def nobody() -> EtcdClient:
        raise AssertionError("not before it runs")

    registry = HostRegistry("xen1", nobody, CLOCK)
    registry.offer(nfs_dead(id=f"n{number}") for number in range(2000))
    assert len(registry._incidents) == 500


def test_what_a_guest_may_have_written_is_no_word_of_the_fleet():
    registry = HostRegistry("xen1", pytest.fail, CLOCK)
    registry.offer([nfs_dead(guest_told=True)])
    assert not registry._incidents
