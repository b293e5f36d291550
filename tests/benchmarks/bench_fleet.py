"""The fleet's sizes on a real etcd: so many hosts, twenty changes of incidents a minute each; what the hub takes.

Usage: bench_fleet.py HOSTS SECONDS
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).parents[1]))
import click
from fleet.etcd_cluster import EtcdCluster  # the tests' own

from xenwatch.base.clock import SystemClock
from xenwatch.fleet.etcd import EtcdClient
from xenwatch.fleet.incident import INCIDENTS, fleet_incident_of
from xenwatch.fleet.registry import HostRegistry
from xenwatch.fleet.watch import watch_below
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import HOST

PORT = 10298
PER_MINUTE = 20
GUESTS = 40
PROBE_EVERY = 0.4
LONGEST = 60.0
COMPACTION = ("--auto-compaction-mode=periodic", "--auto-compaction-retention=20s")
"""Twenty seconds of revisions, as an hour's would not show that the size is bounded."""


def incident(id_: str, server: str, state: str) -> Incident:
    line = f"nfs: server {server} not responding, still trying"
    fields, now = {"server": server}, time.time()
    diagnosis = Diagnosis("nfs-not-responding", "nfs-unavailable", HOST, "error", "NFS", line, "", now, fields=fields)
    return Incident(id_, diagnosis, state, now, now, resolved=now if state == "resolved" else None)


def facts(host: int) -> dict[str, list[str]]:
    """Of a usual host: its guests, the stores and switches that it shares with its neighbours."""
    guests = [f"vm{host}-{n}=00000000-0000-4000-8000-{host:06x}{n:06x}" for n in range(GUESTS)]
    rack = [f"10.0.{host // 20}.9"]
    return {"guest": guests, "nfs-server": rack, "switch": rack, "kernel": [f"6.1.0-{host % 3}"], "ntp": ["10.0.0.1"]}


class Sightings:
    """When the fleet's incidents stood in etcd, by what the hosts have in common."""

    def __init__(self) -> None:
        self._waits: dict[str, asyncio.Future[float]] = {}

    def expect(self, key: str) -> "asyncio.Future[float]":
        return self._waits.setdefault(key, asyncio.get_running_loop().create_future())

    async def follow(self, client: EtcdClient) -> None:
        revision = (await client.list_below(INCIDENTS)).revision
        while True:
            async for events, reached in watch_below(client, INCIDENTS, revision):
                revision = reached
                for found in (fleet_incident_of(kv.value) for kv, is_gone in events if not is_gone):
                    wait = self._waits.get(found.key) if found is not None else None
                    if wait is not None and not wait.done():
                        wait.set_result(time.monotonic())


async def churn(registry: HostRegistry, until: float) -> None:
    number = 0
    while time.monotonic() < until:
        await asyncio.sleep(random.uniform(0, 120 / PER_MINUTE))
        number += 1
        state = "open" if number % 2 else "resolved"
        registry.offer(
            [incident(f"i{number // 2 % 5}", f"10.1.{random.randrange(250)}.{random.randrange(250)}", state)]
        )


async def probe(registries: list[HostRegistry], sightings: Sightings, number: int) -> float:
    """Seconds from three hosts' incidents to the fleet's; it ends again, as others do."""
    server, began = f"10.9.{number}.1", time.monotonic()
    told, wait = random.sample(registries, 3), sightings.expect(server)
    for registry in told:
        registry.offer([incident(f"p{number}", server, "open")])
    took = LONGEST
    with suppress(TimeoutError):
        took = await asyncio.wait_for(wait, LONGEST) - began
    for registry in told:
        registry.offer([incident(f"p{number}", server, "resolved")])
    return took


async def delays(registries: list[HostRegistry], sightings: Sightings, until: float) -> list[float]:
    """Of one cause after the other, begun at even distances whether or not the one before was seen."""
    running: list[asyncio.Task[float]] = []
    while time.monotonic() < until:
        running.append(asyncio.create_task(probe(registries, sightings, len(running))))
        await asyncio.sleep(PROBE_EVERY)
    return sorted(await asyncio.gather(*running))


async def main(hosts: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        etcd = EtcdCluster(Path(folder), *COMPACTION)
        etcd.start()
        etcd.wait()
        environment = {**os.environ, "XENWATCH_FLEET_ETCD": ",".join(etcd.endpoints)}
        argv = [sys.executable, "-m", "xenwatch.cli.main", "hub", "--listen", f"127.0.0.1:{PORT}"]
        hub = subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL)  # noqa: ASYNC220  before anything else runs
        try:
            await measure(etcd, hub.pid, hosts, seconds)
        finally:
            hub.kill()
            hub.wait()
            etcd.kill()


async def measure(etcd: EtcdCluster, hub: int, hosts: int, seconds: float) -> None:
    registries = [HostRegistry(f"xen{n}", etcd.connect, SystemClock()) for n in range(hosts)]
    async with AsyncExitStack() as stack:
        tasks = [asyncio.create_task(registry.run()) for registry in registries]
        stack.push_async_callback(_end, tasks)
        for number, registry in enumerate(registries):
            registry.tell(facts(number))
        while not all(registry.is_connected for registry in registries) or not _is_served():  # noqa: ASYNC110  other processes
            await asyncio.sleep(0.2)
        client, sightings = etcd.connect(), Sightings()
        stack.push_async_callback(client.close)
        tasks.append(asyncio.create_task(sightings.follow(client)))
        until = time.monotonic() + seconds
        tasks += [asyncio.create_task(churn(registry, until)) for registry in registries]
        before, own, began = cpu_seconds(hub), time.process_time(), time.monotonic()
        found = await delays(registries, sightings, until)
        took = time.monotonic() - began
        _report(hosts, took, (cpu_seconds(hub) - before) / took, resident(hub), (time.process_time() - own) / took)
        _report_delays(found, sum(registry.failures for registry in registries))
        await _report_etcd(client)


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _is_served() -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=5) as answer:
            return b'"leader": true' in answer.read()
    except OSError:
        return False


def _report(hosts: int, took: float, used: float, memory: int, own: float) -> None:
    click.echo(f"{hosts} hosts, {took:.0f} s: the hub took {used:.2f} of a core and {memory / 1e6:.0f} MB; "
               f"all agents together {own:.2f} of a core")  # fmt: skip


def _report_delays(found: list[float], failures: int) -> None:
    at = {name: found[min(len(found) - 1, int(len(found) * share))] for name, share in (("median", 0.5), ("p99", 0.99))}
    words = ", ".join(f"{name} {value:.2f} s" for name, value in at.items())
    click.echo(f"from a host's incident to the fleet's, {len(found)} times: {words}, longest {found[-1]:.2f} s; "
               f"refused or late writes: {failures}")  # fmt: skip


async def _report_etcd(client: EtcdClient) -> None:
    status = await client.call("maintenance/status", {})
    size, used = (int(status.get(name, 0)) / 1e6 for name in ("dbSize", "dbSizeInUse"))
    click.echo(f"etcd: revision {status['header']['revision']}, its file {size:.1f} MB, of which {used:.1f} MB in use")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
