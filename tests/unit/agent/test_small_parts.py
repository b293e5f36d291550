import socket
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from xenwatch.agent.incident_registry import MOST_RESOLVED, IncidentRegistry
from xenwatch.agent.liveness import Liveness
from xenwatch.agent.metrics.families import incident_families, log_families
from xenwatch.agent.metrics.registry import MOST_LOGS, AgentCounters, SelfMetrics
from xenwatch.agent.sdnotify import SystemdNotifier
from xenwatch.base.clock import ManualClock
from xenwatch.demo.host import choose_address
from xenwatch.logs.counters import FollowCounters
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject


def an_incident(key: str, name: str = "web", **changes) -> Incident:
    told = Diagnosis("r", "c", Subject("domain", name), "error", "t", "s", "why", 1.0)
    return replace(Incident(key, told, "open", 1.0, 1.0), **changes)


def test_a_part_that_is_silent_for_too_long_is_not_healthy_and_one_that_works_is():
    clock = ManualClock()
    progress = Liveness(clock, 60.0, ["logs", "sampling"])
    clock.advance(50)
    progress.note("logs")
    clock.advance(20)
    assert [(c.name, c.ok) for c in progress.checks()] == [("logs", True), ("sampling", False)]
    assert not progress.healthy
    assert progress.has_started("logs")
    assert not progress.has_started("sampling")


def test_a_step_of_the_wall_clock_makes_nobody_unhealthy():
    clock = ManualClock()
    progress = Liveness(clock, 60.0, ["logs"])
    clock.set_wall(clock.now() + 86400)
    assert progress.healthy


@pytest.fixture
def systemd(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        yield listening


def test_systemd_is_told(systemd: socket.socket):
    notifier = SystemdNotifier({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000000"})
    assert notifier.watchdog == 30.0
    notifier.tell("READY=1", "STATUS=following logs")
    assert systemd.recv(100) == b"READY=1\nSTATUS=following logs"


def test_systemd_is_told_over_an_abstract_socket():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0xenwatch-test-notify")
        listening.settimeout(5)
        SystemdNotifier({"NOTIFY_SOCKET": "@xenwatch-test-notify"}).tell("WATCHDOG=1")
        assert listening.recv(100) == b"WATCHDOG=1"


def test_without_systemd_nothing_is_told_and_with_its_socket_gone_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    SystemdNotifier({}).tell("READY=1")
    assert not caplog.messages
    SystemdNotifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")
    assert "cannot send READY=1 to systemd" in caplog.text


@pytest.mark.parametrize("variables", [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "5000", "WATCHDOG_PID": "1"}])
def test_a_watchdog_that_is_not_ours_is_not_fed(variables: dict[str, str]):
    assert SystemdNotifier({"NOTIFY_SOCKET": "/x", **variables}, pid=7).watchdog is None


def test_opening_and_coming_back_are_counted_and_being_seen_again_is_not():
    registry = IncidentRegistry([an_incident("old", state="resolved")])
    registry.update([an_incident("new"), an_incident("old")])
    registry.update([an_incident("new", times_seen=2)])
    registry.update([an_incident("new", state="explained", explained_by="old")])
    assert registry.opened == {("r", "c", "error"): 2}


def test_the_registry_lists_what_is_over_last():
    registry = IncidentRegistry([an_incident("over", state="resolved", opened=0.0), an_incident("open")])
    assert [i.id for i in registry.ranked()] == ["open", "over"]


def test_the_registry_is_bounded_and_loses_the_oldest_resolved_one_first():
    registry = IncidentRegistry()
    registry.update([an_incident(f"r{n}", state="resolved", last_seen=float(n)) for n in range(MOST_RESOLVED + 1)])
    registry.update([an_incident("open", last_seen=-1.0)])
    assert len(registry.incidents) == MOST_RESOLVED + 1
    assert "r0" not in registry.incidents
    assert "open" in registry.incidents
    registry.forget(["open", "never known"])
    assert "open" not in registry.incidents


def exposed(*parts) -> dict[str, list[dict[str, str]]]:
    text = SelfMetrics(parts).render("openmetrics").decode()
    return {family.name: [sample.labels for sample in family.samples] for family in parse_openmetrics(text)}


def test_only_open_incidents_that_nothing_explains_are_open_in_the_metrics():
    registry = IncidentRegistry([
        an_incident("a"),
        an_incident("same-labels", diagnosis=an_incident("a").diagnosis),
        an_incident("b", name="sym", state="explained", explained_by="a"),
        an_incident("c", name="over", state="resolved"),
        an_incident("d", name='ev"il\n\udcff'),
    ])  # fmt: skip
    names = [labels["name"] for labels in exposed(lambda: incident_families(registry))["xenwatch_incident_open"]]
    assert names == ["web", 'ev"il\n?']


def test_so_many_logs_that_series_would_explode_are_cut_and_counted():
    follow, counters = FollowCounters(), AgentCounters()
    for number in range(MOST_LOGS + 3):
        follow.of(f"/log/{number}").last_read = float(number)
    shown = exposed(lambda: log_families(follow, counters))["xenwatch_log_lag_bytes"]
    assert len(shown) == MOST_LOGS
    assert {"source": f"/log/{MOST_LOGS + 2}"} in shown
    assert counters.dropped["logs"] == 3


def test_the_demo_takes_another_port_where_the_usual_one_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert choose_address(("127.0.0.1", port)) == ("127.0.0.1", 0)
    assert choose_address(("127.0.0.1", port)) == ("127.0.0.1", port)
