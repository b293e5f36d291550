"""Volumes, arrays, mappings, paths and mounts: what is well stays quiet, what is wrong shows."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import TimedOut, Unsupported
from xenwatch.host.exec.runner import OUTPUT_LIMIT, Completed, SystemRunner
from xenwatch.host.host import build_host
from xenwatch.host.paths import Paths
from xenwatch.sampling.catalogue import all_collectors

LV = {"vg_name": "vg", "lv_size": "1073741824", "lv_active": "active", "lv_layout": "linear"}


def lvm(*lvs: dict[str, str], pvs: Sequence[dict[str, str]] = (), vg: dict[str, str] | None = None) -> str:
    return json.dumps({"report": [{"vg": [{"vg_name": "vg", **(vg or {})}], "pv": list(pvs), "lv": list(lvs)}]})


async def test_a_missing_physical_volume_shows(bench: Any) -> None:
    bench.files("etc/lvm/lvm.conf = x")
    pvs = [
        {"pv_name": "/dev/sda", "vg_name": "vg", "pv_missing": ""},
        {"pv_name": "[unknown]", "vg_name": "vg", "pv_missing": "missing"},
    ]
    bench.command("lvm fullreport", lvm(pvs=pvs, vg={"vg_missing_pv_count": "1", "vg_free": "0"}))
    found = await bench.begin("lvm")()
    assert found["xen_lvm_vg_missing_pvs"] == {("vg",): 1}
    assert found["xen_lvm_pv_missing"] == {("vg", "/dev/sda"): 0, ("vg", "[unknown]"): 1}


async def test_snapshots_and_thin_pools_tell_how_full_they_are_and_plain_volumes_do_not(bench: Any) -> None:
    bench.files("etc/lvm/lvm.conf = x")
    bench.command(
        "lvm fullreport",
        lvm(
            LV | {"lv_name": "web"},
            LV | {"lv_name": "snap", "origin": "web", "snap_percent": "81.50", "data_percent": "81.50"},
            LV
            | {"lv_name": "lost", "origin": "web", "snap_percent": "100.00", "lv_snapshot_invalid": "snapshot invalid"},
            LV | {"lv_name": "pool", "lv_layout": "thin,pool", "data_percent": "97.25", "metadata_percent": "12.00"},
            LV | {"lv_name": "thin", "lv_layout": "thin,sparse", "data_percent": "40.00"},
            LV | {"lv_name": "bad", "lv_health_status": "partial", "lv_active": ""},
        ),
    )
    found = await bench.begin("lvm")()
    assert found["xen_lvm_snapshot_usage_ratio"] == {("vg", "snap", "web"): 0.815, ("vg", "lost", "web"): 1}
    assert found["xen_lvm_snapshot_invalid"] == {("vg", "snap"): 0, ("vg", "lost"): 1}
    assert found["xen_lvm_thin_data_ratio"] == {("vg", "pool"): 0.9725}
    assert found["xen_lvm_lv_health"] == {("vg", "bad", "partial"): 1}
    assert found["xen_lvm_lv_state"][("vg", "bad", "active")] == 0


MDSTAT = """Personalities : [raid1]
md0 : active raid1 sdb1[1](F) sda1[0]
      1048512 blocks [2/1] [U_]

md1 : active raid1 sdb2[1] sda2[0]
      2096064 blocks [2/2] [UU]
      [==>..................]  resync = 12.5% (131072/1048512) finish=0.1min speed=131072K/sec

