"""One pool of 16 hosts and 1,000 guests: processor time of a cycle, and of rendering what came of it.

python tests/benchmarks/bench_xapi.py [hosts] [guests] [cycles]
"""

# ruff: noqa: T201  a benchmark prints

import asyncio
import gc
import os
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from xenwatch.base.clock import SystemClock
from xenwatch.demo.pool.methods import USERS
from xenwatch.host.xapi.access import XapiAccess
from xenwatch.host.xapi.client import XapiClient
from xenwatch.sampling.xapi.reader import PoolReader
from xenwatch.web.renderer import Renderer

CYCLE_SECONDS = 10.0
OBJECTS_MADE = 50_000
"""Between two collections of garbage, as the command line sets it for the agent."""


async def main(hosts: str = "16", guests: str = "1000", cycles: str = "6") -> None:
    """Print a line for each cycle; the first reads everything."""
    gc.set_threshold(OBJECTS_MADE, 20, 20)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{TESTS}:{TESTS.parent}:{os.environ.get('PYTHONPATH', '')}"
        argv = [sys.executable, "-m", "xapi.serve", folder, hosts, guests]
        pool = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})  # noqa: ASYNC220 - before anything is measured
        try:
            await _measure((pool.stdout.readline() if pool.stdout else "").split(), int(cycles))
        finally:
            pool.terminate()
            pool.wait()


async def _measure(served: list[str], cycles: int) -> None:
    url, authority = served
    tls = ssl.create_default_context(cafile=authority)
    client = XapiClient(XapiAccess("prod", (url,), "monitor", lambda: USERS["monitor"][0], tls))
    reader, renderer = PoolReader(client, SystemClock()), Renderer()
    for cycle in range(cycles):
        started = time.process_time()
        reading = await reader.read()
        read = time.process_time() - started
        renderer.take(reading.samples)
        rendered = time.process_time() - started - read
        print(
            f"cycle {cycle}: {read * 1e3:.0f} ms read, {rendered * 1e3:.0f} ms rendered, {len(reading.samples)} samples"
        )
        await asyncio.sleep(CYCLE_SECONDS)
    await client.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
