"""The pages for people: what they show, what they never let run, and that they look again by themselves."""

import asyncio
from dataclasses import replace

import aiohttp
import pytest
from hosts.served import Served, guests_of

from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.web.context import PartHealth
from xenwatch.web.site.changes import MOST_STREAMS

HOSTILE = "<script>alert(1)</script>"
REVERSED = "\u202egnp.exe"


async def text_of(client: aiohttp.ClientSession, path: str, status: int = 200) -> str:
    answer = await client.get(path)
    assert answer.status == status, path
    assert answer.content_type == "text/html"
    return await answer.text()


async def test_the_first_page_says_what_is_wrong_and_what_to_type(served: Served, client, an_incident):
    quiet = await text_of(client, "/")
    assert "Nothing is wrong" in quiet
    served.know(an_incident("web"), an_incident("db", state="resolved", resolved=1e9 + 90))
    page = await text_of(client, "/")
    assert "1 open incident" in page
    assert 'href="/incidents/v-web"' in page
    assert "Ended lately" in page


async def test_an_incident_is_shown_whole(served: Served, client, an_incident):
    symptom = an_incident("db", explained_by="v-web", state="explained")
    served.know(an_incident("web"), symptom)
    page = await text_of(client, "/incidents/v-web")
    for part in (
        "it was never made",
        "/var/log/xen/xl-web.log:7",
        "no bridge",
        "Consequences",
        "/incidents/v-db",
        "opened",
    ):
        assert part in page, part
    assert "Repair that first" in await text_of(client, "/incidents/v-db")


@pytest.mark.parametrize("path", ["/incidents/nothing", "/guests/nobody", "/rules/no-such-rule"])
async def test_what_is_not_there_is_said_in_words(client, path: str):
    assert "There is no" in await text_of(client, path, 404)


async def test_what_a_guest_wrote_stays_text_on_every_page(served: Served, client, an_incident):
    made = an_incident(HOSTILE)
    served.know(replace(made, id="v-1", diagnosis=replace(made.diagnosis, title=HOSTILE, cause=HOSTILE + REVERSED)))
    served.snapshot = guests_of(HOSTILE)
    name = HOSTILE.replace("/", "%2F").replace("<", "%3C").replace(">", "%3E")
    for path in ("/", "/incidents/v-1", "/guests", f"/guests/{name}", f"/?q={name}", f"/rules?q={name}"):
        page = await text_of(client, path)
        assert "<script>alert" not in page, path
        assert "\u202e" not in page, path


async def test_nothing_but_our_own_style_and_script_runs(client):
    policy = (await client.get("/")).headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    page = await text_of(client, "/")
    assert "onclick" not in page
    assert "style=" not in page
    for asset in ("site.css", "site.js"):
        assert (await client.get(f"/assets/{asset}")).status == 200
    assert (await client.get("/assets/..%2Fpage.py")).status == 404


async def test_filters_stand_in_the_address(served: Served, client, an_incident):
    served.know(an_incident("web"), an_incident("db"))
    page = await text_of(client, "/?q=WEB+bridge")
    assert "/incidents/v-web" in page
    assert "/incidents/v-db" not in page
    assert "No incident matches" in await text_of(client, "/?severity=critical")
    assert "/incidents/v-db" in await text_of(client, "/?subject=domain/db")


async def test_a_guest_is_drawn_down_to_what_carries_it(served: Served, client, an_incident):
    served.snapshot = guests_of("web", "db")
    served.know(an_incident("web"))
    listed = await text_of(client, "/guests")
    assert "2 domains" in listed
    assert "/?subject=domain/web" in listed
    page = await text_of(client, "/guests/web")
    for part in ("/dev/vg0/root", "lv vg0/root", "vg vg0", "vif1.0", "xenbr0", "/incidents/v-web"):
        assert part in page, part


async def test_a_known_failure_is_found_by_its_words_and_by_a_former_id(client):
    assert "/rules/vif-bridge-missing" in await text_of(client, "/rules?q=bridge+never")
    assert "Nothing matches" in await text_of(client, "/rules?q=zebra")
    assert "brctl show" in await text_of(client, "/rules/bridge-absent")


async def test_what_the_agent_cannot_see_stands_on_the_first_page(served: Served, client):
    served.checks = (PartHealth("sampling", False, 300.0, "no cycle"),)
    served.waiting = "the first sampling cycle"
    page = await text_of(client, "/")
    assert "sampling makes no progress" in page
    assert "waits for the first sampling cycle" in page


