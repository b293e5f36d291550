"""From a line in a log to the incident on a page that is open in Chromium: how long a person waits.

The aim is a second. A whole agent follows the log; Chromium notes the moment at which the card stands on the page.

python tests/benchmarks/bench_live.py [lines]
"""

# ruff: noqa: T201  a benchmark prints

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from xenwatch.agent.agent import Agent, ExternalAccess
from xenwatch.base.clock import SystemClock
from xenwatch.config.loader import load_config
from xenwatch.host.paths import Paths

LINE = (
    "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr{0}\n"
)
LONGEST = 10.0
NOTE = """() => {
  window.seen = {};
  new MutationObserver(() => {
    for (const subject of document.querySelectorAll("main .about a")) window.seen[subject.textContent] ??= Date.now();
  }).observe(document.body, { childList: true, subtree: true });
}"""


async def main(lines: int) -> None:
    """Print the times of all lines, the median and the longest."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        logs = folder / "log"
        logs.mkdir()
        port = await _agent(stack, folder, logs)
        page = await _page(stack, f"http://127.0.0.1:{port}/")
        waits = [await _wait(page, logs, number) for number in range(lines)]
    print(" ".join(f"{wait * 1000:.0f}" for wait in waits), "ms")
    print(f"median {statistics.median(waits) * 1000:.0f} ms, longest {max(waits) * 1000:.0f} ms, of {lines} lines")


async def _agent(stack: AsyncExitStack, folder: Path, logs: Path) -> int:
    overrides = {
        "agent.state_dir": folder / "state", "diagnosis.cache_dir": Path(__file__).parents[2] / ".cache/rules",
        "web.listen": ("127.0.0.1", 0), "logs.paths": (f"{logs}/*.log",), "logs.hypervisor_every": 0.0,
        "logs.journal": False, "sampling.libvirt_uri": "", "remediation.policy": folder / "none",
        "remediation.access": folder / "none",
    }  # fmt: skip
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    load = lambda: load_config(None, {}, overrides, default_file=None)  # noqa: E731
    agent = Agent(load(), ExternalAccess(SystemClock(), load, {}, port.set_result, Paths(folder / "root")))
    task = asyncio.create_task(agent.run())

    async def end() -> None:
        agent.stop()
        await task

    stack.push_async_callback(end)
    return await port


async def _page(stack: AsyncExitStack, url: str) -> Any:
    playwright = await stack.enter_async_context(async_playwright())
    browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    stack.push_async_callback(browser.close)
    page = await browser.new_page()
    await page.goto(url)
    await page.get_by_text("live", exact=True).wait_for()
    await page.evaluate(NOTE)
    return page


async def _wait(page: Any, logs: Path, number: int) -> float:
    """Seconds from the write of a line about one more guest until its card is there."""
    await asyncio.sleep(0.7)  # not in step with anything that looks now and then
    log, began = logs / f"xl-g{number}.log", time.time()
    log.write_text(LINE.format(number))
    while time.time() < began + LONGEST:
        seen = await page.evaluate("window.seen")
        moment = next((at for text, at in seen.items() if f"g{number}" in text), None)
        if moment is not None:
            return float(moment) / 1000 - began
        await asyncio.sleep(0.05)
    return LONGEST


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
