"""The standing checks as a page: what was found, what could not be checked, and what is well."""

import re
from dataclasses import replace

import aiohttp
from hosts.served import Served

from xenwatch.model.subject import Subject
from xenwatch.web.context import StandingCheck


async def words(client: aiohttp.ClientSession, path: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", await (await client.get(path)).text()).split())


async def test_what_was_found_comes_first_with_what_to_do_and_the_first_page_leads_there(
    served: Served, client, an_incident
):
    told = replace(
        an_incident("web").diagnosis, title="Bond bond0 has one leg", severity="warning",
        subject=Subject("bond", "bond0"), verify=("cat /proc/net/bonding/bond0",),
    )  # fmt: skip
    worse = replace(told, title="The host has no IOMMU", severity="error")
    served.standing = (
        StandingCheck("bond-one-legged", (told, replace(told, subject=Subject("bond", "bond1")))),
        StandingCheck("passthrough-without-iommu", (worse,)),
        StandingCheck("time-service-off"),
        StandingCheck("xen-out-of-support", missing=("xen.version",)),
    )
    page = await words(client, "/checks")
    assert "2 of 4 checks found something" in page
    assert page.index("no IOMMU") < page.index("one leg")
    assert "bond/bond0, bond/bond1" in page.replace(" ,", ",")
    assert "cat /proc/net/bonding/bond0" in page
    assert "xen-out-of-support: xen.version is not known" in page
    assert "Well time-service-off" in page
    assert "2 standing checks found what may fail one day" in await words(client, "/")


async def test_a_host_on_which_all_is_well_or_nothing_was_checked_is_said_to_be_so(served: Served, client):
    assert "No check was made yet" in await words(client, "/checks")
    served.standing = (StandingCheck("time-service-off"),)
    assert "All is well in 1 check" in await words(client, "/checks")
    assert "standing check" not in await words(client, "/")
