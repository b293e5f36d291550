"""Output of commands in a bundle becomes facts; whatever only looks like it stays a log."""

from pathlib import Path

import pytest

from xenwatch.model.fact import Fact
from xenwatch.triage.bundle.reader import Bundle

OUTPUT = Path(__file__).parents[2] / "hosts/xen-4.17/output"
NOW = 1_700_000_000.0


def facts_of(path: Path) -> dict[tuple[str, str], object]:
    found: list[Fact] = [fact for entry in Bundle([str(path)], now=NOW).entries() for fact in entry.facts]
    return {(fact.name, str(fact.subject)): fact.value for fact in found}


def test_a_recorded_host_gives_its_facts() -> None:
    facts = facts_of(OUTPUT)
    assert facts["domain.names", "host/dom0"] == ("Domain-0", "g1", "lv1")
    assert facts["domain.state", "domain/g1"] == "blocked"
    assert facts["domain.memory_bytes", "domain/g1"] == 128 * 1024**2
    assert facts["memory.free_bytes", "host/dom0"] == 2771 * 1024**2
    assert facts["xen.version", "host/dom0"] == "4.17.5"
    assert "hvm" in facts["xen.virt_caps", "host/dom0"]  # type: ignore[operator]
    assert facts["bridge.names", "host/dom0"] == ("xenbr0",)
    assert facts["bridge.ports", "bridge/xenbr0"] == ("vif3.0", "vif4.0")
    assert facts["interface.state", "interface/xenbr0"] == "UP"
    assert facts["vg.free_bytes", "vg/dsk"] == int(1.75 * 1024**3)
    assert facts["lv.names", "host/dom0"] == ("dsk/g1", "dsk/g2")
    assert facts["lv.open", "lv/dsk/g1"] is True
    assert facts["dm.names", "host/dom0"] == ("dsk-g1", "dsk-g2")
    assert facts["hotplug.status", "vbd/3/51712"] == "connected"


XM_LIST = """\
Name                                      ID Mem(MiB) VCPUs State   Time(s)
Domain-0                                   0     1024     2 r-----     10.5
web                                              512     1            0.0
"""
XM_INFO = """\
xen_major              : 3
xen_minor              : 1
xen_extra              : .2-419.el5
total_memory           : 4095
free_memory            : 12
"""
VGS = """\
  VG   #PV #LV #SN Attr   VSize   VFree
  vg0    1   4   0 wz--n- 465.76g <12.00m
"""
LVS = """\
  LV   VG  Attr       LSize  Origin Snap%
  snap vg0 swi-I-s--- 1.00g  web    100.00
"""
MDSTAT = """\
Personalities : [raid1]
md0 : active raid1 sdb1[1](F) sda1[0]
      488384 blocks [2/1] [U_]

unused devices: <none>
"""
DF = """\
Filesystem     1K-blocks    Used Available Use% Mounted on
/dev/sda1        1000000 1000000         0 100% /
"""
DF_INODES = """\
Filesystem     Inodes IUsed IFree IUse% Mounted on
/dev/sda1       65536 65536     0  100% /
"""
BRCTL = "bridge name\tbridge id\t\tSTP enabled\tinterfaces\nxenbr0\t\t8000.feffffffffff\tno\n"
LOSETUP = "/dev/loop3: [0801]:131 (/var/lib/xen/images/vm1.img)\n"
XENSTORE = '/local/domain/0/backend/vif/5/0/hotplug-error = "Could not find bridge device xenbr7"\n'


@pytest.mark.parametrize(
    ("name", "text", "fact", "subject", "value"),
    [
        ("sos_commands/xen/xm_list", XM_LIST, "domain.state", "domain/web", "off"),
        ("xm_info", XM_INFO, "xen.version", "host/dom0", "3.1.2-419.el5"),
        ("vgs.out", VGS, "vg.free_bytes", "vg/vg0", 12 * 1024**2),
        ("lvs", LVS, "lv.data_percent", "lv/vg0/snap", 100.0),
        ("losetup_-a", LOSETUP, "loop.files", "host/dom0", ("/var/lib/xen/images/vm1.img",)),
        ("proc/mdstat", MDSTAT, "array.degraded", "array/md0", True),
        ("df", DF, "disk.free_bytes", "mount//", 0),
        ("commands/df_-i.txt", DF_INODES, "disk.free_inodes", "mount//", 0),
        ("df-hi", DF_INODES, "disk.inodes", "mount//", 65536),
        ("proc/mounts", "/dev/vg0/web /mnt ext4 ro,relatime 0 0\n", "mount.read_only", "mount//mnt", True),
        ("proc/xen/capabilities", "control_d\n", "xen.dom0", "host/dom0", True),
        ("whatever.txt", BRCTL, "bridge.names", "host/dom0", ("xenbr0",)),
        ("xenstore-ls.out", XENSTORE, "hotplug.error", "vif/5/0", "Could not find bridge device xenbr7"),
    ],
)
def test_output_that_people_collect_is_read(
    tmp_path: Path, name: str, text: str, fact: str, subject: str, value: object
) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    assert facts_of(tmp_path)[fact, subject] == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("xl_list", "libxl: error: libxl.c:108:libxl_ctx_alloc: failed to open xenctrl\n"),
        ("vgs", '  Volume group "vg0" not found\n'),
        ("stderr.log", "Name                                      ID Mem(MiB) VCPUs State   Time(s)\n"),
        ("notes.txt", "I ran xl list and it hung\n"),
    ],
)
def test_an_error_message_or_a_log_gives_no_facts_and_is_read_as_a_log(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (entry,) = Bundle([str(tmp_path)], now=NOW).entries()
    assert entry.facts == ()
    assert entry.source is not None


def test_a_fact_names_the_file_it_was_learnt_from_and_its_time(tmp_path: Path) -> None:
    file = tmp_path / "brctl_show"
    file.write_text(BRCTL)
    (entry,) = Bundle([str(file)], now=NOW).entries()
    assert {(fact.origin, fact.at) for fact in entry.facts} == {(str(file), file.stat().st_mtime)}
