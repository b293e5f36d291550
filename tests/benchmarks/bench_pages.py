"""What it costs to render each page with a thousand guests and five thousand incidents, of a host, a pool and a fleet.

The aim is 300 ms for each page. What is measured is the whole request, over HTTP on the loopback.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

sys.path.insert(0, str(Path(__file__).parents[1]))

from hosts.fleet import a_fleet
from hosts.served import BRIDGE_MISSING, Served, an_incident, guests_of
from xapi.asking import samples_of
from xapi.pools import build_pool, running

from xenwatch.base.clock import SystemClock
from xenwatch.fleet.hub_web import hub_app
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.web.app import build_app

GUESTS, INCIDENTS, OPEN, HOSTS, RULES = 1000, 5000, 500, 200, 1500
PAGES = ("/", "/?state=any", "/?q=g77", "/guests", "/guests?sort=cpu", "/guests/g500", "/storage", "/network",
         "/hypervisor", "/pools", "/pools/prod", "/rules", "/incidents/v-g7",
         "/api/v1/incidents?state=open", "/api/v1/incidents?full=1")  # fmt: skip
HUB_PAGES = ("/", "/incidents/a1")
RUNS = 5
USED = Metric("xen_domain_cpu_seconds_total", "counter", "", ("domain",))


def a_big_host() -> Served:
    """A tenth of its incidents is open."""
    served = Served()
    names = [f"g{number}" for number in range(GUESTS)]
    served.snapshot = guests_of(*names)
    for number in range(INCIDENTS):
        name = names[number % GUESTS]
        incident = an_incident(name, id=f"v-{name}" if number < GUESTS else f"v-{number}")
        served.know(incident if number < OPEN else replace(incident, state="resolved", resolved=1e9 + 90))
    served.failures = [replace(BRIDGE_MISSING, id=f"rule-{number}") for number in range(RULES)]
    for minute in range(60):
        used = tuple(Sample(USED, (name,), minute * (20.0 + minute % 7)) for name in names)
        served.trends.note(Snapshot(minute * 60.0, used))
    return served


async def a_big_pool() -> list[Sample]:
    """With as many guests, on sixteen hosts."""
    with tempfile.TemporaryDirectory() as folder:
        pool = build_pool(Path(folder), 16, GUESTS)
        async with running(pool):
            return list(await samples_of(pool))


async def measure() -> list[tuple[str, float, int]]:
    """Path, median milliseconds of CPU, bytes."""
    served = a_big_host()
    served.pools = {"prod": await a_big_pool()}
    rows = await of(build_app(served.view(), loopback=True), PAGES)
    hub = await of(hub_app(a_fleet(SystemClock(), HOSTS, INCIDENTS)), HUB_PAGES)
    return [*rows, *((f"hub {path}", cost, size) for path, cost, size in hub)]


async def of(app: web.Application, paths: Iterable[str]) -> list[tuple[str, float, int]]:
    """The same of one application."""
    rows = []
    async with TestClient(TestServer(app)) as client:
        for path in paths:
            costs, size = [], 0
            for _ in range(RUNS):
                began = time.process_time()
                async with client.get(path) as answer:
                    body = await answer.read()
                    size = len(body)
                costs.append(1000 * (time.process_time() - began))
            rows.append((path, statistics.median(costs), size))
    return rows


def main() -> None:
    """Print the table."""
    click.echo(f"{GUESTS} guests, {INCIDENTS} incidents, {OPEN} of them open")
    click.echo(f"{'page':32} {'CPU ms':>8} {'KiB':>8}")
    for path, cost, size in asyncio.run(measure()):
        click.echo(f"{path:32} {cost:8.0f} {size / 1024:8.0f}")


if __name__ == "__main__":
    main()
