import os
import subprocess
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from monitoring.tools import tool
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from xenwatch.agent.agent import Agent, ExternalAccess
from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import StoreError
from xenwatch.sampling.catalogue import all_collectors

Bench = Any  # conftest's, which cannot be imported in this import mode

BRIDGE = (
    "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"
)
FINE = "Waiting for domain web (domid 7) to die [pid 4711]\n"


def counted(run: Any) -> dict[str, int]:
    return {key: incident.times_seen for key, incident in run.agent.registry.incidents.items()}


async def test_a_failure_in_a_log_becomes_an_incident_with_its_cause_in_api_and_metrics(bench: Bench):
    async with bench.running() as run:
        await run.ready()
        bench.write("xl-web.log", BRIDGE)
        await run.until(lambda: run.causes() == {"vif-bridge-missing"})
        (shown,) = (await run.json("/api/v1/incidents?class=vif-bridge-missing"))["incidents"]
        assert shown["subject"]["name"] == "web"
        assert "xenbr7" in shown["cause"]
        metrics = await run.text("/metrics")
        assert 'xenwatch_incident_open{class="vif-bridge-missing",kind="domain",name="web"' in metrics
        assert 'xenwatch_log_lines_total{source="' + str(bench.host.logs / "xl-web.log") + '"} 1.0' in metrics


async def test_a_log_in_which_nothing_is_wrong_gives_no_incident(bench: Bench):
    bench.write("xl-web.log", FINE)
    async with bench.running() as run:
        await run.ready()
        await run.until(lambda: run.agent.monitor.follower.counters.of(str(bench.host.logs / "xl-web.log")).lines == 1)
        assert run.agent.registry.incidents == {}
        assert (await run.json("/healthz"))["ok"]


