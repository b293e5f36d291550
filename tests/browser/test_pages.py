"""Every page in Chromium: light and dark, narrow and wide, without JavaScript, by keyboard alone, with axe."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe

pytestmark = pytest.mark.asyncio(loop_scope="session")

Site = Any  # conftest's, which cannot be imported in this import mode
PAGES = (
    "/", "/?q=zebra", "/incidents/v-web", "/incidents/v-hostile", "/guests", "/guests/web", "/storage",
    "/network", "/hypervisor", "/pools", "/remediation",
    "/remediation/runs/{run}", "/remediation/audit", "/rules", "/rules/vif-bridge-missing", "/docs",
    "/docs/runbooks/network.md", "/docs/remediation.md", "/sign-in", "/incidents/none",
)  # fmt: skip
AXE = {"light": {"resultTypes": ["violations"]}, "dark": {"runOnly": ["color-contrast"]}}
"""Only the contrast depends on the colours."""
WIDER_THAN_THE_WINDOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def addresses(site: Site) -> list[str]:
    (run,) = await site.story.service.runs()
    return [path.replace("{run}", run.id) for path in PAGES]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_on_any_page(site: Site, scheme: str):
    found = []
    async with site.page(scheme=scheme) as page:
        await site.sign_in(page, "adam")
        for path in await addresses(site):
            await page.goto(path)
            results = await Axe().run(page, options=AXE[scheme])
            serious = [v for v in results.response["violations"] if v["impact"] in {"serious", "critical"}]
            found += [(path, v["id"], [node["html"][:120] for node in v["nodes"][:2]]) for v in serious]
    assert not found


async def test_no_page_is_wider_than_a_telephone_or_a_desk(site: Site):
    found = []
    for width in (360, 1280):
        async with site.page(width=width) as page:
            await site.sign_in(page)
            for path in await addresses(site):
                await page.goto(path)
                if surplus := await page.evaluate(WIDER_THAN_THE_WINDOW):
                    found.append((path, width, surplus))
    assert not found


async def test_every_page_reads_the_same_without_javascript(site: Site):
    async with site.page(scripts=False) as bare, site.page() as usual:
        for path in await addresses(site):
            await bare.goto(path)
            await usual.goto(path)
            headings = [await page.get_by_role("heading").all_inner_texts() for page in (bare, usual)]
            assert headings[0] == headings[1] != [], path


async def test_what_a_guest_wrote_stays_text_and_nothing_foreign_runs(site: Site):
    async with site.page() as page:
        for path in ("/", "/incidents/v-hostile", "/guests"):
            await page.goto(path)
            assert "<script>document.title" in await page.get_by_role("main").inner_text(), path
            assert await page.title() != "owned"
    assert site.complaints == []


async def test_a_person_acknowledges_by_keyboard_alone(site: Site):
    async with site.page() as page:
        await site.sign_in(page)
        await page.goto("/")
        await page.keyboard.press("/")
        await page.keyboard.type("xenbr7 web")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/?q=*")
        await page.goto("/incidents/v-web")
        await page.keyboard.press("Tab")
        assert await focused(page) == "Skip to the content"
        for _ in range(60):
            await page.keyboard.press("Tab")
            if await focused(page) == "Acknowledge":
                break
        await page.keyboard.press("Enter")
        await page.get_by_text("looked after by ann").wait_for()


async def test_without_javascript_a_person_signs_in_and_approves_exactly_the_plan_that_was_shown(site: Site):
    async with site.page(scripts=False) as page:
        await site.sign_in(page)
        await page.goto("/remediation")
        assert await page.get_by_text("xl create /etc/xen/web.cfg").is_visible()
        await page.get_by_role("button", name="Approve exactly this plan").click()
        await page.get_by_text("Approved by human:ann").wait_for()
        await site.story.do_tick(1)
        assert site.story.world.running("web") == 1
        await page.reload()
        await page.get_by_text("succeeded").first.wait_for()


async def focused(page: Any) -> str:
    text: str = await page.evaluate("document.activeElement.innerText")
    return text
