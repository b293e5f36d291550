"""What other exporters have: tapdisk's latency, xenpm's idle time, grant tables, SMART, labels of guests."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from xenwatch.base.errors import Unavailable, Unsupported
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.kernel import tapdisk
from xenwatch.host.paths import Paths
from xenwatch.host.privileged.questions import is_question

STATISTICS = struct.pack("=14q", 0, 0, 2, 1000, 997, 80_000, 2_500_000, 90_000, 500, 500, 4_000, 1_000_000, 40_000, 0)
"""A struct blkback_stats with its flags (blktap: include/blktap3.h): 3 reads wait, each read took 2.5 ms."""


def disk(root: Path, domid: int, devid: int, data: bytes = STATISTICS) -> Path:
    folder = root / f"dev/shm/vbd3-{domid}-{devid}"
    folder.mkdir(parents=True)
    (folder / "statistics").write_bytes(data.ljust(4096, b"\0"))
    return folder / "statistics"


async def test_a_disk_of_tapdisk_tells_how_long_requests_take_and_how_many_wait(bench: Any) -> None:
    bench.domains(web=3)
    disk(bench.root, 3, 51712)
    found = await bench.begin("tapdisk")()
    read, write = ("web", "51712", "read"), ("web", "51712", "write")
    assert found["xen_domain_tapdisk_in_flight"] == {read: 3, write: 0}
    assert found["xen_domain_tapdisk_request_seconds_total"] == {read: 2.5, write: 1.0}
    assert found["xen_domain_tapdisk_longest_request_seconds"] == {read: 0.09, write: 0.04}
    assert found["xen_domain_tapdisk_bytes_total"] == {read: 40_960_000, write: 2_048_000}
    assert found["xen_domain_tapdisk_out_of_memory_total"] == {("web", "51712"): 2}


async def test_a_disk_without_tapdisk_one_cut_short_and_one_of_a_domain_that_has_gone_say_nothing(bench: Any) -> None:
    bench.domains(web=3)
    assert not await bench.begin("tapdisk")()
    disk(bench.root, 9, 51712)
    disk(bench.root, 3, 768).write_bytes(b"\0" * 40)
    assert not await bench.begin("tapdisk")()


async def test_who_is_not_root_gets_the_same_numbers_from_od(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = disk(tmp_path, 3, 51712)
    monkeypatch.setattr(tapdisk, "read_bytes", lambda *_: None)
    monkeypatch.setattr(tapdisk, "SHM", str(file.parents[1]))
    counts = await tapdisk.read_tapdisk(Paths(Path("/")), SystemRunner(), 3, 51712)
    assert counts is not None
    assert (counts.reads, counts.reads_done, counts.longest_write_microseconds) == (1000, 997, 40_000)


def test_the_reader_runs_od_for_these_files_alone() -> None:
    od = ("od", "-A", "n", "-v", "-t", "d8", "-N", "104", "--")
    assert is_question((*od, "/dev/shm/vbd3-3-51712/statistics"))
    assert not is_question((*od, "/dev/shm/vbd3-3-51712/../../../etc/shadow"))
    assert not is_question((*od, "/etc/shadow"))


IDLE = """Max possible C-state: C7

cpu id               : 0
total C-states       : 3
idle time(ms)        : 81234567
C0                   : transition [            31337]
                       residency  [            12345 ms]
C1                   : transition [00000000000000001234]
                       residency  [00000000000000002000 ms]
C2                   : transition [             5678]
                       residency  [            70000 ms]
pc2                  : [                   0 ms]
cc3                  : [                   9 ms]

cpu id               : 1
total C-states       : 1
idle time(ms)        : 1000
C0                   : transition [               10]
                       residency  [              500 ms]

"""
FREQUENCIES = """cpu id               : 0
total P-states       : 2
usable P-states      : 2
current frequency    : 1200 MHz
P0                   : freq       [2400 MHz]
                       transition [                  17]
                       residency  [                 900 ms]
*P1                  : freq       [1200 MHz]
                       transition [                  18]
                       residency  [               80000 ms]