async def test_an_open_page_is_told_that_something_changed(served: Served, client, an_incident):
    async with asyncio.timeout(20):
        stream = await client.get("/changes")
        assert stream.content_type == "text/event-stream"
        assert await stream.content.readuntil(b"\n\n") == b"retry: 1000\n\n"
        served.know(an_incident("web"))
        assert b"event: change" in await stream.content.readuntil(b"\n\n")
        stream.close()


async def test_too_many_followers_are_sent_away(client):
    streams = [await client.get("/changes") for _ in range(MOST_STREAMS)]
    answer = await client.get("/changes")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    for stream in streams:
        stream.close()


async def test_storage_and_network_are_shown_down_to_the_guest(served: Served, client):
    size = Metric("xen_lvm_vg_size_bytes", "gauge", "", ("vg",))
    free = Metric("xen_lvm_vg_free_bytes", "gauge", "", ("vg",))
    volume = Metric("xen_lvm_lv_size_bytes", "gauge", "", ("vg", "lv"))
    holder = Metric("xen_lvm_lv_holder_info", "info", "", ("vg", "lv", "domain", "device"))
    uplinks, ports = (Metric(f"xen_bridge_{what}", "gauge", "", ("bridge",)) for what in ("uplinks", "ports"))
    served.snapshot = Snapshot(
        1e9,
        (
            *guests_of("web").samples,
            Sample(size, ("vg0",), 1024.0**3), Sample(free, ("vg0",), 1024.0**2),
            Sample(volume, ("vg0", "root"), 1024.0**2), Sample(holder, ("vg0", "root", "web", "xvda"), 1.0),
            Sample(ports, ("xenbr0",), 2.0), Sample(uplinks, ("xenbr0",), 0.0),
        ),
    )  # fmt: skip
    page = await text_of(client, "/storage")
    for part in ('Volume group <span class="name">vg0</span>', "1.0 MiB free of", '"/guests/web"', "99 %"):
        assert part in page, part
    page = await text_of(client, "/network")
    for part in ("xenbr0", "none of them an uplink", "vif1.0", '"/guests/web"'):
        assert part in page, part
    served.snapshot = None
    assert "not over" in await text_of(client, "/storage")
    assert "not over" in await text_of(client, "/network")


async def test_the_hypervisor_is_shown_with_who_has_its_memory_and_its_cpus(served: Served, client):
    info = Metric("xen_hypervisor_info", "info", "", ("xen_version", "virt_caps"))
    total, free = (Metric(f"xen_hypervisor_memory_{what}_bytes", "gauge", "", ()) for what in ("total", "free"))
    memory = Metric("xen_domain_memory_current_bytes", "gauge", "", ("domain",))
    on, state = (
        Metric(f"xen_domain_vcpu_{what}", "gauge", "", ("domain", "vcpu", *more))
        for what, more in (("cpu", ()), ("state", ("state",)))
    )
    pool = Metric("xen_cpupool_info", "info", "", ("pool", "scheduler"))
    served.snapshot = Snapshot(
        1e9,
        (
            Sample(info, ("4.17.5", "pv hvm"), 1.0), Sample(total, (), 4 * 1024.0**3), Sample(free, (), 1024.0**3),
            Sample(memory, ("web",), 1024.0**3), Sample(on, ("web", "0"), 3.0),
            Sample(state, ("web", "0", "blocked"), 1.0), Sample(pool, ("Pool-0", "credit2"), 1.0),
        ),
    )  # fmt: skip
    page = await text_of(client, "/hypervisor")
    for part in ("Xen 4.17.5", "pv hvm", "1.0 GiB of 4.0 GiB is free", "25 %", "cpu 3", "vcpu 0, blocked", "credit2"):
        assert part in page, part
    served.snapshot = None
    assert "not over" in await text_of(client, "/hypervisor")


async def test_a_bridge_that_only_configurations_name_is_said(served: Served, client):
    served.snapshot = guests_of("web")
    assert "nothing more is known of it" in await text_of(client, "/network")  # it may be a switch of another kind
    attached = Metric("xen_domain_vif_bridge_attached", "gauge", "", ("domain", "vif"))
    served.snapshot = Snapshot(1e9, (*guests_of("web").samples, Sample(attached, ("web", "0"), 0.0)))
    assert "not among the bridges of this host" in await text_of(client, "/network")