async def test_the_domains_of_libvirt_are_shown(bench: Bench):
    async with bench.running() as run:
        await run.ready()
        await run.until(run.shows_domains)
        text = await run.text("/metrics")
        assert 'xen_domain_vcpus{domain="web"' in text
        assert 'xenwatch_source_up{source="libvirt"} 1' in text
        assert (await run.json("/readyz"))["ready"]


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text;version=1.0.0"])
async def test_the_whole_exposition_is_read_back_by_prometheus_own_parser(bench: Bench, accept: str):
    async with bench.running() as run:
        await run.ready()
        bench.write("xl-web.log", BRIDGE)
        await run.until(lambda: bool(run.causes()) and run.shows_domains())
        async with run.http.get("/metrics", headers={"Accept": accept}) as answer:
            text = await answer.text()
    families = list((parse_openmetrics if "openmetrics" in accept else parse_text)(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert {"xenwatch_incident_open", "xen_domain_vcpus", "process_resident_memory_bytes"} <= set(names)


async def test_promtool_finds_nothing_wrong_with_the_whole_exposition(bench: Bench):
    async with bench.running() as run:
        await run.ready()
        bench.write("xl-web.log", BRIDGE)
        await run.until(lambda: bool(run.causes()) and run.shows_domains())
        text = await run.text("/metrics")
    said = subprocess.run([tool("promtool"), "check", "metrics"], input=text.encode(), capture_output=True, check=False)  # noqa: ASYNC221 - the agent is stopped
    assert (said.returncode, said.stdout, said.stderr) == (0, b"", b"")


async def test_after_a_restart_nothing_is_counted_again_and_the_incident_is_the_same(bench: Bench):
    bench.write("xl-web.log", BRIDGE)
    async with bench.running() as run:
        await run.until(lambda: bool(run.causes()))
        before = counted(run)
    bench.write("xl-db.log", FINE)
    async with bench.running() as run:
        await run.until(lambda: bool(run.agent.monitor.follower.counters.sources))
        await run.ready()
        assert counted(run) == before
        bench.write("xl-web.log", BRIDGE)
        await run.until(lambda: counted(run) == {key: count + 1 for key, count in before.items()})


async def test_lines_written_while_the_agent_was_down_are_read(bench: Bench):
    bench.write("xl-web.log", FINE)
    async with bench.running() as run:
        await run.ready()
    bench.write("xl-web.log", BRIDGE)
    async with bench.running() as run:
        await run.until(lambda: run.causes() == {"vif-bridge-missing"})


async def test_lines_written_just_before_the_end_are_read_by_the_last_look(bench: Bench):
    async with bench.running() as run:
        await run.ready()
        bench.write("xl-web.log", BRIDGE)
    bench.host.logs.joinpath("xl-web.log").unlink()
    async with bench.running() as run:
        assert run.causes() == {"vif-bridge-missing"}


async def test_a_reload_follows_the_new_logs_and_keeps_what_is_known(bench: Bench, tmp_path):
    bench.write("xl-web.log", BRIDGE)
    async with bench.running() as run:
        await run.until(lambda: run.causes() == {"vif-bridge-missing"})
        await run.ready()
        before, old = counted(run), run.agent.monitor
        other = tmp_path / "elsewhere"
        other.mkdir()
        other.joinpath("kern.log").write_text(
            "Nov 23 10:00:00 dom0 kernel: [1.0] md/raid1:md0: Disk failure on sdb1, disabling device.\n"
        )
        bench.overrides["logs.paths"] = (*bench.overrides["logs.paths"], f"{other}/*.log")
        run.agent.reload()
        await run.until(lambda: run.agent.monitor is not old)
        await run.until(lambda: any("kern.log" in path for path in run.agent.monitor.follower.counters.sources))
        assert {key: counted(run)[key] for key in before} == before
        assert "xenwatch_config_last_reload_successful 1.0" in await run.text("/metrics")


async def test_a_reload_with_a_mistake_keeps_the_old_configuration_and_says_so(bench: Bench, tmp_path, caplog):
    async with bench.running() as run:
        await run.ready()
        old = run.agent.monitor
        bench.config_file = tmp_path / "bad.toml"
        bench.config_file.write_text("[web]\nlistn = 3\n")
        run.agent.reload()
        await run.until(lambda: not run.agent.counters.reload_ok)
        assert "bad.toml:2: web.listn: no such key" in caplog.text
        assert run.agent.monitor is old
        assert "xenwatch_config_last_reload_successful 0.0" in await run.text("/metrics")
        bench.write("xl-web.log", BRIDGE)
        await run.until(lambda: run.causes() == {"vif-bridge-missing"})


async def test_with_a_hypervisor_that_does_not_answer_logs_are_judged_all_the_same(bench: Bench):
    bench.overrides["sampling.libvirt_uri"] = "xen+unix:///system?socket=/nowhere"
    async with bench.running() as run:
        bench.write("xl-web.log", BRIDGE)
        await run.until(lambda: run.causes() == {"vif-bridge-missing"})
        await run.ready()
        await run.until(lambda: run.agent.server.exposition.samples > 0)
        assert 'xenwatch_source_up{source="libvirt"} 0' in await run.text("/metrics")
        assert (await run.json("/healthz"))["ok"]


async def test_with_a_full_disk_monitoring_goes_on_and_the_incident_is_stored_later(bench: Bench):
    async with bench.running() as run:
        await run.ready()
        # The database's own limit gives the same SQLITE_FULL as a full disk.
        run.agent._store._connection.execute("PRAGMA max_page_count = 1")
        bench.write("xl-web.log", BRIDGE * 200)
        await run.until(lambda: run.agent.counters.state_errors > 0)
        assert run.causes() == {"vif-bridge-missing"}
        async with run.http.get("/healthz") as answer:
            assert (answer.status, (await answer.json())["checks"][-1]["ok"]) == (503, False)
        run.agent._store._connection.execute("PRAGMA max_page_count = 100000")
    async with bench.running() as run:
        assert run.causes() == {"vif-bridge-missing"}


async def test_with_a_damaged_database_the_agent_starts_anew_and_says_so(bench: Bench, caplog):
    state = bench.host.folder / "state"
    state.mkdir()
    (state / "state.db").write_bytes(b"no database " * 1000)
    bench.write("xl-web.log", BRIDGE)
    async with bench.running() as run:
        await run.until(lambda: run.causes() == {"vif-bridge-missing"})
        assert "xenwatch_state_databases_moved_aside_total 1.0" in await run.text("/metrics")
    assert "is damaged" in caplog.text


async def test_a_person_of_this_machine_acknowledges_an_incident_and_it_is_remembered(bench: Bench):
    bench.write("xl-web.log", BRIDGE)
    path = os.path.relpath(bench.host.folder / "api.sock")  # noqa: ASYNC240 - a whole path may be too long for a socket
    bench.overrides["web.socket"] = path
    async with bench.running() as run:
        await run.until(lambda: bool(run.causes()))
        (key,) = [i.id for i in run.agent.registry.incidents.values() if i.state == "open"]
        async with run.http.post(f"/api/v1/incidents/{key}/acknowledge", json={"by": "anna"}) as answer:
            assert answer.status == 401
        async with aiohttp.ClientSession("http://localhost", connector=aiohttp.UnixConnector(path)) as local:
            answer = await local.post(f"/api/v1/incidents/{key}/acknowledge", json={"by": "anna"})
            assert answer.status == 200
    assert not Path(path).exists()  # noqa: ASYNC240 - as above
    async with bench.running() as run:
        shown = (await run.json(f"/api/v1/incidents/{key}"))["incident"]
        assert shown["acknowledged_by"] == "anna"
        assert [h["what"] for h in shown["history"]] == ["opened", "acknowledged"]


async def test_a_second_agent_on_the_same_state_is_refused(bench: Bench):
    async with bench.running():
        with pytest.raises(StoreError, match="another xenwatch agent"):
            Agent(bench.load(), ExternalAccess(SystemClock(), bench.load))


async def test_text_that_a_guest_wrote_reaches_nobody_raw(bench: Bench):
    bench.write("xl-<script>.log", BRIDGE)
    async with bench.running() as run:
        await run.until(lambda: bool(run.causes()))
        assert "<script>" not in await run.text("/")


async def test_on_a_machine_without_xen_the_agent_is_healthy_and_says_what_is_missing(bench: Bench, caplog):
    bench.overrides |= {"sampling.libvirt_uri": "xen:///system?socket=/nowhere", "agent.stall_after": 30.0}
    async with bench.running() as run:
        await run.ready()
        assert (await run.json("/healthz"))["ok"]
        assert "this machine does not run Xen" in caplog.text
        status = await run.json("/api/v1/status")
        assert status["host"] == {"xen_dom0": False, "sources": {"libvirt": False}}
        supported = {one["name"]: one["supported"] for one in status["collectors"]}
        assert (supported["xenstore"], supported["dom0"]) == (False, True)


async def test_an_agent_that_samples_nothing_is_healthy_too(bench: Bench):
    bench.overrides["sampling.disabled"] = tuple(all_collectors())
    async with bench.running() as run:
        await run.ready()
        assert (await run.json("/healthz"))["ok"]
