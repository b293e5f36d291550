"""Disks and interfaces of guests: every trap the field has met."""

import shutil
from typing import Any

import pytest

from xenwatch.host.devices import Device, disk_name
from xenwatch.host.kernel.blocks import split_lv
from xenwatch.host.kernel.netdev import parse_net_dev
from xenwatch.sampling.collectors.vbd import CAPACITY, _Described
from xenwatch.sampling.collectors.vif import _Ports, rate_limit

HEAD = "Inter-|\\n face |\\n"


def vif(domid: int, received: int, sent: int, name: str = "") -> str:
    return f"{name or f'vif{domid}.0'}: {received} 1 0 0 0 0 0 0 {sent} 2 0 0 0 0 0 0\\n"


async def test_bytes_are_512_byte_sectors_on_any_disk(bench: Any) -> None:
    bench.domains(web=3)
    folder = "sys/bus/xen-backend/devices/vbd-3-51712"
    bench.files(f"{folder}/statistics/rd_sect = 8\n{folder}/statistics/wr_sect = 16\n{folder}/mode = w")
    found = await bench.begin("vbd")()
    assert found["xen_domain_vbd_read_bytes_total"] == {("web", "xvda"): 4096}
    assert found["xen_domain_vbd_written_bytes_total"] == {("web", "xvda"): 8192}
    assert "xen_domain_vbd_flush_requests_total" not in found


async def test_a_disk_served_by_qemu_has_no_counters_and_costs_the_others_nothing(bench: Any) -> None:
    bench.domains(web=3, db=4)
    bench.files(
        "sys/bus/xen-backend/devices/qdisk-3-51712/devtype = qdisk\n"
        "sys/bus/xen-backend/devices/vbd-4-51712/statistics/rd_req = 7"
    )
    found = await bench.begin("vbd")()
    assert found == {"xen_domain_vbd_read_requests_total": {("db", "xvda"): 7}}


async def test_a_backend_without_a_domain_has_no_series(bench: Any) -> None:
    bench.domains(web=3)
    bench.files("sys/bus/xen-backend/devices/vbd-9-51712/statistics/rd_req = 7")
    assert await bench.begin("vbd")() == {}


async def test_the_guest_receives_what_dom0_sends_and_its_emulated_twin_is_counted_in(bench: Any) -> None:
    bench.domains(web=3)
    bench.files(
        "sys/bus/xen-backend/devices/vif-3-0/devtype = vif\n"
        f"proc/net/dev = {HEAD}{vif(3, 100, 900)}{vif(3, 10, 90, 'vif3.0-emu')}"
    )
    found = await bench.begin("vif")()
    assert found["xen_domain_vif_transmit_bytes_total"] == {("web", "0"): 110}
    assert found["xen_domain_vif_receive_bytes_total"] == {("web", "0"): 990}


async def test_a_32_bit_dom0_counts_on_beyond_4_gib(bench: Any) -> None:
    bench.domains(web=3)
    bench.files(f"sys/bus/xen-backend/devices/vif-3-0/devtype = vif\nproc/net/dev = {HEAD}{vif(3, 2**32 - 100, 0)}")
    read = bench.begin("vif")
    await read()
    bench.files(f"proc/net/dev = {HEAD}{vif(3, 400, 0)}")
    assert (await read())["xen_domain_vif_transmit_bytes_total"] == {("web", "0"): 2**32 + 400}


async def test_a_reused_domid_gives_no_guest_the_turns_of_another(bench: Any) -> None:
    bench.domains(web=3)
    bench.files(f"sys/bus/xen-backend/devices/vif-3-0/devtype = vif\nproc/net/dev = {HEAD}{vif(3, 1000, 0)}")
    read = bench.begin("vif")
    await read()
    bench.domains(db=3)
    bench.files(f"proc/net/dev = {HEAD}{vif(3, 10, 0)}")
    assert (await read())["xen_domain_vif_transmit_bytes_total"] == {("db", "0"): 10}


