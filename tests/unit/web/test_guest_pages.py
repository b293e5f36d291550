"""The guests as `xl list` and xentop show them, and one guest down to what carries it, with its logs."""

import re
from dataclasses import replace

import aiohttp
import pytest
from hosts.served import Served, guests_of

from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.web.context import LogTail

USED = Metric("xen_domain_cpu_seconds_total", "counter", "", ("domain",))


async def raw(client: aiohttp.ClientSession, path: str) -> str:
    return await (await client.get(path)).text()


async def words(client: aiohttp.ClientSession, path: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", await raw(client, path)).split())


async def names(client: aiohttp.ClientSession, path: str) -> list[str]:
    return re.findall('<tr><td class="name"><a href="/guests/([^"]*)"', await raw(client, path))


@pytest.fixture
def busy(served: Served) -> Served:
    """`db` uses a cpu and a half, `web` a tenth of one."""
    served.snapshot = guests_of("web", "db", "mail")
    for minute in range(4):
        used = (Sample(USED, ("web",), minute * 6.0), Sample(USED, ("db",), minute * 90.0))
        served.trends.note(Snapshot(minute * 60.0, used))
    return served


async def test_each_guest_has_its_cpu_and_the_line_of_the_last_hour(busy: Served, client):
    page = await words(client, "/guests")
    assert "150 %" in page
    assert "10 %" in page
    assert (await raw(client, "/guests")).count('class="tiny"') == 2, "of mail nothing is known yet"


async def test_guests_are_searched_and_sorted_by_the_address(busy: Served, client, an_incident):
    busy.know(an_incident("mail"))
    assert await names(client, "/guests") == ["db", "mail", "web"]
    assert await names(client, "/guests?sort=cpu") == ["db", "web", "mail"]
    assert await names(client, "/guests?sort=incidents") == ["mail", "db", "web"]
    assert await names(client, "/guests?q=uuid-1") == ["web"]
    assert await names(client, "/guests?q=xenbr0+running") == ["db", "mail", "web"]
    assert "0 of 3 domains" in await words(client, "/guests?q=nobody")


async def test_a_guest_that_does_not_run_and_is_in_trouble_is_found_as_well(busy: Served, client, an_incident):
    assert "Not running here" not in await words(client, "/guests")
    busy.know(an_incident("shop"), an_incident("unknown", id="v-2"))
    page = await raw(client, "/guests")
    assert 'Not running here, with open incidents: <a href="/guests/shop">shop</a> (1)</p>' in page


async def test_a_guest_is_drawn_down_to_disks_and_uplinks_and_its_vcpus_to_the_cpus_that_they_may_use(served, client):
    pv = Metric("xen_lvm_pv_size_bytes", "gauge", "", ("vg", "pv"))
    port = Metric("xen_bridge_port_stp_state", "stateset", "", ("bridge", "port_kind", "port", "state"))
    on = Metric("xen_domain_vcpu_cpu", "gauge", "", ("domain", "vcpu"))
    state = Metric("xen_domain_vcpu_state", "stateset", "", ("domain", "vcpu", "state"))
    may = Metric("xen_domain_vcpu_affinity_cpus", "gauge", "", ("domain", "vcpu", "kind"))
    more = (
        Sample(pv, ("vg0", "/dev/sda2"), 1.0), Sample(pv, ("other", "/dev/sdb"), 1.0),
        Sample(port, ("xenbr0", "host", "eno1", "forwarding"), 1.0),
        Sample(port, ("xenbr0", "guest", "web/0", "forwarding"), 1.0),
        Sample(on, ("web", "0"), 3.0), Sample(state, ("web", "0", "blocked"), 1.0),
        Sample(may, ("web", "0", "hard"), 1.0),
    )  # fmt: skip
    served.snapshot = Snapshot(1e9, (*guests_of("web").samples, *more))
    page = await words(client, "/guests/web")
    assert "xvda → /dev/vg0/root → dm-3 → lv vg0/root → vg vg0 → pv /dev/sda2" in page
    assert "vif1.0 → xenbr0 → eno1" in page
    assert "vcpu 0 → cpu 3 blocked, may run on 1 cpu" in page
    assert "may run on 1 cpus" not in page


async def test_the_logs_of_a_guest_are_for_who_is_signed_in_and_say_what_the_guest_wrote(served, client, sign_in):
    served.snapshot = guests_of("web")
    served.tails["web"] = (
        LogTail("/var/log/xen/xl-web.log", ("Waiting for domain web (domid 1) to die",), by_guest=False),
        LogTail("/var/log/xen/console/guest-web.log", ("<b>panic</b>\x1b[31m",), by_guest=True),
    )
    stranger = await words(client, "/guests/web")
    assert "Sign in to read the last lines" in stranger
    assert "Waiting for domain" not in stranger
    await sign_in(client, "vera")
    page = await raw(client, "/guests/web")
    assert "Waiting for domain web" in page
    assert "&lt;b&gt;panic&lt;/b&gt;\\x1b[31m" in page
    assert page.count("written by the guest") == 1


async def test_a_guest_of_a_pool_counts_for_no_guest_here(busy: Served, client, an_incident):
    told = an_incident("web")
    busy.know(replace(told, diagnosis=replace(told.diagnosis, subject=told.diagnosis.subject.on("pool"))))
    assert 'class="error" href="/?subject=' not in await raw(client, "/guests")
