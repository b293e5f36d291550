"""Serves a stand-in pool in a process of its own, for measuring: prints its address and its authority's certificate.

usage: PYTHONPATH=tests python -m xapi.serve FOLDER HOSTS GUESTS
"""

import asyncio
import sys
from pathlib import Path

from xapi.pools import build_pool, running


async def main(folder: str, hosts: str, guests: str) -> None:
    pool = build_pool(Path(folder), int(hosts), int(guests))
    async with running(pool):
        print(pool.url(), pool.authority.certificate, flush=True)  # noqa: T201 - read by who started it
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