@pytest.mark.parametrize(
    ("devid", "name"),
    [
        (51712, "xvda"), (51728, "xvdb"), (51714, "xvda2"), (768, "hda"), (5632, "hdc"), (2049, "sda1"), (5696, "hdd"),
        ((1 << 28) | (26 << 8), "xvdaa"), (51952, "xvdp"), (99999, "99999"),
    ],
)  # fmt: skip
def test_a_virtual_disks_number_is_named_as_the_guest_names_it(devid: int, name: str) -> None:
    assert disk_name(devid) == name


def test_device_mapper_doubles_hyphens_of_names() -> None:
    assert split_lv("vg--guests-web--root") == ("vg-guests", "web-root")
    assert split_lv("mpatha") == ("", "")


def test_a_rate_is_bytes_in_an_interval() -> None:
    assert rate_limit("62500,50000") == 1_250_000
    assert rate_limit("") is None


def test_a_torn_line_of_net_dev_is_passed_over() -> None:
    assert parse_net_dev(b"a\nb\neth0: 1 2 3\nlo: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n") == {
        "lo": (5, 1, 0, 0, 6, 1, 0, 0)
    }


async def test_a_device_that_comes_and_one_that_goes_are_seen_and_otherwise_the_list_stays_the_same(bench: Any) -> None:
    bench.files("sys/bus/xen-backend/devices/vif-3-0/devtype = vif")
    devices = bench.host.devices
    first = await devices.current(max_age=-1)
    assert await devices.current(max_age=-1) is first
    bench.files("sys/bus/xen-backend/devices/vbd-3-51712/devtype = vbd")
    assert [device.name for device in await devices.current(max_age=-1)] == ["xvda", "0"]
    shutil.rmtree(bench.root / "sys/bus/xen-backend/devices/vif-3-0")
    assert [device.kind for device in await devices.current(max_age=-1)] == ["vbd"]
    shutil.rmtree(bench.root / "sys/bus/xen-backend/devices/vbd-3-51712")
    assert await devices.current(max_age=-1) == ()


async def test_an_interface_hangs_on_its_bridge_by_the_bridges_word_or_on_open_vswitch_by_its_own(bench: Any) -> None:
    ports = _Ports(str(bench.root / "sys/class/net"))
    bench.files("sys/class/net/xenbr0/brif/vif3.0/state = 3\nsys/class/net/vif4.0/master -> ../ovs-system")
    assert ports.holds("xenbr0", "vif3.0")
    assert ports.holds("ovsbr0", "vif4.0")
    assert not ports.holds("xenbr1", "vif3.0")
    assert not ports.holds("xenbr0", "vif5.0")


async def test_a_disks_size_is_its_volumes_or_what_qemu_told_the_guest_and_a_grown_volume_shows(bench: Any) -> None:
    bench.domains(web=3)
    devices = (
        Device("vbd", 3, 51712, {"dev": "xvda", "physical-device": "fd:0", "sectors": "8"}),
        Device("qdisk", 3, 51728, {"dev": "xvdb", "sectors": "16"}),
        Device("qdisk", 3, 51744, {"dev": "xvdc", "sectors": "many"}),
    )
    bench.files("sys/block/dm-0/dev = 253:0\\n\nsys/block/dm-0/size = 32\\n\nsys/block/dm-0/dm/name = dsk-web")
    described, inventory = _Described(), bench.host.domains.last

    def sizes(now: float) -> dict[tuple[str, ...], float]:
        samples = described.samples(bench.host.paths, inventory, devices, now)
        return {s.labels: s.value for s in samples if s.metric is CAPACITY}

    assert sizes(0.0) == {("web", "xvda"): 32 * 512, ("web", "xvdb"): 16 * 512}
    bench.files("sys/block/dm-0/size = 64\\n")
    assert sizes(30.0)["web", "xvda"] == 32 * 512
    assert sizes(61.0)["web", "xvda"] == 64 * 512
