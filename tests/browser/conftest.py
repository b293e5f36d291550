"""Debian's Chromium on real servers: the pages of a made-up host, and those of a whole agent that follows a log."""

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from hosts.fleet import a_fleet
from hosts.recorded import recorded_snapshot
from hosts.served import PEOPLE, Served, an_incident, guests_of
from playwright.async_api import Browser, Page, async_playwright
from xapi.asking import samples_of
from xapi.pools import build_pool, running

from xenwatch.base.clock import SystemClock
from xenwatch.fleet.hub_web import hub_app
from xenwatch.model.operation import Operation
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.web.app import build_app, serve
from xenwatch.web.context import LogTail, StandingCheck

sys.path.insert(0, str(Path(__file__).parents[1] / "scenarios"))  # the simulated host of the stories
from story import Story

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CPU = Metric("xen_domain_cpu_seconds_total", "counter", "", ("domain",))
HOSTILE = "<script>document.title='owned'</script>"


class Site:
    """Pages in Chromium. Whatever a page logs as an error, a refused script for one, is in `complaints`."""

    def __init__(self, browser: Browser, url: str, story: Story) -> None:
        self.browser, self.url, self.story = browser, url, story
        self.complaints: list[str] = []

    @asynccontextmanager
    async def page(self, *, width: int = 1280, scheme: str = "light", scripts: bool = True) -> AsyncIterator[Page]:
        context = await self.browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts,
            base_url=self.url, reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(20_000)
        page = await context.new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        try:
            yield page
        finally:
            await context.close()

    async def sign_in(self, page: Page, name: str = "ann") -> None:
        await page.goto("/sign-in")
        await page.get_by_label("Your token").fill(next(user.token for user in PEOPLE if user.name == name))
        await page.get_by_role("main").get_by_role("button", name="Sign in").click()
        await page.get_by_role("button", name="Sign out").wait_for()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs chromium; packaging/setup.sh test installs it")
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        made = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield made
        await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site(browser: Browser, tmp_path: Path) -> AsyncIterator[Site]:
    """A recorded host and a pool, a proposal that waits, what tries to be HTML, and incidents of every kind."""
    story = Story(tmp_path, {"rule": {"mode": "propose"}})
    await story.play([{"incident": "guest-down"}, {"tick": 1}])
    recorded = await recorded_snapshot()
    served = Served(snapshot=replace(recorded, samples=(*recorded.samples, *guests_of("web", "db", HOSTILE).samples)))
    pool = build_pool(tmp_path)
    async with running(pool):
        served.pools = {"prod": await samples_of(pool)}
    found = an_incident(HOSTILE).diagnosis
    served.standing = (
        StandingCheck("bond-one-legged", (found,)), StandingCheck("time-service-off"),
        StandingCheck("xen-out-of-support", missing=("xen.version",)),
    )  # fmt: skip
    served.operations["op-1"] = Operation("op-1", "create", "web", 5, started=1e9 - 3, phase="devices")
    served.tails["web"] = (LogTail("/var/log/xen/console/guest-web.log", (HOSTILE, "x" * 300), by_guest=True),)
    for minute in range(30):
        used = Sample(CPU, ("web",), minute * (20.0 + minute % 7))
        served.trends.note(Snapshot(minute * 60.0, (used,)))
    plain, hostile = an_incident("web"), an_incident(HOSTILE)
    pieces = tuple(piece._replace(operation="op-1", phase="devices") for piece in plain.diagnosis.evidence)
    plain = replace(plain, diagnosis=replace(plain.diagnosis, evidence=pieces, verify=("lvs <vg>", "Look at the log.")))
    written = replace(
        hostile.diagnosis, title=f"No bridge for {HOSTILE}", cause=HOSTILE, severity="critical", guest_told=True
    )
    served.know(
        plain,
        replace(hostile, id="v-hostile", diagnosis=written),
        an_incident("db", state="explained", explained_by="v-web"),
        an_incident("old", state="resolved", resolved=1e9 + 90),
    )
    app = build_app(replace(served.view(), remediation=story.service), loopback=True, users=PEOPLE)
    listener, port = await serve(app, "127.0.0.1", 0)
    made = Site(browser, f"http://127.0.0.1:{port}", story)
    yield made
    await listener.close()
    story.service.close()


@pytest_asyncio.fixture(loop_scope="session")
async def hub(browser: Browser, site: Site) -> AsyncIterator[Site]:
    """The pages of a hub over three hosts, one of which is under repair."""
    async with TestServer(hub_app(a_fleet(SystemClock(), marked=HOSTILE))) as server:
        yield Site(browser, str(server.make_url("")).rstrip("/"), site.story)
