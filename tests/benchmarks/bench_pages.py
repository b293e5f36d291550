"""What it costs to render each page of a host with a thousand guests and five thousand incidents, in CPU time.

The aim is 300 ms for each page. What is measured is the whole request, over HTTP on the loopback.
"""

import asyncio
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

import click
from aiohttp.test_utils import TestClient, TestServer

sys.path.insert(0, str(Path(__file__).parents[1]))

from hosts.served import Served, an_incident, guests_of

from xenwatch.web.app import build_app

GUESTS, INCIDENTS, OPEN = 1000, 5000, 500
PAGES = ("/", "/?all=1", "/guests", "/guests/g500", "/storage", "/network", "/hypervisor", "/rules", "/incidents/v-g7",
         "/api/v1/incidents?state=open", "/api/v1/incidents?full=1")  # fmt: skip
RUNS = 5


def a_big_host() -> Served:
    """A tenth of its incidents is open."""
    served = Served()
    names = [f"g{number}" for number in range(GUESTS)]
    served.snapshot = guests_of(*names)
    for number in range(INCIDENTS):
        name = names[number % GUESTS]
        incident = an_incident(name, id=f"v-{name}" if number < GUESTS else f"v-{number}")
        served.know(incident if number < OPEN else replace(incident, state="resolved", resolved=1e9 + 90))
    return served


async def measure() -> list[tuple[str, float, int]]:
    """Path, median milliseconds of CPU, bytes."""
    rows = []
    async with TestClient(TestServer(build_app(a_big_host().view(), loopback=True))) as client:
        for path in PAGES:
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