"""


@pytest.fixture
def dom0(bench: Any) -> Any:
    """Commands answer as on a control domain; its xenstore is not asked."""
    object.__setattr__(bench.host, "xenstore", bench.host.lifecycle)
    yield bench
    object.__setattr__(bench.host, "xenstore", None)


async def test_xenpm_tells_the_idle_time_and_the_states_of_each_cpu_whichever_version_padded_them(dom0: Any) -> None:
    dom0.command("xenpm get-cpuidle-states", IDLE)
    dom0.command("xenpm get-cpufreq-states", FREQUENCIES)
    found = await dom0.begin("xenpm")()
    assert found["xen_cpu_idle_seconds_total"] == {("0",): 81234.567, ("1",): 1.0}
    assert found["xen_cpu_frequency_hertz"] == {("0",): 1.2e9}
    assert found["xen_cpu_state_entries_total"][("0", "C1")] == 1234
    assert found["xen_cpu_state_seconds_total"][("0", "C2")] == 70
    assert found["xen_cpu_state_seconds_total"][("0", "P1")] == 80


async def test_a_hypervisor_without_these_tells_nothing_and_a_host_without_the_program_is_not_asked_again(
    dom0: Any,
) -> None:
    recorded = dom0.host.runner
    object.__setattr__(dom0.host, "runner", SystemRunner({"PATH": "/nowhere"}))
    with pytest.raises(Unsupported):
        await dom0.begin("xenpm")()
    object.__setattr__(dom0.host, "runner", recorded)
    dom0.command("xenpm get-cpuidle-states", "Max possible C-state: unlimited\n\n")
    dom0.command("xenpm get-cpufreq-states", "")
    assert not await dom0.begin("xenpm")()


async def test_a_grant_table_tells_how_full_it_is(dom0: Any) -> None:
    dom0.domains(web=3)
    dom0.command("xen-diag gnttab_query_size 3", "domid=3: nr_frames=7, max_nr_frames=64\n")
    found = await dom0.begin("grants")()
    assert found == {"xen_domain_grant_frames": {("web",): 7}, "xen_domain_grant_frames_limit": {("web",): 64}}


ATA = {
    "json_format_version": [1, 0],
    "smartctl": {"version": [7, 3], "exit_status": 64},
    "device": {"name": "/dev/sda", "type": "sat", "protocol": "ATA"},
    "smart_status": {"passed": True},
    "ata_smart_attributes": {"table": [
        {"id": 5, "name": "Reallocated_Sector_Ct", "value": 100, "raw": {"value": 8, "string": "8"}},
        {"id": 197, "name": "Current_Pending_Sector", "value": 100, "raw": {"value": 0, "string": "0"}},
        {"id": 194, "name": "Temperature_Celsius", "value": 34, "raw": {"value": 34, "string": "34"}},
    ]},
    "power_on_time": {"hours": 21000},
    "temperature": {"current": 34},
}  # fmt: skip
NVME = {
    "json_format_version": [1, 0],
    "device": {"name": "/dev/nvme0n1", "type": "nvme", "protocol": "NVMe"},
    "smart_status": {"passed": False, "nvme": {"value": 4}},
    "nvme_smart_health_information_log": {"critical_warning": 4, "percentage_used": 103, "media_errors": 12},
    "temperature": {"current": 51},
    "power_on_time": {"hours": 5},
}
ASLEEP = {"json_format_version": [1, 0], "smartctl": {"exit_status": 2}, "power_mode": {"string": "STANDBY"}}


async def test_disks_tell_their_verdict_bad_sectors_and_wear_and_one_that_sleeps_is_let_sleep(bench: Any) -> None:
    bench.files("sys/block/sda/size = 1\nsys/block/sdb/size = 1\nsys/block/nvme0n1/size = 1\nsys/block/dm-0/size = 1")
    for name, said in (("sda", ATA), ("sdb", ASLEEP), ("nvme0n1", NVME)):
        answers(bench, name, json.dumps(said))
    found = await bench.begin("smart")()
    assert found["xen_disk_smart_healthy"] == {("nvme0n1",): 0, ("sda",): 1}
    assert found["xen_disk_smart_bad_sectors"] == {
        ("sda", "reallocated"): 8, ("sda", "pending"): 0, ("nvme0n1", "media_errors"): 12,
    }  # fmt: skip
    assert found["xen_disk_worn_ratio"] == {("nvme0n1",): 1.03}
    assert found["xen_disk_temperature_celsius"] == {("sda",): 34, ("nvme0n1",): 51}


def answers(bench: Any, name: str, text: str) -> None:
    """smartctl is asked with many words; the last one names the disk."""
    asked = bench.runner.run

    async def run(argv: Any, deadline: float, **more: Any) -> Any:
        if argv[-1] == f"/dev/{name}":
            bench.command("smartctl --json", text)
        return await asked(argv, deadline, **more)

    bench.runner.run = run


async def test_text_that_is_no_json_is_no_disk(bench: Any) -> None:
    bench.files("sys/block/sda/size = 1")
    answers(bench, "sda", "smartctl 7.3 2022-02-28 r5338\n")
    assert not await bench.begin("smart")()


LABELS = 'labels = ["owner"]\n[guests.web]\nowner = "shop"\n[guests.gone]\nowner = "nobody"\n'


async def test_a_guest_that_runs_has_the_labels_of_the_file_and_no_others(bench: Any) -> None:
    bench.domains(web=3, db=4)
    assert not await bench.begin("labels")()
    bench.files("etc/xenwatch/labels.toml = " + LABELS.replace("\n", "\\n"))
    assert await bench.begin("labels")() == {"xen_domain_label_info": {("web", "owner", "shop"): 1}}


@pytest.mark.parametrize(
    "text", ['labels = ["owner"]\n[guests.web]\ntier = "1"\n', f"labels = {json.dumps([*'abcdefghi'])}\n", "labels = ["]
)
async def test_a_label_that_is_not_listed_too_many_and_a_broken_file_are_said(bench: Any, text: str) -> None:
    bench.domains(web=3)
    bench.files("etc/xenwatch/labels.toml = " + text.replace("\n", "\\n"))
    with pytest.raises(Unavailable, match="labels"):
        await bench.begin("labels")()
