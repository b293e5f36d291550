"""A whole agent on a real log folder, a real database and libvirt's test driver, served on a free loopback port."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from xenwatch.agent.agent import Agent, ExternalAccess
from xenwatch.base.clock import SystemClock
from xenwatch.config.loader import LoadedConfig, load_config
from xenwatch.host.paths import Paths

sys.path.insert(0, str(Path(__file__).parents[2] / "scenarios"))  # the simulated hosts of the stories

NODE = Path(__file__).parents[2] / "hosts/demo_node.xml"
"""What libvirt's test driver plays."""
BRIDGE = (
    "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"
)


class Running:
    """One run of an agent and how to talk to it."""

    def __init__(self, agent: Agent, http: aiohttp.ClientSession) -> None:
        self.agent, self.http = agent, http

    async def json(self, path: str) -> Any:
        async with self.http.get(path) as answer:
            return await answer.json()

    async def text(self, path: str) -> str:
        async with self.http.get(path) as answer:
            return await answer.text()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for the agent's own threads and tasks; the deadline only ends a test that has failed."""
        async with asyncio.timeout(60):
            while not holds():  # noqa: ASYNC110 - other threads are waited for
                await asyncio.sleep(0.01)

    async def ready(self) -> None:
        progress = self.agent.progress
        await self.until(lambda: progress.has_started("logs") and progress.has_started("sampling"))

    def shows_domains(self) -> bool:
        """Whether a cycle is served in which libvirt has answered; the first may end before it has."""
        return b"\nxen_domain_vcpus{" in self.agent.server.exposition.body("text", gzip=False)

    def causes(self) -> set[str]:
        """Classes of the incidents that are open and explained by nothing."""
        return {i.diagnosis.class_ for i in self.agent.registry.incidents.values() if i.state == "open"}


@dataclass(frozen=True)
class LogFolder:
    """Where a test writes the logs of its host, and where the agent keeps its state."""

    folder: Path

    @property
    def logs(self) -> Path:
        return self.folder / "log"


def settings(host: LogFolder, cache: Path) -> dict[str, Any]:
    """For an agent whose hypervisor is libvirt's test driver."""
    return {
        "agent.state_dir": host.folder / "state",
        "logs.paths": (f"{host.logs}/*", f"{host.logs}/console/*"),
        "logs.from_start": True,
        "logs.hypervisor_every": 0.0,
        "logs.journal": False,
        "sampling.libvirt_uri": f"test://{NODE}",
        "diagnosis.cache_dir": cache,
        "web.listen": ("127.0.0.1", 0),
        "remediation.policy": host.folder / "policy.toml",
        "remediation.access": host.folder / "access.toml",
    }


class Bench:
    """Starts agents one after the other on the same host."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.host = LogFolder(folder)
        (self.host.logs / "console").mkdir(parents=True, exist_ok=True)
        self.overrides = settings(self.host, cache)
        self.config_file: Path | None = None

    def load(self) -> LoadedConfig:
        return load_config(self.config_file, {}, self.overrides, default_file=None)

    def write(self, name: str, text: str) -> None:
        path = self.host.logs / name
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as log:
            log.write(text)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Running]:
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        outside = ExternalAccess(SystemClock(), self.load, {}, port.set_result, Paths(self.host.folder / "root"))
        agent = Agent(self.load(), outside)
        task = asyncio.create_task(agent.run())
        async with aiohttp.ClientSession(f"http://127.0.0.1:{await asyncio.wait_for(port, 30)}") as http:
            try:
                yield Running(agent, http)
            finally:
                agent.stop()
                await asyncio.wait_for(task, 30)


@pytest.fixture(scope="session")
def rule_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled rules are kept for all tests of a run."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def bench(tmp_path: Path, rule_cache: Path) -> Bench:
    return Bench(tmp_path, rule_cache)
