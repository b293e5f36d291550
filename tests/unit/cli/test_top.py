"""`xenwatch top`, driven by Textual's own test driver."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from click.testing import CliRunner
from hosts.recorded import recorded_host
from textual.widgets import DataTable, Static

from xenwatch.base.errors import InputError, Unavailable
from xenwatch.cli._top.app import TopApp
from xenwatch.cli._top.batch import batch_json, batch_lines
from xenwatch.cli._top.frame import TopFrame, TopRow, ordered, rows
from xenwatch.cli._top.screens import GuestScreen, IncidentScreen, KeysScreen
from xenwatch.cli._top.sources import HostSource, parsed
from xenwatch.cli.main import cli

FAR = 3600.0
"""Between two looks by itself: in these tests the keys say when."""


def incident(ident: str, name: str, severity: str = "error", title: str = "The bridge is missing") -> dict[str, Any]:
    words = {"title": title, "summary": title, "cause": "because", "impact": "", "rule": "r", "class": "c"}
    lists = {key: [] for key in ("evidence", "verify", "remedy", "unchecked", "history")}
    return {
        "id": ident, "severity": severity, "state": "open", "acknowledged_by": None, "explained_by": None,
        "resolved": None, "count": 1, "first_seen": "2026-03-01T12:00:00Z", "last_seen": "2026-03-01T12:00:00Z",
        "subject": {"kind": "domain", "name": name, "domid": None, "uuid": None}, **words, **lists,
    }  # fmt: skip


def reading(at: float, *, cpu: dict[str, float], incidents: tuple[dict[str, Any], ...] = (), **more: Any) -> TopFrame:
    state = [({"domain": name, "state": "running"}, 1.0) for name in cpu]
    samples = {
        "xen_domain_state": state,
        "xen_domain_info": [({"domain": name, "uuid": "", "domid": str(i)}, 1.0) for i, name in enumerate(cpu, 1)],
        "xen_domain_cpu_seconds_total": [({"domain": name}, seconds) for name, seconds in cpu.items()],
        "xenwatch_collector_last_success_timestamp_seconds": [
            ({"collector": name}, at) for name in ("domain", "vif", "vbd")
        ],
        **more,
    }
    return TopFrame(samples, incidents, "test")


class Told:
    """A source that gives one reading after the other, then the last one again; an error is raised."""

    def __init__(self, *readings: TopFrame | Exception) -> None:
        self._readings = list(readings)

    async def read(self) -> TopFrame:
        one = self._readings.pop(0) if len(self._readings) > 1 else self._readings[0]
        if isinstance(one, Exception):
            raise one
        return one

    async def close(self) -> None:
        pass


def column(app: TopApp, index: int, table: str = "domains") -> list[str]:
    found = app.query_one(f"#{table}", DataTable)
    return [str(found.get_row_at(i)[index]) for i in range(found.row_count)]


def headings(app: TopApp, table: str = "domains") -> list[str]:
    return [str(found.label) for found in app.query_one(f"#{table}", DataTable).ordered_columns]


def page(app: TopApp) -> str:
    return str(app.screen.query_one(Static).content)


async def look(pilot: Any) -> None:
    await pilot.press("space")
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


FIRST = reading(100.0, cpu={"db": 50.0, "web": 10.0})
SECOND = reading(110.0, cpu={"db": 51.0, "web": 19.0}, incidents=(incident("i1", "web"),))


async def test_cpu_is_what_was_used_between_two_looks_and_the_busiest_comes_first():
    app = TopApp(Told(FIRST, SECOND), FAR)
    async with app.run_test(size=(160, 40)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert column(app, 3) == ["-", "-"]
        await look(pilot)
        assert column(app, 0) == ["web", "db"]
        assert column(app, 3) == ["90.0", "10.0"]


async def test_the_same_key_again_turns_the_order_round():
    app = TopApp(Told(FIRST, SECOND), FAR)
    async with app.run_test(size=(160, 40)) as pilot:
        await look(pilot)
        await pilot.press("a")
        assert column(app, 0) == ["db", "web"]
        await pilot.press("a")
        assert column(app, 0) == ["web", "db"]


async def test_an_open_incident_stands_beside_its_domain_and_enter_opens_the_guest_with_it():
    app = TopApp(Told(SECOND), FAR)
    async with app.run_test(size=(160, 40)) as pilot:
        await look(pilot)
        await pilot.press("i")
        assert column(app, 11)[0] == "The bridge is missing"
        assert column(app, 3, "incidents") == ["The bridge is missing"]
        app.query_one("#domains", DataTable).move_cursor(row=0)
        await pilot.press("enter")
        assert isinstance(app.screen, GuestScreen)
        assert "The bridge is missing" in page(app)
        await pilot.press("escape", "tab", "enter")
        assert isinstance(app.screen, IncidentScreen)
        await pilot.press("escape")
        assert not isinstance(app.screen, IncidentScreen)


async def test_a_guest_without_trouble_shows_its_parts_and_no_incident():
    app = TopApp(Told(FIRST), FAR)
    async with app.run_test(size=(160, 40)) as pilot:
        await look(pilot)
        await pilot.press("enter")
        assert isinstance(app.screen, GuestScreen)
        assert "0 open incidents" in page(app)


async def test_the_cursor_stays_on_its_domain_when_the_order_changes():
    app = TopApp(Told(FIRST, SECOND), FAR)
    async with app.run_test(size=(160, 40)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.press("a")
        table = app.query_one("#domains", DataTable)
        table.move_cursor(row=1)
        assert column(app, 0)[table.cursor_row] == "web"
        await pilot.press("c")
        await look(pilot)
        assert column(app, 0)[table.cursor_row] == "web"


async def test_a_name_that_is_markup_or_drives_a_terminal_is_only_text():
    hostile = "[bold red]x[/]\x1b[2J\n[@click=app.quit()]"
    told = reading(1.0, cpu={hostile: 1.0}, incidents=(incident("i1", hostile, title=hostile),))
    app = TopApp(Told(told), FAR)
    async with app.run_test(size=(200, 40)) as pilot:
        await look(pilot)
        shown = column(app, 0)[0] + column(app, 3, "incidents")[0]
        assert "[bold red]x[/]\\x1b[2J" in shown
        assert "\x1b" not in shown
        assert "\n" not in shown
        await pilot.press("enter")
        assert isinstance(app.screen, GuestScreen)
        assert "\x1b" not in page(app)


async def test_an_agent_that_goes_away_is_said_and_the_last_numbers_stay():
    app = TopApp(Told(FIRST, Unavailable("no agent answers at http://x")), FAR)
    async with app.run_test(size=(160, 40)) as pilot:
        await app.workers.wait_for_complete()
        await look(pilot)
        assert "no agent answers" in str(app.query_one("#host", Static).content)
        assert column(app, 0) == ["db", "web"]


@pytest.fixture
async def recorded() -> AsyncIterator[HostSource]:
    def nobody() -> tuple[list[dict[str, Any]], str]:
        raise InputError("no state")

    async with recorded_host() as host:
        yield HostSource(host, nobody)


async def test_a_recorded_host_is_shown_without_an_agent(recorded: HostSource):
    app = TopApp(recorded, FAR)
    async with app.run_test(size=(160, 40)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "Domain-0" in column(app, 0)
        host = str(app.query_one("#host", Static).content)
        assert re.search(r"Xen 4\.17\S* · \d+ cpus", host)
        assert "incidents are not known" in host


def test_a_counter_that_fell_is_a_guest_that_started_anew_and_no_negative_pace():
    before, now = reading(0.0, cpu={"web": 100.0}), reading(10.0, cpu={"web": 1.0})
    assert [row.cpu_percent for row in rows(now, before)] == [0.0]


def test_traffic_is_added_up_over_a_domains_devices_and_is_a_seconds():
    def vifs(a: float, b: float) -> list[tuple[dict[str, str], float]]:
        return [({"domain": "web", "vif": "0"}, a), ({"domain": "web", "vif": "1"}, b)]

    name = "xen_domain_vif_receive_bytes_total"
    before = reading(0.0, cpu={"web": 1.0}, **{name: vifs(0, 0)})
    now = reading(10.0, cpu={"web": 1.0}, **{name: vifs(500, 1500)})
    assert rows(now, before)[0].received == 200.0


def test_rows_of_the_same_reading_have_no_pace_yet():
    assert rows(FIRST, FIRST)[0].cpu_percent is None


def test_the_gravest_trouble_comes_first_when_sorted_by_incidents():
    quiet, warned = TopRow("a"), TopRow("b", incidents=(incident("1", "b", "warning"),))
    grave = TopRow("c", incidents=(incident("2", "c", "warning"), incident("3", "c", "critical")))
    assert [row.name for row in ordered([quiet, warned, grave], "i")] == ["c", "b", "a"]
    assert grave.worst["severity"] == "critical"


def test_prometheus_text_is_read_back_with_its_labels():
    found = parsed('# TYPE xen_domain_cpu_seconds_total counter\nxen_domain_cpu_seconds_total{domain="a\\"b"} 1.5\n')
    assert found == {"xen_domain_cpu_seconds_total": [({"domain": 'a"b'}, 1.5)]}


def test_without_a_terminal_it_says_what_to_use_instead():
    said = CliRunner().invoke(cli, ["top"])
    assert isinstance(said.exception, InputError)
    assert "top --batch" in str(said.exception)


async def test_on_80_columns_and_24_lines_each_guest_has_its_incident_on_the_screen():
    app = TopApp(Told(SECOND), FAR)
    async with app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        assert headings(app) == ["NAME", "ID", "STATE", "CPU %", "MEMORY", "INCIDENT"]
        assert headings(app, "incidents") == ["SEVERITY", "SUBJECT", "TITLE"]
        for table in app.query(DataTable):
            assert table.virtual_size.width <= 80
        await pilot.resize_terminal(160, 40)
        await pilot.pause()
        assert len(headings(app)) == 12


DISKS = {
    "xen_domain_vbd_read_requests_total": [({"domain": "web", "device": "xvda"}, 30.0)],
    "xen_domain_vbd_read_bytes_total": [({"domain": "web", "device": "xvda"}, 4096.0)],
    "xen_domain_vbd_info": [({"domain": "web", "device": "xvda", "source": "/dev/vg0/web"}, 1.0)],
}


async def test_v_b_and_n_show_the_parts_and_escape_the_domains_again():
    app = TopApp(Told(reading(1.0, cpu={"web": 1.0}, **DISKS)), FAR)
    async with app.run_test(size=(120, 30)) as pilot:
        await look(pilot)
        await pilot.press("B")
        assert [column(app, i)[0] for i in (0, 1, 6)] == ["web", "xvda", "/dev/vg0/web"]
        await pilot.press("enter")
        assert isinstance(app.screen, GuestScreen)
        await pilot.press("escape", "N")
        assert column(app, 0) == []
        await pilot.press("escape")
        assert headings(app)[0:2] == ["NAME", "ID"]


async def test_who_is_used_to_xentop_may_type_v_and_b_in_small_letters_and_s_and_q_in_capitals():
    app = TopApp(Told(reading(1.0, cpu={"web": 1.0}, **DISKS)), FAR)
    async with app.run_test(size=(120, 30)) as pilot:
        await look(pilot)
        await pilot.press("b")
        assert headings(app)[1] == "DISK"
        await pilot.press("v")
        assert headings(app)[1] == "VCPU"
        await pilot.press("v", "S")
        assert app._key == "m", "sorted by the next column"
        await pilot.press("Q")
    assert app.return_code == 0


async def test_the_question_mark_lists_every_key():
    app = TopApp(Told(FIRST), FAR)
    async with app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        await pilot.press("question_mark")
        assert isinstance(app.screen, KeysScreen)
        assert "sort by memory" in page(app)
        assert "show disks" in page(app)


def test_batch_prints_the_columns_of_xentop():
    memory = {
        "xen_domain_memory_current_bytes": [({"domain": "web"}, 1024.0**3)],
        "xen_domain_memory_maximum_bytes": [({"domain": "web"}, 1024.0**3)],
        "xen_hypervisor_memory_total_bytes": [({}, 4 * 1024.0**3)],
    }
    before, now = reading(0.0, cpu={"web": 1.0}), reading(10.0, cpu={"web": 3.0}, **DISKS, **memory)
    heading, line = batch_lines(now, rows(now, before))
    assert heading == (
        "      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) NETRX(k) VBDS"
        "   VBD_OO   VBD_RD   VBD_WR  VBD_RSECT  VBD_WSECT SSID"
    )
    assert line == (
        "       web -----r          3   20.0    1048576   25.0    1048576      25.0     0    0        0        0    1"
        "        0       30        0          8          0    0"
    )


def test_a_guest_without_a_limit_of_memory_is_shown_as_xentop_shows_it():
    (_, line) = batch_lines(FIRST, rows(FIRST, FIRST)[:1])
    assert "  no limit       n/a " in line


def test_json_has_rates_or_null_and_the_open_incidents():
    content = batch_json(SECOND, rows(SECOND, FIRST))
    web = next(domain for domain in content["domains"] if domain["name"] == "web")
    assert (web["cpu_percent"], web["memory_bytes"], web["incidents"]) == (90.0, None, ["i1"])
    assert content["incidents"][0]["title"] == "The bridge is missing"
