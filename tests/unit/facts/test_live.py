"""A live host tells the facts that docs/facts.md promises, under the same names."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hosts.recorded import recorded_host

from xenwatch.base.clock import ManualClock
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.facts import live
from xenwatch.facts.live import detect
from xenwatch.host.exec.runner import OUTPUT_LIMIT, Completed, SystemRunner
from xenwatch.host.host import build_host
from xenwatch.host.paths import Paths
from xenwatch.model.fact import Fact

DOCS = Path(__file__).parents[3] / "docs/facts.md"


async def facts_of_the_recorded_host() -> dict[tuple[str, str], Fact]:
    async with recorded_host() as host:
        return {(fact.name, str(fact.subject)): fact for fact in await detect(host)}


async def test_facts_of_a_real_host_are_what_its_tools_said() -> None:
    facts = {key: fact.value for key, fact in (await facts_of_the_recorded_host()).items()}
    assert facts["domain.names", "host/dom0"] == ("Domain-0", "g1", "lv1")
    assert facts["domain.state", "domain/g1"] == "blocked"
    assert facts["memory.free_bytes", "host/dom0"] == 2771 * 1024**2
    assert facts["bridge.ports", "bridge/xenbr0"] == ("vif3.0", "vif4.0")
    assert facts["vg.free_bytes", "vg/dsk"] == 1874853888
    assert facts["lv.open", "lv/dsk/g1"] is True
    assert facts["hotplug.status", "vif/3/0"] == "connected"
    assert facts["dm.names", "host/dom0"] == ("dsk-g1", "dsk-g2")
    assert facts["xen.version", "host/dom0"] == "4.17.5"
    assert "hvm" in facts["xen.virt_caps", "host/dom0"]  # type: ignore[operator]
    assert facts["interface.state", "interface/vif3.0"] == "UP"
    assert facts["host.toolstacks", "host/dom0"] == ("xl",)


async def test_every_fact_is_documented() -> None:
    promised = set(re.findall(r"`([a-z0-9_.]+\.[a-z0-9_.]+)`", DOCS.read_text()))
    assert {name for name, _ in await facts_of_the_recorded_host()} - promised == set()


async def test_a_host_without_xen_tells_what_it_can_and_raises_nothing(tmp_path: Path) -> None:
    host = build_host(ManualClock(), Paths(tmp_path), SystemRunner(), toolstack=None, libvirt_uri=None)
    facts = {fact.name: fact.value for fact in await detect(host)}
    assert (facts["xen.dom0"], facts["bridge.names"]) == (False, ())
    assert "domain.names" not in facts


async def test_a_full_root_file_system_is_told_by_one_look_at_the_host() -> None:
    def full(text: str) -> str:
        return text.replace("515443 205000", "515443 0")

    async with recorded_host(edit=full) as host:
        pipeline = Pipeline(rules_with((), cache_folder()), cache=cache_folder())
        pipeline.facts(await detect(host, once=True))
        incidents = pipeline.conclude(host.clock.now())
    assert [i.diagnosis.rule for i in incidents if i.diagnosis.subject.kind == "mount"] == ["dom0-space-gone"]


async def test_a_root_file_system_with_room_is_not_told() -> None:
    async with recorded_host() as host:
        pipeline = Pipeline(rules_with((), cache_folder()), cache=cache_folder())
        pipeline.facts(await detect(host, once=True))
        assert [i for i in pipeline.conclude(host.clock.now()) if i.diagnosis.subject.kind == "mount"] == []


async def test_a_writable_disk_on_a_device_that_cannot_be_written_is_told() -> None:
    async with recorded_host() as host:
        disks = [d for d in await host.devices.current() if d.kind == "vbd" and d.domid == 3]
        major, minor = (int(part, 16) for part in disks[0].about["physical-device"].split(":"))
        place = host.paths.sys / f"dev/block/{major}:{minor}"
        place.mkdir(parents=True, exist_ok=True)
        (place / "ro").write_text("1\n")
        told = [f for f in await detect(host) if f.name == "vbd.read_only_below"]
    assert [(str(fact.subject), fact.value) for fact in told] == [("vbd/3/51712", disks[0].about["params"])]


async def test_disks_on_devices_that_can_be_written_are_not_told() -> None:
    assert not [key for key in await facts_of_the_recorded_host() if key[0] == "vbd.read_only_below"]


class DeafLvm(SystemRunner):
    """LVM that waits for a lock which nobody gives up; everything else answers."""

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = OUTPUT_LIMIT) -> Completed:
        if argv[0] == "lvm":
            await asyncio.Event().wait()
        return Completed(tuple(argv), 0, b"", b"")


async def test_a_question_that_is_not_answered_costs_its_own_facts_alone_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PART_DEADLINE", 0.2)
    (tmp_path / "etc/lvm").mkdir(parents=True)
    host, late = build_host(ManualClock(), Paths(tmp_path), DeafLvm(), toolstack=None, libvirt_uri=None), list[str]()
    facts = {fact.name for fact in await detect(host, late=late)}
    assert late == ["volumes"]
    assert {"xen.dom0", "bridge.names"} <= facts