unused devices: <none>
"""


async def test_a_degraded_array_shows_beside_a_whole_one(bench: Any) -> None:
    bench.files("proc/mdstat = " + MDSTAT.replace("\n", "\\n") + "\nsys/block/md0/md/mismatch_cnt = 128")
    found = await bench.begin("mdraid")()
    degraded = {k[0]: v for k, v in found["xen_md_array_state"].items() if k[1] == "degraded"}
    assert degraded == {"md0": 1, "md1": 0}
    assert found["xen_md_disks"][("md0", "failed")] == found["xen_md_disks"][("md0", "missing")] == 1
    assert found["xen_md_sync_ratio"] == {("md1",): 0.125}
    assert found["xen_md_mismatch_count"] == {("md0",): 128}


async def test_before_md_is_loaded_there_is_nothing_to_say(bench: Any) -> None:
    with pytest.raises(Unsupported, match="no md"):
        await bench.begin("mdraid")()


async def test_partitions_left_mapped_and_loops_on_deleted_files_are_orphans(bench: Any) -> None:
    bench.files(
        "sys/block/dm-0/dev = 253:0\nsys/block/loop0/loop/backing_file = /srv/a.img\n"
        "sys/block/loop1/loop/backing_file = /srv/b.img (deleted)\nsys/block/loop2/dev = 7:2"
    )
    bench.command("dmsetup info", "vg-web|LVM-abc|1\nvg-web1|part1-LVM-abc|0\nvg-web2|part2-LVM-abc|1\nloop0p1||0\n")
    found = await bench.begin("mappings")()
    assert found["xen_kpartx_mappings"] == {("in_use",): 1, ("orphan",): 2}
    assert found["xen_kpartx_mapping_opens"] == {("vg-web1",): 0, ("vg-web2",): 1, ("loop0p1",): 0}
    assert found["xen_loop_devices"] == {("in_use",): 1, ("deleted_backing",): 1}
    assert found["xen_orphan_devices"] == {("kpartx",): 2, ("loop",): 1}


async def test_where_nothing_is_mapped_no_program_is_run(bench: Any) -> None:
    found = await bench.begin("mappings")()
    assert found["xen_orphan_devices"] == {("kpartx",): 0, ("loop",): 0}
    assert bench.runner.ran == []


async def test_failed_paths_are_counted_apart(bench: Any) -> None:
    bench.files("sys/block/dm-0/dm/uuid = mpath-3600")
    line = "mpatha: 0 409600 multipath 2 0 0 0 2 1 A 0 1 2 8:16 A 0 0 1 E 0 1 2 8:32 F 1 0 1\n"
    bench.command("dmsetup status", line)
    found = await bench.begin("multipath")()
    assert found["xen_multipath_paths"] == {("mpatha", "active"): 1, ("mpatha", "failed"): 1}


async def test_an_iscsi_session_that_is_not_logged_in_is_down(bench: Any) -> None:
    bench.files(
        "sys/class/iscsi_session/session1/state = LOGGED_IN\nsys/class/iscsi_session/session1/targetname = iqn.a\\n\n"
        "sys/class/iscsi_session/session2/state = FREE\\n\nsys/class/iscsi_session/session2/targetname = iqn.b\\n\n"
        "sys/class/iscsi_connection/connection1:0/persistent_address = 10.0.0.1\\n\n"
        "sys/class/iscsi_connection/connection1:0/persistent_port = 3260\\n"
    )
    found = await bench.begin("iscsi")()
    assert found["xen_iscsi_session_up"] == {("iqn.a", "10.0.0.1:3260"): 1, ("iqn.b", ""): 0}


class HungServer:
    """`stat` on /srv/dead never ends; on anything else it goes well."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = OUTPUT_LIMIT) -> Completed:
        self.asked.append(argv[-1])
        if argv[-1] == "/srv/dead":
            raise TimedOut("stat: killed")
        return Completed(tuple(argv), 0, b"", b"")


async def test_a_dead_nfs_server_is_down_and_asked_ever_less_often(bench: Any) -> None:
    bench.files(
        "proc/mounts = nas:/a /srv/a nfs4 rw 0 0\\nold:/x /srv/dead nfs rw,hard 0 0\\n/dev/vda / ext4 rw 0 0\\n"
    )
    server = HungServer()
    object.__setattr__(bench.host, "runner", server)
    read = bench.begin("nfs")
    for _ in range(5):
        found = await read()
        assert found["xen_nfs_mount_up"] == {("/srv/a", "nas"): 1, ("/srv/dead", "old"): 0}
    assert server.asked.count("/srv/a") == 5
    assert server.asked.count("/srv/dead") == 3
    assert ("/srv/dead",) not in found["xen_nfs_mount_probe_duration_seconds"]


async def test_cores_are_counted_for_the_guest_whose_name_they_bear(bench: Any) -> None:
    bench.domains(web=3, **{"web-2": 4})
    bench.files(
        "var/lib/xen/dump/web = core\nvar/xen/dump/2011-0518-2055.04-web-2.4.core = core\nvar/lib/xen/dump/other = core"
    )
    found = await bench.begin("dumps")()
    assert found["xen_crash_dumps"] == {("web",): 1, ("web-2",): 1, ("",): 1}
    assert 0 < found["xen_crash_dump_filesystem_free_ratio"][()] <= 1


async def test_without_cores_the_room_for_them_is_nobodys_concern(bench: Any) -> None:
    bench.domains(web=1)
    assert await bench.begin("dumps")() == {}


async def test_a_pool_of_libvirt_tells_its_state_and_its_space(tmp_path: Path) -> None:
    """The test driver's own pool: 100 GiB, nothing of it used."""
    host = build_host(SystemClock(), Paths(tmp_path), SystemRunner(), toolstack=None, libvirt_uri="test:///default")
    found = {(s.metric.name, s.labels): s.value for s in await all_collectors()["pools"].begin()(host)}
    await host.close()
    assert found["xen_storage_pool_state", ("default-pool", "running")] == 1
    assert found["xen_storage_pool_state", ("default-pool", "degraded")] == 0
    assert found["xen_storage_pool_capacity_bytes", ("default-pool",)] == 100 * 1024**3
    assert found["xen_storage_pool_available_bytes", ("default-pool",)] == 100 * 1024**3


async def test_without_libvirt_there_are_no_pools(bench: Any) -> None:
    with pytest.raises(Unsupported):
        await bench.begin("pools")()
