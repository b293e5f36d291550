"""Every collector on a recorded host, beside what Xen's own tools said at that moment."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hosts.recorded import recorded_host, recorded_snapshot

from xenwatch.model.sample import Snapshot
from xenwatch.sampling.catalogue import all_collectors, all_metrics, take_once

FITS_NO_DOMAIN_CONTROL = {
    "autostart", "bond", "console", "drift", "events", "iscsi", "libvirt", "multipath", "pools",
}  # fmt: skip


MANUAL = {
    "vcpu": 10 + 2, "vif": 11, "vbd": 10, "domain": 11, "lvm": 6, "bridge": 5, "xenbus": 5, "memory": 4, "xenstore": 3,
    "topology": 1,
}  # fmt: skip
"""Of docs/metrics.md; of a console only one end is told by xenbus."""


@pytest.fixture
async def snapshot() -> Snapshot:
    return await recorded_snapshot()


def values(snapshot: Snapshot, name: str) -> dict[tuple[str, ...], float]:
    return {s.labels: s.value for s in snapshot.samples if s.metric.name == name}


async def test_all_collectors_go_well_and_only_what_is_not_there_is_unsupported(snapshot: Snapshot) -> None:
    assert set(snapshot.health) == {name for name, one in all_collectors().items() if one.default_on}
    assert {h.collector for h in snapshot.health.values() if not h.ok} == set()
    assert {h.collector for h in snapshot.health.values() if h.error} == FITS_NO_DOMAIN_CONTROL


async def test_the_snapshot_is_the_same_every_time() -> None:
    assert await recorded_snapshot() == await recorded_snapshot()


async def test_nothing_is_emitted_that_is_not_declared_nor_any_series_twice(snapshot: Snapshot) -> None:
    declared = all_metrics()
    assert {s.metric.name for s in snapshot.samples if declared.get(s.metric.name) != s.metric} == set()
    assert all(len(s.labels) == len(s.metric.labels) for s in snapshot.samples)
    twice = Counter((s.metric.name, s.labels) for s in snapshot.samples)
    assert [key for key, count in twice.items() if count > 1] == []


async def test_domains_are_those_of_xl_list(snapshot: Snapshot) -> None:
    assert {k[0] for k, v in values(snapshot, "xen_domain_state").items() if v and k[1] == "blocked"} == {"g1", "lv1"}
    assert values(snapshot, "xen_domain_cpu_seconds_total") == {("Domain-0",): 456.3, ("g1",): 10.1, ("lv1",): 9.9}
    assert values(snapshot, "xen_domain_memory_current_bytes")[("g1",)] == 128 * 1024**2
    assert values(snapshot, "xen_domain_start_time_seconds")[("g1",)] == 1795381793.41


async def test_disk_bytes_are_512_byte_sectors_and_agree_with_libvirt(snapshot: Snapshot) -> None:
    """24 sectors; libvirt's blockStats said 12288 bytes on this host."""
    assert values(snapshot, "xen_domain_vbd_read_bytes_total")[("g1", "xvda")] == 24 * 512 == 12288
    assert ("g1", "xvda", "dm-0", "dsk", "g1") in values(snapshot, "xen_domain_vbd_backing_info")


async def test_the_guest_receives_what_dom0_sends(snapshot: Snapshot) -> None:
    """`ip -s link` counted 6004 bytes received by vif3.0, and 7946 sent."""
    assert values(snapshot, "xen_domain_vif_transmit_bytes_total")[("g1", "0")] == 6004
    assert values(snapshot, "xen_domain_vif_receive_bytes_total")[("g1", "0")] == 7946
    assert values(snapshot, "xen_domain_vif_receive_dropped_total")[("g1", "0")] == 1


async def test_no_label_but_those_of_info_metrics_changes_with_the_domid() -> None:
    async with recorded_host() as host:
        before = await take_once(host, host.clock)
    async with recorded_host(edit=reborn) as host:
        after = await take_once(host, host.clock)
    assert _lasting(before) == _lasting(after)
    assert _identities(after) == {("Domain-0", "0"), ("g1", "13"), ("lv1", "14")}


def reborn(text: str) -> str:
    """The same host after its guests were restarted: domids 3 and 4 have become 13 and 14."""
    text = re.sub(r"^((?:g1|lv1) +)([34])(?= )", r"\g<1>1\2", text, flags=re.MULTILINE)
    text = re.sub(r"(?<=[/-])([34])(?=[/-]| =)", r"1\1", text)
    text = re.sub(r"/([34])\b(?=\")", r"/1\1", text)
    return re.sub(r"vif([34])\.", r"vif1\1.", text)


def _lasting(snapshot: Snapshot) -> set[tuple[str, tuple[str, ...]]]:
    return {(s.metric.name, s.labels) for s in snapshot.samples if s.metric.type != "info"}


def _identities(snapshot: Snapshot) -> set[tuple[str, str]]:
    return {(s.labels[0], s.labels[2]) for s in snapshot.samples if s.metric.name == "xen_domain_info"}


async def test_both_ends_of_every_device_are_connected(snapshot: Snapshot) -> None:
    states = values(snapshot, "xen_xenbus_backend_state")
    assert states[("g1", "vbd", "51712")] == states[("g1", "vif", "0")] == 4
    assert values(snapshot, "xen_xenbus_frontend_state")[("lv1", "vif", "0")] == 4


async def test_the_volume_group_is_as_vgs_said_and_its_volumes_are_tied_to_guests(snapshot: Snapshot) -> None:
    assert values(snapshot, "xen_lvm_vg_free_bytes") == {("dsk",): 1874853888}
    assert set(values(snapshot, "xen_lvm_lv_holder_info")) == {
        ("dsk", "g1", "g1", "xvda"),
        ("dsk", "g2", "lv1", "xvda"),
    }


async def test_a_guest_has_as_many_series_as_the_manual_says() -> None:
    """One vcpu, one disk, one interface."""
    counts: Counter[str] = Counter()
    async with recorded_host() as host:
        for name in MANUAL:
            samples = await all_collectors()[name].begin()(host)
            counts[name] = sum("g1" in [label.partition("/")[0] for label in s.labels] for s in samples)
    assert counts == MANUAL
    table = (Path(__file__).parents[3] / "docs/metrics.md").read_text()
    assert [name for name in MANUAL if f"| `{name}` |" not in table] == []


async def test_the_snapshot_can_be_written_down(snapshot: Snapshot) -> None:
    rows = [[s.metric.name, s.labels, s.value] for s in snapshot.samples]
    assert len(json.loads(json.dumps(rows))) == len(snapshot.samples) > 300


async def test_a_guest_that_has_not_answered_a_request_to_shut_down_is_counted_and_no_other() -> None:
    name = '/local/domain/3/name = "g1"'
    asked = f'/local/domain/3/control/shutdown = "poweroff"\n/local/domain/4/control/shutdown = ""\n{name}'
    async with recorded_host(edit=lambda text: text.replace(name, asked)) as host:
        samples = await all_collectors()["xenstore"].begin()(host)
    assert [s.labels for s in samples if s.metric.name == "xen_domain_shutdown_unanswered"] == [("g1",)]
