"""What a hub shows of a fleet: the page, what acts, the targets for Prometheus, and what must last before it opens."""

import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from xenwatch.base.clock import ManualClock
from xenwatch.fleet.claims import LEASES, MAINTENANCE, SLOTS
from xenwatch.fleet.etcd import KeyValue
from xenwatch.fleet.host_report import facts_key, self_key
from xenwatch.fleet.hub import Hub
from xenwatch.fleet.hub_web import hub_app
from xenwatch.fleet.incident import FleetIncident, judged
from xenwatch.fleet.patience import Patience
from xenwatch.fleet.rule import fleet_rules
from xenwatch.fleet.spread import Spread
from xenwatch.fleet.storm import STORM, StormWatch
from xenwatch.fleet.targets import KEEP_SECONDS, Targets

SLOT = {"host": "xen1", "run": "018b", "target": "domain/<web>", "action": "domain_migrate"}
HERE = {name: {"metrics": f"{name}:10197"} for name in ("xen1", "xen2")}


def nfs(hosts: int) -> FleetIncident:
    names = tuple(f"xen{n}" for n in range(hosts))
    return FleetIncident("a1", "fleet-nfs-server-dead", "10.0.0.9", "NFS <down>", "critical", "Down.", names, ())


@pytest.fixture
def hub() -> Hub:
    hub = Hub("hub1", pytest.fail, fleet_rules(), ManualClock())
    told = [KeyValue(self_key(name), json.dumps(about), 1, 1) for name, about in HERE.items()]
    told += [
        KeyValue(f"{SLOTS}0", json.dumps(SLOT), 2, 2),
        KeyValue(f"{LEASES}domain/web", json.dumps(SLOT), 2, 2),
        KeyValue(f"{MAINTENANCE}host/xen2", '{"words": "maintenance of host/xen2 by ann on xen2: disks"}', 2, 2),
        KeyValue(STORM, "40 of 50 hosts began to fail within 300 s", 2, 2),
        KeyValue("/xenwatch/fleet/incidents/a1", nfs(40).as_json(), 3, 3),
    ]
    hub.view._take_all(told)
    return hub


async def asked(hub: Hub, path: str) -> Any:
    async with TestClient(TestServer(hub_app(hub))) as web:
        answer = await web.get(path)
        return await (answer.json() if answer.content_type == "application/json" else answer.text())


async def test_the_page_names_the_cause_its_hosts_and_what_holds_repairs_back(hub: Hub):
    page = await asked(hub, "/")
    assert "NFS &lt;down&gt;" in page
    assert "<b>40</b>: xen0, xen1" in page
    assert "A storm: 40 of 50 hosts began to fail within 300 s. Nothing starts by itself." in page
    assert "In maintenance of host/xen2 by ann on xen2: disks" in page
    assert "domain/&lt;web&gt;" in page


async def test_one_cause_has_a_page_with_the_incidents_of_its_hosts_and_the_way_to_each(hub: Hub):
    child = {"rule": "nfs-dead", "class": "nfs", "severity": "error", "subject": "mount/<x>", "summary": "no answer",
             "state": "explained", "opened": 1e9, "fields": {}}  # fmt: skip
    cause = replace(nfs(2), hosts=("xen1", "xen2"), children=("xen1/i1", "xen2/i2", "xen2/forgotten"))
    hub.view._take_all(
        [
            KeyValue(self_key("xen1"), '{"pages": "https://xen1.example:10197"}', 1, 1),
            KeyValue(self_key("xen2"), '{"pages": "javascript:alert(1)"}', 1, 1),
            *(KeyValue(f"/xenwatch/hosts/xen{n}/incidents/i{n}", json.dumps(child), 2, 2) for n in (1, 2)),
            KeyValue("/xenwatch/fleet/incidents/a1", cause.as_json(), 3, 3),
        ]
    )
    assert 'href="/incidents/a1"' in await asked(hub, "/")
    page = await asked(hub, "/incidents/a1")
    assert "<h1>NFS &lt;down&gt;</h1>" in page
    assert '<a href="https://xen1.example:10197/incidents/i1">no answer</a>' in page
    assert "javascript:" not in page, "only an address of the web becomes a link"
    assert "mount/&lt;x&gt;" in page
    assert "2001-09-09 01:46:40" in page
    assert "1 more are over and forgotten" in page
    assert "<code>" in page, "what to type first"


