"""A pool that is read cycle after cycle: what its objects and its numbers become."""

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from xapi.asking import access_to
from xapi.pools import GIB, StandInPool, build_pool, guest, halt, running

from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import Unavailable
from xenwatch.host.xapi.client import XapiClient
from xenwatch.model.sample import Sample
from xenwatch.sampling.xapi.families import pool_metrics
from xenwatch.sampling.xapi.reader import PoolReader
from xenwatch.web.renderer import Renderer

_AT = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)


class Bench:
    """A reader beside the pool that it reads, on one clock."""

    def __init__(self, pool: StandInPool, client: XapiClient, clock: ManualClock) -> None:
        self.pool, self.client, self.clock = pool, client, clock
        self.reader = PoolReader(client, clock, tags=("gold",))

    async def cycle(self, seconds: float = 10.0) -> "Values":
        self.clock.advance(seconds)
        return values((await self.reader.read()).samples)


Values = Mapping[str, Mapping[tuple[str, ...], float]]


def values(samples: object) -> Values:
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for sample in samples:  # type: ignore[attr-defined]
        found.setdefault(sample.metric.name, {})[sample.labels] = sample.value
    return found


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = ManualClock(1_796_029_700.0)
    pool = build_pool(tmp_path)
    pool.now = clock.now
    async with running(pool):
        client = XapiClient(access_to(pool, call_seconds=1.0))
        try:
            yield Bench(pool, client, clock)
        finally:
            await client.close()


async def test_guests_are_told_by_the_families_of_a_host_of_its_own(bench: Bench) -> None:
    found = await bench.cycle()
    assert found["xen_domain_state"]["web0", "running", "prod"] == 1
    assert found["xen_domain_vcpus"]["web0", "current", "prod"] == 2
    assert found["xen_domain_memory_current_bytes"]["web0", "prod"] == 2 * GIB
    assert found["xen_domain_memory_static_max_bytes"]["web0", "prod"] == 4 * GIB
    assert found["xen_domain_guest_memory_bytes"]["web0", "free", "prod"] == 256 * 1024**2
    assert found["xen_domain_vbd_capacity_bytes"]["web0", "xvda", "prod"] == 20 * GIB
    assert found["xen_hypervisor_memory_free_bytes"]["xcp1", "prod"] == 32 * GIB
    (info,) = (labels for labels in found["xen_domain_info"] if labels[0] == "web1")
    assert info[2:] == ("2", "xcp2", "prod")
    (vif,) = (labels for labels in found["xen_domain_vif_info"] if labels[:2] == ("web0", "1"))
    assert vif[3:5] == ("02:16:3e:00:01:01", "xenbr0")


async def test_what_the_hosts_themselves_need_and_how_fast_they_run(bench: Bench) -> None:
    await bench.cycle()
    found = await bench.cycle()
    assert found["xen_host_cpu_frequency_hertz"]["3", "xcp2", "prod"] == 2.4e9
    assert found["xen_host_xapi_open_fds"]["xcp1", "prod"] == 70
    kinds = {labels[0]: value for labels, value in found["xen_host_xapi_memory_bytes"].items() if labels[1] == "xcp1"}
    assert kinds == {
        "usage": 150000 * 1024,
        "free": 9000 * 1024,
        "allocation": 90000 * 1024,
        "live": 81000 * 1024,
    }
    assert found["xen_domain_runnable_ratio"]["web0", "prod"] == pytest.approx(0.05)
    assert found["xen_domain_vbd_used_bytes"]["web0", "xvda", "prod"] == 5 * GIB


async def test_averages_add_up_to_counters_from_the_agents_start_on(bench: Bench) -> None:
    first = await bench.cycle()
    assert first["xen_domain_cpu_seconds_total"]["web0", "prod"] == 0
    second, third = await bench.cycle(), await bench.cycle(20.0)
    assert second["xen_domain_cpu_seconds_total"]["web0", "prod"] == pytest.approx(2 * 0.25 * 10)
    assert third["xen_domain_cpu_seconds_total"]["web0", "prod"] == pytest.approx(2 * 0.25 * 30)
    assert third["xen_domain_vbd_read_bytes_total"]["web0", "xvda", "prod"] == pytest.approx(4096 * 30)
    assert third["xen_domain_vbd_write_requests_total"]["web0", "xvda", "prod"] == pytest.approx(2 * 30)
    assert third["xen_domain_vif_receive_bytes_total"]["web0", "0", "prod"] == pytest.approx(100 * 30)
    assert third["xen_host_interface_transmit_bytes_total"]["eth0", "xcp1", "prod"] == pytest.approx(2000 * 30)
    assert third["xen_sr_bytes_total"]["shared", "write", "xcp2", "prod"] == pytest.approx(8192 * 30, rel=1e-3)
    assert third["xen_domain_vbd_latency_seconds"]["web0", "xvda", "read", "prod"] == pytest.approx(0.0005)


