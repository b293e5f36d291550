"""Every page in Chromium: light and dark, narrow and wide, without JavaScript, by keyboard alone, with axe."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe

pytestmark = pytest.mark.asyncio(loop_scope="session")

Site = Any  # conftest's, which cannot be imported in this import mode
PAGES = (
    "/", "/?q=zebra", "/?state=any", "/incidents/v-web", "/incidents/v-hostile", "/guests", "/guests?q=web&sort=cpu",
    "/guests/web", "/guests/Domain-0", "/storage", "/network", "/hypervisor", "/checks", "/pools", "/pools/prod",
    "/pools/none", "/remediation",
    "/remediation/runs/{run}", "/remediation/audit", "/rules", "/rules/vif-bridge-missing", "/docs",
    "/docs/runbooks/network.md", "/docs/remediation.md", "/sign-in", "/incidents/none",
)  # fmt: skip
HUB_PAGES = ("/", "/incidents/a1")
AXE = {"light": {"resultTypes": ["violations"]}, "dark": {"runOnly": ["color-contrast"]}}
"""Only the contrast depends on the colours."""
WIDER_THAN_THE_WINDOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def addresses(site: Site) -> list[str]:
    (run,) = await site.story.service.runs()
    return [path.replace("{run}", run.id) for path in PAGES]


async def serious(page: Any, path: str, scheme: str) -> list[Any]:
    """What axe finds there."""
    await page.goto(path)
    results = await Axe().run(page, options=AXE[scheme])
    found = [one for one in results.response["violations"] if one["impact"] in {"serious", "critical"}]
    return [(path, one["id"], [node["html"][:120] for node in one["nodes"][:2]]) for one in found]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("light", 360), ("dark", 1280)])
async def test_axe_finds_nothing_serious_on_any_page(site: Site, scheme: str, width: int):
    async with site.page(scheme=scheme, width=width) as page:
        await site.sign_in(page, "adam")
        assert [one for path in await addresses(site) for one in await serious(page, path, scheme)] == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("light", 360), ("dark", 1280)])
async def test_the_pages_of_a_hub_are_as_good(hub: Site, scheme: str, width: int):
    async with hub.page(scheme=scheme, width=width) as page:
        for path in HUB_PAGES:
            assert await serious(page, path, scheme) == []
            assert await page.evaluate(WIDER_THAN_THE_WINDOW) == 0, path
            assert "<script>document.title" in await page.get_by_role("main").inner_text(), path
            assert await page.title() != "owned"
    assert hub.complaints == []


@pytest.mark.parametrize("width", [360, 1280])
async def test_no_page_is_wider_than_a_telephone_or_a_desk(site: Site, width: int):
    found = []
    async with site.page(width=width) as page:
        await site.sign_in(page)
        for path in await addresses(site):
            await page.goto(path)
            if surplus := await page.evaluate(WIDER_THAN_THE_WINDOW):
                found.append((path, surplus))
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


REACHABLE = "a[href], summary, button:not([hidden]), input:not([type=hidden]), select, [tabindex='0']"


async def test_everything_that_can_be_used_is_reached_by_keyboard_in_the_order_of_the_page(site: Site):
    async with site.page() as page:
        await site.sign_in(page, "adam")
        for path in (
            "/",
            "/guests",
            "/guests/web",
            "/pools/prod",
            "/network",
            "/hypervisor",
            "/storage",
            "/remediation",
        ):
            await page.goto(path)
            wanted = await page.evaluate(f"[...document.querySelectorAll(`{REACHABLE}`)].map((one) => one.outerHTML)")
            seen = []
            for _ in wanted:
                await page.keyboard.press("Tab")
                seen.append(await page.evaluate("document.activeElement.outerHTML"))
            assert seen == wanted, path


async def focused(page: Any) -> str:
    text: str = await page.evaluate("document.activeElement.innerText")
    return text