async def test_nothing_runs_in_the_pages_of_a_hub(hub: Hub):
    async with TestClient(TestServer(hub_app(hub))) as web:
        for path in ("/", "/incidents/a1"):
            answer = await web.get(path)
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
            assert "<script" not in await answer.text()
        assert (await web.get("/style.css")).content_type == "text/css"
        assert (await web.get("/incidents/other")).status == 404


async def test_the_page_says_when_it_is_old(hub: Hub):
    hub.view.is_current = False
    assert "etcd does not answer: this is what was last known." in await asked(hub, "/")


async def test_what_acts_is_told_as_json_and_as_figures(hub: Hub):
    said = await asked(hub, "/fleet/actions")
    assert said["slots"] == [{"slot": 0, **SLOT}]
    assert said["leases"] == ["domain/web"]
    figures = (await asked(hub, "/metrics")).splitlines()
    assert 'xenwatch_fleet_slots_held{host="xen1"} 1.0' in figures
    assert "xenwatch_fleet_storm_active 1.0" in figures
    assert "xenwatch_fleet_maintenance 1.0" in figures


async def test_prometheus_finds_the_agents_over_http(hub: Hub):
    expected = [{"targets": [f"{name}:10197"], "labels": {"host": name}} for name in HERE]
    assert await asked(hub, "/fleet/targets") == expected


def test_a_host_that_left_stays_a_target_for_a_day_so_that_somebody_is_told():
    clock = ManualClock()
    targets = Targets(clock)
    targets.note(HERE)
    targets.note({"xen1": HERE["xen1"]})
    assert len(targets.listed()) == 2
    clock.advance(KEEP_SECONDS + 1)
    targets.note({"xen1": HERE["xen1"]})
    assert [one["labels"]["host"] for one in targets.listed()] == ["xen1"]


def test_it_spreads_while_hosts_join_and_not_ten_minutes_later():
    clock = ManualClock()
    spread = Spread(clock)
    for hosts in (3, 5, 9):
        spread.note({"a1": nfs(hosts)})
        clock.advance(60.0)
    assert spread.gained("a1") == 6
    clock.advance(600.0)
    assert spread.gained("a1") == 0
    assert spread.gained("other") == 0


def test_a_guest_on_two_hosts_is_an_incident_when_it_lasts_longer_than_a_move():
    clock, rules = ManualClock(), fleet_rules()
    patience = Patience({rule.id: rule.hold for rule in rules}, clock)
    facts = {name: {"guest": ("web=6695eb01",)} for name in HERE}
    found = judged(rules, [], {}, facts)
    assert [one.rule for one in found.values()] == ["fleet-guest-twice"]
    assert patience.lasting(found, {}) == {}
    clock.advance(100.0)
    assert patience.lasting({}, {}) == {}, "it was gone in between"
    assert patience.lasting(found, {}) == {}
    clock.advance(180.0)
    assert patience.lasting(found, {}) == found


def test_what_hosts_told_before_a_hub_leads_is_no_storm_and_what_begins_at_once_on_many_is(hub: Hub):
    clock = ManualClock()
    storm = StormWatch(clock)

    def failing(*hosts: str) -> dict[str, Any]:
        texts = {"rule": "r", "class": "c", "severity": "error", "subject": "s", "summary": "", "state": "open"}
        text = json.dumps({**texts, "opened": 1, "fields": {}})
        hub.view._take_all([KeyValue(f"/xenwatch/hosts/{host}/incidents/i", text, 1, 1) for host in hosts])
        return dict(hub.view.incidents)

    assert storm.words(failing("a", "b", "c", "d"), 10) is None
    assert storm.words(failing("a", "b", "c", "d", "e", "f"), 10) is None
    more = failing("a", "b", "c", "d", "e", "f", "g", "h")
    assert storm.words(more, 10) == "4 of 10 hosts began to fail within 300 s"
    assert storm.words(more, 100) is None, "of a hundred hosts four may fail by themselves"
    clock.advance(400.0)
    assert storm.words(more, 10) is None


def test_facts_of_a_host_come_and_go_with_their_key(hub: Hub):
    hub.view._take_all([KeyValue(facts_key("xen1"), '{"ntp": ["10.0.0.1"]}', 1, 1)])
    assert hub.view.facts == {"xen1": {"ntp": ("10.0.0.1",)}}
    hub.view._take_all([KeyValue(facts_key("xen1"), "[]", 1, 1)])
    assert hub.view.facts == {"xen1": {}}