async def test_a_long_gap_costs_only_what_xapi_does_not_keep(bench: Bench) -> None:
    await bench.cycle()
    found = await bench.cycle(3600.0)
    assert 590 <= found["xen_domain_cpu_seconds_total"]["web0", "prod"] / 0.5 <= 600


async def test_between_two_rows_the_last_numbers_stand(bench: Bench) -> None:
    await bench.cycle()
    second, third = await bench.cycle(), await bench.cycle(1.0)
    assert third["xen_domain_cpu_seconds_total"] == second["xen_domain_cpu_seconds_total"]
    assert third["xen_host_cpu_usage_ratio"] == second["xen_host_cpu_usage_ratio"]


@pytest.mark.parametrize("ahead", [-3000.0, 3000.0])
async def test_a_clock_that_differs_from_the_hosts_costs_a_few_cycles_at_the_start(bench: Bench, ahead: float) -> None:
    bench.pool.now = lambda: bench.clock.now() - ahead
    for _ in range(6):
        await bench.cycle()
    before, after = await bench.cycle(), await bench.cycle(20.0)
    grown = (
        after["xen_domain_cpu_seconds_total"]["web0", "prod"] - before["xen_domain_cpu_seconds_total"]["web0", "prod"]
    )
    assert grown == pytest.approx(2 * 0.25 * 20)


async def test_what_has_no_number_yet_has_no_sample(bench: Bench) -> None:
    uuid = bench.pool.database.record("VM", guest(bench.pool, "web0"))["uuid"]
    bench.pool.not_yet.update({(f"vm:{uuid}", "memory"), (f"vm:{uuid}", "cpu0"), (f"vm:{uuid}", "cpu1")})
    await bench.cycle()
    found = await bench.cycle()
    assert ("web0", "prod") not in found["xen_domain_memory_current_bytes"]
    assert found["xen_domain_cpu_seconds_total"]["web0", "prod"] == 0


@pytest.mark.parametrize("form", ["old-json", "xml"])
async def test_hosts_of_other_ages_give_the_same(bench: Bench, form: str) -> None:
    new = await bench.cycle()
    for host in bench.pool.hosts:
        host.rrd_format = form
    bench.reader = PoolReader(bench.client, bench.clock)
    old = await bench.cycle(0.0)
    assert old["xen_host_cpu_usage_ratio"] == new["xen_host_cpu_usage_ratio"]
    assert old["xen_domain_memory_current_bytes"] == new["xen_domain_memory_current_bytes"]


async def test_a_guest_that_stops_is_off_at_once(bench: Bench) -> None:
    await bench.cycle()
    halt(bench.pool, guest(bench.pool, "web1"))
    found = await bench.cycle()
    assert found["xen_domain_state"]["web1", "shutoff", "prod"] == 1
    assert ("web1", "prod") not in found["xen_domain_memory_current_bytes"]
    assert ("web0", "prod") in found["xen_domain_memory_current_bytes"]


async def test_a_guest_that_moves_keeps_its_series(bench: Bench) -> None:
    before = await bench.cycle()
    moved = guest(bench.pool, "web0")
    first, second = (host.ref for host in bench.pool.hosts)
    uuid = bench.pool.database.record("VM", moved)["uuid"]
    bench.pool.figures[second][f"vm:{uuid}"] = bench.pool.figures[first].pop(f"vm:{uuid}")
    bench.pool.database.change("VM", moved, resident_on=second, domid=77)
    after = await bench.cycle()
    for name in ("xen_domain_vcpu_seconds_total", "xen_domain_vbd_read_bytes_total", "xen_domain_state"):
        assert after[name].keys() == before[name].keys()


async def test_pool_hosts_and_repositories(bench: Bench) -> None:
    db = bench.pool.database
    db.change("pool", bench.pool.ref, ha_enabled=True, ha_host_failures_to_tolerate=1, ha_plan_exists_for=0)
    db.change("host", bench.pool.hosts[1].ref, enabled=False, current_operations={"OpaqueRef:t": "evacuate"})
    pbd = next(ref for ref, one in db.records("PBD").items() if one["host"] == bench.pool.hosts[1].ref)
    db.change("PBD", pbd, currently_attached=False)
    db.add("task", name_label="Async.VM.start", status="failure")
    found = await bench.cycle()
    assert found["xen_pool_ha_host_failures_to_tolerate"]["prod",] == 1
    assert found["xen_pool_ha_plan_exists_for"]["prod",] == 0
    assert found["xen_pool_tasks"]["failure", "prod"] == 1
    assert found["xen_host_enabled"] == {("xcp1", "prod"): 1, ("xcp2", "prod"): 0}
    assert found["xen_host_evacuating"]["xcp2", "prod"] == 1
    assert found["xen_host_power_watts"]["xcp1", "prod"] == 210
    assert found["xen_hypervisor_boot_time_seconds"]["xcp1", "prod"] == 1793534400
    assert found["xen_sr_size_bytes"]["shared", "prod"] == 1000 * GIB
    assert found["xen_sr_attached"] == {("shared", "xcp1", "prod"): 1, ("shared", "xcp2", "prod"): 0}
    assert found["xen_sr_vdis"]["shared", "guest", "prod"] == 6


