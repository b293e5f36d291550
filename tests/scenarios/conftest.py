"""Lets the stories and the tests of remediation share the simulated hosts, and serves a pool."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from xapi.pools import StandInPool, build_pool, running

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[StandInPool]:
    async with running(build_pool(tmp_path)) as serving:
        yield serving
