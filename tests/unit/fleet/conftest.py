"""A real etcd of three members on loopback, and what tests of the fleet do with it."""

import asyncio
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fleet.etcd_cluster import EtcdCluster

sys.path.insert(0, str(Path(__file__).parents[2] / "scenarios"))  # the simulated hosts of the stories


@pytest.fixture
def etcd(tmp_path: Path) -> Iterator[EtcdCluster]:
    if shutil.which("etcd") is None:
        pytest.skip("Debian's etcd-server is not installed; packaging/setup.sh test installs it")
    with EtcdCluster(tmp_path).running() as cluster:
        yield cluster


@pytest.fixture
def until() -> Callable[..., object]:
    async def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
        """Waits until it holds; so long only where the machine is busy."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise TimeoutError("it does not come to hold")
            await asyncio.sleep(0.05)

    return until
