"""The page of one incident: a line of time, what was being done, and commands that can be pasted."""

import re
from dataclasses import replace

import aiohttp
import pytest
from hosts.served import Served

from xenwatch.model.diagnosis import Evidence
from xenwatch.model.operation import Operation
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.sample import Metric, Sample
from xenwatch.web.site.readings import value_text


async def raw(client: aiohttp.ClientSession, path: str) -> str:
    return await (await client.get(path)).text()


def words(page: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", page).split())


def line(text: str, at: float, number: int = 1, **of_format: bool) -> LogRecord:
    log = Source("/var/log/xen/a.log", LogFormat("a", "a", **of_format))
    return LogRecord(log, text, at, True, Position("g", number, number))


async def test_evidence_and_consequences_stand_in_the_order_of_time(served: Served, client, an_incident):
    told = an_incident("web")
    pieces = (
        Evidence(1e9 + 9, "s", line("the last word", 1e9 + 9, 2)),
        Evidence(1e9, "s", line("the first word", 1e9)),
    )
    symptom = an_incident("db", state="explained", explained_by="v-web", opened=1e9 + 5)
    served.know(replace(told, diagnosis=replace(told.diagnosis, evidence=pieces)), symptom)
    listed = re.search('(?s)<ol class="evidence">(.*?)</ol>', await raw(client, "/incidents/v-web"))[1]
    assert listed.index("the first word") < listed.index("/incidents/v-db") < listed.index("the last word")


async def test_a_long_story_is_folded_above_what_to_do_and_nothing_of_it_is_lost(served: Served, client, an_incident):
    told = an_incident("web")
    many = tuple(Evidence(1e9 + n, "s", line(f"line {n:02}.", 1e9 + n, n)) for n in range(30))
    served.know(replace(told, diagnosis=replace(told.diagnosis, evidence=many, verify=("brctl show",))))
    page = await raw(client, "/incidents/v-web")
    shown, folded = page.split("<details>")
    assert "line 07." in shown
    assert "line 08." not in shown
    assert "22 more" in folded
    assert folded.index("line 29.") < folded.index("</details>") < folded.index("brctl show")
    assert 'href="#steps"' in shown


async def test_a_fact_that_every_round_finds_again_stands_once(served: Served, client, an_incident):
    told, ports = an_incident("web"), Metric("xen_bridge_ports", "gauge", "", ("bridge",))
    rounds = tuple(Evidence(1e9 + 10 * n, "s", Sample(ports, ("xenbr0",), 0.0 if n else 1.0)) for n in range(9))
    served.know(replace(told, diagnosis=replace(told.diagnosis, evidence=rounds)))
    page = words(await raw(client, "/incidents/v-web"))
    assert page.count("xen_bridge_ports bridge xenbr0") == 2, "one port, and then none"
    assert "and 7 times more, last 2001-09-09 01:48:00" in page


async def test_what_was_being_done_is_said_with_how_far_it_got(served: Served, client, an_incident):
    told = an_incident("web")
    piece = Evidence(1e9, "s", line("no bridge", 1e9), operation="op-1", phase="devices")
    served.operations["op-1"] = Operation("op-1", "create", "web", 5, started=1e9 - 3, phase="devices")
    served.know(replace(told, diagnosis=replace(told.diagnosis, evidence=(piece,))))
    page = words(await raw(client, "/incidents/v-web"))
    assert "During the create of web (domid 5), begun 2001-09-09 01:46:37; it got as far as: devices." in page
    assert "while: devices" in page


async def test_what_a_guest_wrote_is_marked_as_the_guests(served: Served, client, an_incident):
    told = an_incident("web")
    piece = Evidence(1e9, "s", line("kernel panic", 1e9, guest_written=True))
    served.know(replace(told, diagnosis=replace(told.diagnosis, evidence=(piece,), guest_told=True)))
    page = words(await raw(client, "/incidents/v-web"))
    assert "written by the guest" in page
    assert "It rests on words that the guest itself may have written." in page
    served.know(an_incident("db"))
    assert "written by the guest" not in await raw(client, "/incidents/v-db")


async def test_commands_name_the_guest_and_say_what_is_to_be_replaced(served: Served, client, an_incident):
    told = an_incident("web server")
    steps = ("xl console DOMAIN", "lvs <vg>", "Free some space in the group.")
    served.know(replace(told, id="v-1", diagnosis=replace(told.diagnosis, verify=steps, cause="<device> is gone")))
    page = await raw(client, "/incidents/v-1")
    assert "xl console &#39;web server&#39;</code>" in page
    assert "lvs VG  # replace VG</code>" in page
    assert "<p>The device is gone</p>" in page
    assert "xl console &#39;web server&#39;</code>" in await raw(client, "/")


async def test_numbers_have_their_unit(served: Served, client, an_incident):
    told, free = an_incident("web"), Metric("xen_lvm_vg_free_bytes", "gauge", "", ("vg",))
    piece = Evidence(1e9, "s", Sample(free, ("vg0",), 1.5 * 1024**3))
    served.know(replace(told, diagnosis=replace(told.diagnosis, evidence=(piece,))))
    assert "xen_lvm_vg_free_bytes vg vg0 1.5 GiB" in words(await raw(client, "/incidents/v-web"))


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("xen_lvm_thin_data_ratio", 0.931, "93.1 %"), ("xen_domain_cpu_seconds_total", 12.5, "12.5 s"),
        ("xen_domain_state", 1.0, "1"), ("xenwatch_collector_last_success_timestamp_seconds", 17e8, "1,700,000,000"),
    ],
)  # fmt: skip
def test_a_number_is_written_as_its_metric_counts(metric: str, value: float, text: str):
    assert value_text(metric, value) == text


async def test_a_page_with_a_form_does_not_load_again_by_itself(served: Served, client, an_incident, sign_in):
    served.know(an_incident("web"))
    again = 'http-equiv="refresh"'
    assert again in await raw(client, "/incidents/v-web")
    assert again not in await raw(client, "/sign-in")
    await sign_in(client)
    assert again not in await raw(client, "/incidents/v-web")
    assert again in await raw(client, "/")
