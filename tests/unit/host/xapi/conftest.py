"""A pool of two hosts that serves, and a client that trusts its authority."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from xapi.asking import access_to
from xapi.pools import StandInPool, build_pool, running

from xenwatch.host.xapi.client import XapiClient


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[StandInPool]:
    async with running(build_pool(tmp_path)) as serving:
        yield serving


@pytest.fixture
async def client(pool: StandInPool) -> AsyncIterator[XapiClient]:
    made = XapiClient(access_to(pool))
    try:
        yield made
    finally:
        await made.close()