async def test_names_that_several_have_are_told_apart(bench: Bench) -> None:
    db = bench.pool.database
    for host in bench.pool.hosts:
        sr = db.add("SR", name_label="Local storage", type="ext", physical_size=GIB)
        db.add("PBD", host=host.ref, SR=sr)
    twins = [db.add("VM", name_label="twin") for _ in range(2)]
    found = await bench.cycle()
    assert ("Local storage (xcp1)", "prod") in found["xen_sr_size_bytes"]
    assert ("Local storage (xcp2)", "prod") in found["xen_sr_size_bytes"]
    for ref in twins:
        assert (f"twin ({db.record('VM', ref)['uuid'][:8]})", "shutoff", "prod") in found["xen_domain_state"]


async def test_snapshots_tools_and_the_tags_that_are_asked_for(bench: Bench) -> None:
    db, web0 = bench.pool.database, guest(bench.pool, "web0")
    db.change("VM", web0, tags=("gold", "secret project"))
    db.add("VM", name_label="before", is_a_snapshot=True, snapshot_of=web0, snapshot_time=_AT)
    tools = db.record("VM", guest(bench.pool, "web1"))["guest_metrics"]
    db.change("VM_guest_metrics", tools, PV_drivers_detected=False)
    found = await bench.cycle()
    assert found["xen_domain_snapshots"] == {("web0", "prod"): 1, ("web1", "prod"): 0, ("web2", "prod"): 0}
    assert found["xen_domain_oldest_snapshot_timestamp_seconds"]["web0", "prod"] == _AT.timestamp()
    assert found["xen_domain_guest_tools"]["web1", "prod"] == 0
    assert list(found["xen_domain_tag_info"]) == [("web0", "gold", "prod")]


async def test_chains_and_what_waits_to_be_merged(bench: Bench) -> None:
    db = bench.pool.database
    vdi = next(iter(db.records("VDI")))
    sr = db.record("VDI", vdi)["SR"]
    base = db.add("VDI", SR=sr, managed=False, name_label="base copy")
    middle = db.add("VDI", SR=sr, managed=False, sm_config={"vhd-parent": db.record("VDI", base)["uuid"]})
    db.change("VDI", vdi, sm_config={"vhd-parent": db.record("VDI", middle)["uuid"]})
    found = await bench.cycle()
    assert found["xen_sr_longest_chain"]["shared", "prod"] == 3
    assert found["xen_sr_vdis_to_coalesce"]["shared", "prod"] == 2


async def test_one_host_that_hangs_costs_its_own_numbers_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xenwatch.sampling.xapi.figures.FIGURES_SECONDS", 0.2)
    await bench.cycle()
    slow = bench.pool.hosts[1]
    slow.hangs = True
    found = await bench.cycle()
    assert found["xen_host_figures_up"] == {("xcp1", "prod"): 1, ("xcp2", "prod"): 0}
    assert ("web0", "prod") in found["xen_domain_cpu_usage_ratio"]
    assert ("web1", "prod") not in found["xen_domain_cpu_usage_ratio"]
    assert found["xen_domain_state"]["web1", "running", "prod"] == 1
    asked = len(slow.asked)
    await bench.cycle(5.0)
    assert len(slow.asked) == asked, "for a while nobody waits for it again"
    slow.hangs = False
    assert (await bench.cycle(20.0))["xen_host_figures_up"]["xcp2", "prod"] == 1


async def test_a_lost_master_is_told_and_the_next_one_is_read(bench: Bench) -> None:
    await bench.cycle()
    await bench.pool.hosts[0].stop()
    bench.pool.make_master(bench.pool.hosts[1])
    bench.pool.database.change("host_metrics", _metrics(bench, 0), live=False)
    reading = await bench.reader.read()
    assert isinstance(reading.error, Unavailable)
    assert values(reading.samples)["xen_pool_up"] == {("prod",): 0}
    found = await bench.cycle()
    assert found["xen_pool_up"] == {("prod",): 1}
    assert found["xen_host_live"] == {("xcp1", "prod"): 0, ("xcp2", "prod"): 1}
    assert found["xen_pool_logins_total"] == {("prod",): 2}
    assert any(labels[2] == "xcp2" for labels in found["xen_pool_info"])


def _metrics(bench: Bench, host: int) -> str:
    ref: str = bench.pool.database.record("host", bench.pool.hosts[host].ref)["metrics"]
    return ref


async def test_every_sample_is_declared_and_no_series_comes_twice(bench: Bench) -> None:
    samples: list[Sample] = list((await bench.reader.read()).samples)
    declared = pool_metrics()
    assert {s.metric.name for s in samples if declared.get(s.metric.name) != s.metric} == set()
    assert all(len(s.labels) == len(s.metric.labels) for s in samples)
    assert [key for key, n in Counter((s.metric.name, s.labels) for s in samples).items() if n > 1] == []
    assert b'xen_domain_state{domain="web0",state="running",pool="prod"} 1\n' in Renderer().render(samples)
