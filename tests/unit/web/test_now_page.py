"""The first page never says more than the agent knows: what is open, what it could not see, and on which host."""

import re
from dataclasses import replace

import aiohttp
from hosts.served import Served, guests_of

from xenwatch.model.sample import CollectorHealth, Metric, Sample, Snapshot
from xenwatch.web.context import PartHealth


async def read(client: aiohttp.ClientSession, path: str) -> str:
    return await (await client.get(path)).text()


def heading(page: str) -> str:
    return re.search("<h1>(.*?)</h1>", page)[1]


async def test_a_search_without_a_hit_does_not_say_that_nothing_is_wrong(served: Served, client, an_incident):
    served.know(an_incident("web"))
    assert heading(await read(client, "/?q=zebra")) == "0 open incidents found"
    assert heading(await read(client, "/")) == "1 open incident"


async def test_while_a_part_of_the_agent_is_blind_it_does_not_say_that_nothing_is_wrong(served: Served, client):
    assert heading(await read(client, "/")) == "Nothing is wrong"
    served.checks = (PartHealth("logs", False, 90.0, "no progress for 90 s"),)
    page = await read(client, "/")
    assert heading(page) == "No incident is open, as far as can be seen"
    assert "logs makes no progress (no progress for 90 s)" in page


async def test_a_collector_that_fails_is_named_with_its_reason(served: Served, client):
    health = {
        "vbd": CollectorHealth("vbd", False, 0.1, None, "xl did not answer within 5 s"),
        "vif": CollectorHealth("vif", True, 0.1, 1e9),
    }
    served.snapshot = replace(guests_of("web"), health=health)
    page = await read(client, "/")
    assert "vbd cannot be sampled (xl did not answer within 5 s)" in page
    assert "vif cannot" not in page


async def test_what_ended_last_night_can_be_read_in_the_morning(served: Served, client, an_incident):
    for number in range(12):
        served.know(an_incident(f"g{number:02}", state="resolved", resolved=1e9 + number))
    first = await read(client, "/")
    assert "/incidents/v-g11" in first
    assert "/incidents/v-g00" not in first, "the ten that ended last"
    page = await read(client, "/?state=ended")
    assert heading(page) == "12 ended incidents found"
    assert page.index("/incidents/v-g11") < page.index("/incidents/v-g00")
    assert heading(await read(client, "/?state=explained")) == "0 explained incidents found"


async def test_each_page_says_which_host_it_is_of(served: Served, client):
    for path in ("/", "/guests", "/rules", "/incidents/none"):
        page = await read(client, path)
        assert re.search("<title>xen1: .+</title>", page), path
        assert '<span class="host">xen1</span>' in page


async def test_severities_are_counted_and_the_worst_comes_first(served: Served, client, an_incident):
    bad = an_incident("db")
    served.know(an_incident("web"), replace(bad, diagnosis=replace(bad.diagnosis, severity="critical")))
    page = await read(client, "/")
    assert page.index("1 critical") < page.index("1 error")


async def test_how_busy_the_cpus_are_and_a_full_file_system_stand_among_the_tiles(served: Served, client):
    cpus = Metric("xen_hypervisor_cpus", "gauge", "", ("state",))
    used = Metric("xen_domain_cpu_seconds_total", "counter", "", ("domain",))
    size = Metric("xen_dom0_filesystem_size_bytes", "gauge", "", ("mountpoint",))
    free = Metric("xen_dom0_filesystem_avail_bytes", "gauge", "", ("mountpoint",))
    for minute in range(3):
        seconds = (Sample(used, ("web",), minute * 90.0), Sample(used, ("Domain-0",), minute * 30.0))
        served.trends.note(Snapshot(minute * 60.0, seconds))
    on = [Sample(metric, (where,), value) for where, left in (("/var", 2.0), ("/", 60.0))
          for metric, value in ((size, 100.0), (free, left))]  # fmt: skip
    served.snapshot = Snapshot(1e9, (Sample(cpus, ("all",), 8.0), *on))
    page = " ".join(re.sub("<[^>]*>", " ", await read(client, "/")).split())
    assert "Cpus busy 25 % of 8, dom0 uses 0.5" in page
    assert "/var in dom0 2 B free of 100 B" in page
    assert "/ in dom0" not in page


async def test_a_guest_that_has_nothing_to_do_counts_as_one_that_runs(served: Served, client):
    count = Metric("xen_hypervisor_domains", "gauge", "", ("state",))
    states = {"running": 1.0, "blocked": 4.0, "paused": 1.0, "crashed": 0.0}
    served.snapshot = Snapshot(1e9, tuple(Sample(count, (state,), value) for state, value in states.items()))
    page = " ".join(re.sub("<[^>]*>", " ", await read(client, "/")).split())
    assert "Domains running 5 1 paused" in page


async def test_a_guest_of_a_pool_leads_to_the_pool_and_not_to_a_page_that_is_not_there(served, client, an_incident):
    served.pools = {"prod": ()}
    told = an_incident("web0")
    of_pool = replace(told.diagnosis, subject=told.diagnosis.subject.on("prod"))
    served.know(replace(told, diagnosis=of_pool))
    page = await read(client, "/")
    assert 'href="/pools/prod">prod:domain/web0' in page
    assert "/guests/web0" not in page
