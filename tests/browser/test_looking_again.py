"""What an open page does by itself: it looks again without taking away what a person is at."""

from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

Site = Any  # conftest's, which cannot be imported in this import mode
IS_NEW = "document.getElementById('main') !== window.old"


async def shown_again(page: Any) -> None:
    """Wait until the page was read again; the policy of the page forbids what Playwright waits with."""
    for _ in range(200):
        if await page.evaluate(IS_NEW):
            return
        await page.wait_for_timeout(50)
    raise AssertionError("the page was not read again")


async def test_what_somebody_types_or_selects_is_left_alone_and_the_page_says_that_it_waits(site: Site):
    async with site.page() as page:
        await page.goto("/")
        await page.get_by_text("live", exact=True).wait_for()
        await page.get_by_role("searchbox").fill("xenbr")
        await page.evaluate("lookAgain()")
        await page.get_by_text("paused while you type or select").wait_for()
        assert await page.get_by_role("searchbox").input_value() == "xenbr"
        await page.get_by_role("searchbox").fill("")
        await page.evaluate("window.old = document.getElementById('main'); document.activeElement.blur()")
        await page.get_by_text("live", exact=True).wait_for()
        await shown_again(page)


async def test_the_focus_stays_on_the_link_that_had_it(site: Site):
    async with site.page() as page:
        await page.goto("/")
        link = page.locator("main .card a[href^='/incidents/']").nth(1)
        await link.focus()
        address = await link.get_attribute("href")
        await page.evaluate("window.old = document.getElementById('main'); lookAgain()")
        await shown_again(page)
        assert await page.evaluate("document.activeElement.getAttribute('href')") == address


async def test_an_agent_that_is_gone_is_said_and_not_asked_without_end(site: Site):
    async with site.page() as page:
        await page.goto("/")
        await page.get_by_text("live", exact=True).wait_for()
        asked: list[str] = []
        await page.route("**/*", lambda route: (asked.append(route.request.url), route.abort())[1])
        await page.evaluate("lookAgain()")
        await page.wait_for_timeout(1500)
        assert len([url for url in asked if "/changes" not in url]) == 1
        assert await page.get_by_role("heading", level=1).is_visible(), "what was there stays"
