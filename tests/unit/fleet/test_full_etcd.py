"""An etcd that fills up by itself: hosts keep what they have there, and the rest is told when somebody made room."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet.etcd_cluster import EtcdCluster

from xenwatch.base.clock import SystemClock
from xenwatch.fleet.etcd import EtcdClient, EtcdFull
from xenwatch.fleet.hub import Hub
from xenwatch.fleet.registry import HostRegistry
from xenwatch.fleet.rule import fleet_rules
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import HOST

pytestmark = pytest.mark.timeout(300)
ROOM = 4 * 1024 * 1024


@pytest.fixture
def small(tmp_path: Path) -> Iterator[EtcdCluster]:
    """Its file may have four megabytes."""
    if shutil.which("etcd") is None or shutil.which("etcdctl") is None:
        pytest.skip("Debian's etcd-server and etcd-client are not installed; packaging/setup.sh test installs them")
    with EtcdCluster(tmp_path, f"--quota-backend-bytes={ROOM}").running() as cluster:
        yield cluster


def nfs_dead() -> Incident:
    line, now = "nfs: server 10.0.0.9 not responding, still trying", SystemClock().now()
    fields = {"server": "10.0.0.9"}
    diagnosis = Diagnosis("nfs-not-responding", "nfs-unavailable", HOST, "error", "NFS", line, "", now, fields=fields)
    return Incident("n1", diagnosis, "open", now, now)


async def fill(client: EtcdClient) -> None:
    for number in range(1000):
        await client.put(f"/other/{number}", "x" * 100_000)


def make_room(cluster: EtcdCluster) -> None:
    """As etcd's manual has it: delete, compact, defragment each member, take the alarm back."""
    cluster.control("del", "--prefix", "/other/")
    argv = ["etcdctl", "--endpoints", cluster.endpoints[0], "endpoint", "status", "-w", "json"]
    said = subprocess.run(argv, check=True, capture_output=True, env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"})
    cluster.control("compact", str(json.loads(said.stdout)[0]["Status"]["header"]["revision"]))
    cluster.control("defrag")
    cluster.control("alarm", "disarm")


async def test_hosts_stay_in_an_etcd_that_is_full_and_what_failed_meanwhile_is_one_incident_afterwards(small, until):
    hub = Hub("hub", small.connect, fleet_rules(), SystemClock())
    registries = [HostRegistry(f"xen{n}", small.connect, SystemClock(), lease_seconds=5) for n in range(3)]
    running, client = [asyncio.create_task(part.run()) for part in (hub, *registries)], small.connect()
    try:
        await until(lambda: len(hub.view.hosts) == 3 and hub.is_leader)
        with pytest.raises(EtcdFull, match="space"):
            await fill(client)
        for registry in registries:
            registry.offer([nfs_dead()])
        await until(lambda: all(registry.failures for registry in registries))
        await asyncio.sleep(8)
        assert len(hub.view.hosts) == 3, "leases of 5 s are kept alive in an etcd that writes nothing"
        await asyncio.to_thread(make_room, small)
        await until(lambda: [len(one.hosts) for one in hub.view.fleet.values()] == [3])
        assert hub.is_leader
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await client.close()
