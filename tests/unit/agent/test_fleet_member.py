"""An agent of a fleet whose etcd is not there does all that an agent does."""

from pathlib import Path
from typing import Any

from xenwatch.base.clock import SystemClock
from xenwatch.config.fleet_member import fleet_registry
from xenwatch.config.sections import FleetSettings
from xenwatch.fleet.registry import HostRegistry, NoFleet

Bench = Any  # conftest's, which cannot be imported in this import mode

BRIDGE = (
    "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"
)


async def test_an_agent_whose_etcd_is_not_there_reports_its_incidents_as_ever(bench: Bench):
    bench.overrides |= {"fleet.etcd": ("http://127.0.0.1:1",), "fleet.host": "xen1"}
    async with bench.running() as run:
        await run.ready()
        bench.write("xl-web.log", BRIDGE)
        await run.until(lambda: run.causes() == {"vif-bridge-missing"})
        await run.until(lambda: run.agent.outlets.fleet.failures > 0)
        assert (await run.json("/healthz"))["ok"]
        assert "vif-bridge-missing" in {i.diagnosis.rule for i in run.agent.outlets.fleet._incidents.values()}


def test_a_host_without_etcd_belongs_to_no_fleet(tmp_path: Path):
    assert isinstance(fleet_registry(FleetSettings(), SystemClock()), NoFleet)


async def test_a_host_has_its_own_name_where_none_is_given():
    assert isinstance(fleet_registry(FleetSettings(etcd=("http://127.0.0.1:1",)), SystemClock()), HostRegistry)
