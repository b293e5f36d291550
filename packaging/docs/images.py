"""Makes the pictures in docs/images from the demo's story: a report, pages of the agent, and `top`.

Needs Chromium for the pages. Usage: python packaging/docs/images.py
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from xenwatch.base.clock import ManualClock
from xenwatch.cli._client import Running
from xenwatch.cli._top.app import TopApp
from xenwatch.cli._top.sources import AgentSource
from xenwatch.demo.shell import Shell
from xenwatch.demo.story import read_story, take
from xenwatch.demo.world import World, appended_to

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs/images"
XENWATCH = (sys.executable, "-m", "xenwatch.cli.main")
STARTED = datetime(2026, 11, 27, 23, 55, 42, tzinfo=UTC).timestamp()
"""When the story begins in the report."""
BROKEN_SECONDS = 70
"""After so many seconds everything that breaks in the story is broken, and nothing has healed yet."""
PAGE = (1100, 1600)
SCREEN = (150, 30)
LISTEN = "127.0.0.1:19197"


def report(folder: Path) -> None:
    """`diagnose` over the logs that the story leaves, as a page."""
    logs = folder / "demo-host"
    clock = ManualClock(STARTED)
    world = World(clock, appended_to(logs))
    steps = [step for step in read_story().steps if step.at <= BROKEN_SECONDS]
    for step in steps:
        clock.advance(STARTED + step.at - clock.now())
        take(step, world, Shell(world))
    for path in logs.rglob("*"):  # lines without a time are dated by their file
        os.utime(path, (STARTED + steps[-1].at, STARTED + steps[-1].at))
    command = (*XENWATCH, "diagnose", logs.name, "--format", "html", "--output", "report.html")
    subprocess.run(command, cwd=folder, check=False)  # it ends with 1: there are incidents
    page = Path(shutil.move(folder / "report.html", IMAGES / "sample-report.html"))
    draw(page.as_uri(), IMAGES / "report.png")


def draw(address: str, picture: Path) -> None:
    """The top of a page as a browser shows it."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        sys.exit(f"{picture.name} is not made: there is no Chromium here")
    size = f"--window-size={PAGE[0]},{PAGE[1]}"
    options = ("--headless", "--no-sandbox", "--hide-scrollbars", "--force-color-profile=srgb", "--timeout=5000", size)
    subprocess.run((browser, *options, f"--screenshot={picture}", address), check=True, capture_output=True)


def agent(folder: Path) -> None:
    """Pages of an agent that has seen the whole story, and `top` beside it."""
    running = subprocess.Popen((*XENWATCH, "agent", "--demo-dir", str(folder / "demo"), "--listen", LISTEN))
    try:
        time.sleep(BROKEN_SECONDS + 15)
        draw(f"http://{LISTEN}/", IMAGES / "now.png")
        draw(f"http://{LISTEN}/incidents/{_shown()}", IMAGES / "incident.png")
        (IMAGES / "top.svg").write_text(asyncio.run(screen()) + "\n", encoding="utf-8")
    finally:
        running.terminate()
        running.wait(120)


def _shown() -> str:
    """The id of the incident that explains most of the others."""
    found, _ = Running(f"http://{LISTEN}", None).incidents()
    return str(max(found, key=lambda one: len(one.get("explains", ())))["id"])


async def screen() -> str:
    """The screen after a few readings: rates need a first one."""
    source = AgentSource(Running(f"http://{LISTEN}", None))
    app = TopApp(source, 2.0)
    async with app.run_test(size=SCREEN) as pilot:
        until = time.monotonic() + 6
        while time.monotonic() < until:
            await pilot.pause(0.5)
        drawn = app.export_screenshot()
    await source.close()
    return drawn


def main() -> None:
    """Make all of them."""
    with tempfile.TemporaryDirectory() as folder:
        report(Path(folder))
        agent(Path(folder))


if __name__ == "__main__":
    main()
