"""A whole agent: a line in a log changes the page that is open, and the line stays text."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from xenwatch.agent.agent import Agent, ExternalAccess
from xenwatch.base.clock import SystemClock
from xenwatch.config.loader import load_config
from xenwatch.host.paths import Paths

pytestmark = pytest.mark.asyncio(loop_scope="session")

Site = Any  # conftest's, which cannot be imported in this import mode
COMPILED = Path(__file__).parents[2] / ".cache/rules"
"""Compiled rules are kept from one run of the tests to the next."""
LINE = "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device %s\n"


@pytest_asyncio.fixture(loop_scope="session")
async def agent(tmp_path: Path):
    logs = tmp_path / "log"
    logs.mkdir()
    overrides = {
        "agent.state_dir": tmp_path / "state", "diagnosis.cache_dir": COMPILED, "web.listen": ("127.0.0.1", 0),
        "logs.paths": (f"{logs}/*.log",), "logs.hypervisor_every": 0.0, "logs.journal": False,
        "sampling.libvirt_uri": "", "remediation.policy": tmp_path / "none", "remediation.access": tmp_path / "none",
    }  # fmt: skip
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    load = lambda: load_config(None, {}, overrides, default_file=None)  # noqa: E731
    made = Agent(load(), ExternalAccess(SystemClock(), load, {}, port.set_result, Paths(tmp_path / "root")))
    task = asyncio.create_task(made.run())
    yield logs, await asyncio.wait_for(port, 60)
    made.stop()
    await asyncio.wait_for(task, 60)


async def test_an_open_page_shows_a_new_incident_by_itself(site: Site, agent):
    logs, port = agent
    async with site.page() as page:
        await page.goto(f"http://127.0.0.1:{port}/")
        await page.get_by_text("live", exact=True).wait_for()
        await page.evaluate("window.isTheSamePage = true")
        with (logs / "xl-web.log").open("a") as log:
            log.write(LINE % "<img src=x onerror=document.title=1>")
        await page.locator(".card", has_text="bridge").first.wait_for()
        assert await page.evaluate("window.isTheSamePage")
        await page.locator(".card", has_text="bridge").first.get_by_role("link").first.click()
        await page.get_by_text("Could not find bridge device <img src=x").first.wait_for()
        assert await page.locator("main img").count() == 0
