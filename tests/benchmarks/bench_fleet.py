"""The fleet's sizes on a real etcd: so many hosts, twenty changes of incidents a minute each; what the hub takes.

Usage: bench_fleet.py HOSTS SECONDS
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/fleet"))
import click
from conftest import EtcdCluster  # the tests' own

from xenwatch.base.clock import SystemClock
from xenwatch.fleet.registry import HostRegistry
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import HOST

PORT = 10298
PER_MINUTE = 20


def incident(number: int, server: str, state: str) -> Incident:
    line = f"nfs: server {server} not responding, still trying"
    fields, now = {"server": server}, time.time()
    diagnosis = Diagnosis("nfs-not-responding", "nfs-unavailable", HOST, "error", "NFS", line, "", now, fields=fields)
    return Incident(f"i{number}", diagnosis, state, now, now, resolved=now if state == "resolved" else None)


def fleet() -> dict[str, int]:
    """Hosts by what they have in common; nothing before the hub listens."""
    try:
        return _fleet()
    except OSError:
        return {}


def _fleet() -> dict[str, int]:
    with urlopen(f"http://127.0.0.1:{PORT}/fleet/incidents", timeout=5) as answer:
        return {i["key"]: len(i["hosts"]) for i in json.loads(answer.read())["incidents"] if i["state"] == "open"}


async def churn(registry: HostRegistry, until: float) -> None:
    number = 0
    while time.monotonic() < until:
        await asyncio.sleep(random.uniform(0, 120 / PER_MINUTE))
        number += 1
        state = "open" if number % 2 else "resolved"
        registry.offer([incident(number // 2 % 5, f"10.1.{random.randrange(250)}.{random.randrange(250)}", state)])


async def delays(registries: list[HostRegistry], until: float) -> list[float]:
    """Seconds from three hosts' incidents to the fleet's, again and again, each time for another server."""
    found, number = list[float](), 0
    while time.monotonic() < until:
        number += 1
        server, began = f"10.9.{number}.1", time.monotonic()
        for registry in random.sample(registries, 3):
            registry.offer([incident(9, server, "open")])
        while server not in await asyncio.to_thread(fleet) and time.monotonic() < began + 60:  # noqa: ASYNC110  it asks another process
            await asyncio.sleep(0.05)
        found.append(time.monotonic() - began)
    return found


async def main(hosts: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        etcd = EtcdCluster(Path(folder))
        etcd.start()
        etcd.wait()
        environment = {**os.environ, "XENWATCH_FLEET_ETCD": ",".join(etcd.endpoints)}
        argv = [sys.executable, "-m", "xenwatch.cli.main", "hub", "--listen", f"127.0.0.1:{PORT}"]
        hub = subprocess.Popen(argv, env=environment)  # noqa: ASYNC220  before anything else runs
        try:
            await measure(etcd, hub.pid, hosts, seconds)
        finally:
            hub.kill()
            hub.wait()
            etcd.kill()


async def measure(etcd: EtcdCluster, hub: int, hosts: int, seconds: float) -> None:
    registries = [HostRegistry(f"xen{n}", etcd.connect, SystemClock()) for n in range(hosts)]
    running = [asyncio.create_task(registry.run()) for registry in registries]
    while not all(registry.is_connected for registry in registries):  # noqa: ASYNC110  as above
        await asyncio.sleep(0.2)
    until, cpu = time.monotonic() + seconds, cpu_seconds(hub)
    began = time.monotonic()
    churning = [asyncio.create_task(churn(registry, until)) for registry in registries]
    found = sorted(await delays(registries, until))
    took = time.monotonic() - began
    used = (cpu_seconds(hub) - cpu) / took
    click.echo(f"{hosts} hosts, {took:.0f} s: the hub took {used:.2f} of a core and {resident(hub) / 1e6:.0f} MB")
    click.echo(f"from a host's incident to the fleet's, {len(found)} times: median {found[len(found) // 2]:.2f} s, "
          f"longest {found[-1]:.2f} s; refused or late writes: {sum(r.failures for r in registries)}")  # fmt: skip
    for task in (*churning, *running):
        task.cancel()
    await asyncio.gather(*churning, *running, return_exceptions=True)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
