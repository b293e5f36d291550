"""What standing checks ask for is read from what the tools of old and new hosts print, and from the host itself."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from xenwatch.facts import lvm, standing
from xenwatch.facts.config_guest import guest_config, guest_xml
from xenwatch.facts.config_system import runlevels
from xenwatch.facts.config_xen import xend_config
from xenwatch.facts.definitions import FactRow
from xenwatch.facts.derived import derived
from xenwatch.facts.host_texts import HOST_TEXTS
from xenwatch.facts.saved import READERS, facts_reader
from xenwatch.host.paths import Paths
from xenwatch.model.fact import Fact, FactValue
from xenwatch.model.subject import HOST, Subject

TIMEDATECTL_219 = """\
      Local time: Mon 2018-05-21 10:12:13 CEST
       Time zone: Europe/Berlin (CEST, +0200)
     NTP enabled: no
NTP synchronized: no
"""
TIMEDATECTL_252 = """\
               Local time: Mon 2026-11-30 09:12:13 UTC
                Time zone: Etc/UTC (UTC, +0000)
System clock synchronized: yes
              NTP service: active
"""
CHRONY_LOST = "Reference ID    : 00000000 ()\nStratum         : 0\nLeap status     : Not synchronised\n"
NTPQ = """\
     remote           refid      st t when poll reach   delay   offset  jitter
==============================================================================
+ntp2.example.or 192.0.2.7        2 u   33   64  377    0.512    0.044   0.031
{tally}ntp1.example.or .GPS.            1 u   12   64  377    0.402    0.012   0.021
"""
LIVEPATCHES = """\
 ID                                     | status     | metadata
----------------------------------------+------------+---------------
xsa444                                  | APPLIED    |
xsa451                                  | CHECKED (-22, Invalid argument)    |
"""
LVS = """\
  LV         VG  Attr       LSize   Pool Origin Data%  Meta%  Move Log Cpy%Sync Convert
  pool       vg0 twi-aotz-- 100.00g             42.00  12.00
  web        vg0 Vwi-aotz--  80.00g pool        50.00
  mail       vg0 Vwi-aotz--  80.00g pool        10.00
  web-thin   vg0 Vwi---tz-k  80.00g pool web
  db         vg0 owi-aos---  20.00g
  db-backup  vg0 swi-a-s---   2.00g      db     73.11
"""
LOGROTATE = """\
# see "man logrotate" for details
weekly
include /etc/logrotate.d
/var/log/wtmp {
    monthly
    create 0664 root utmp
}
/var/log/xen/xend-debug.log /var/log/xen/*.log "/var/log/xen/console/*.log" {
    missingok
}
"""


def values(rows: Iterable[FactRow]) -> dict[tuple[str, str], FactValue]:
    return {(name, str(subject)): value for name, subject, value in rows}


@pytest.mark.parametrize(
    ("read", "text", "follows"),
    [
        (standing.timedatectl, TIMEDATECTL_219, False),
        (standing.timedatectl, TIMEDATECTL_252, True),
        (standing.chrony_tracking, CHRONY_LOST, False),
        (standing.chrony_tracking, CHRONY_LOST.replace("Not synchronised", "Normal"), True),
        (standing.ntpq_peers, NTPQ.format(tally="*"), True),
        (standing.ntpq_peers, NTPQ.format(tally=" "), False),
    ],
)
def test_whether_the_clock_follows_a_server(read: type, text: str, follows: bool) -> None:
    assert values(read(text)) == {("clock.synchronised", "host/dom0"): follows}


def test_an_error_of_such_a_tool_says_nothing_of_the_clock() -> None:
    assert values(standing.timedatectl("Failed to connect to bus: No such file or directory\n")) == {}
    assert values(standing.chrony_tracking("506 Cannot talk to daemon\n")) == {}
    assert values(standing.ntpq_peers("ntpq: read: Connection refused\n")) == {}


def test_a_live_patch_that_is_not_in_force_waits_and_an_applied_one_does_not() -> None:
    assert values(standing.livepatches(LIVEPATCHES)) == {("livepatch.waiting", "host/dom0"): ("xsa451",)}
    assert values(standing.livepatches("Nothing to list\n")) == {("livepatch.waiting", "host/dom0"): ()}


def test_a_thin_pool_promises_the_sizes_of_its_volumes_and_only_an_old_snapshot_is_one() -> None:
    facts = values(lvm.logical_volumes(LVS))
    assert facts["thinpool.size_bytes", "thinpool/vg0/pool"] == 100 * 1024**3
    assert facts["thinpool.promised_bytes", "thinpool/vg0/pool"] == 240 * 1024**3
    snapshots = {key: value for key, value in facts.items() if key[0] == "lv.snapshot_of"}
    assert snapshots == {("lv.snapshot_of", "lv/vg0/db-backup"): "vg0/db"}


def test_what_logrotate_rotates_is_what_stands_before_its_blocks() -> None:
    assert values(standing.rotation(LOGROTATE)) == {
        ("logrotate.patterns", "host/dom0"): (
            "/var/log/wtmp",
            "/var/log/xen/xend-debug.log",
            "/var/log/xen/*.log",
            "/var/log/xen/console/*.log",
        )
    }


def test_xend_allows_all_hosts_where_its_configuration_names_none() -> None:
    facts = values(xend_config("(xend-relocation-server yes)\n#(xend-relocation-hosts-allow '^localhost$')\n"))
    assert facts["xend.relocation_server", "host/dom0"] == "yes"
    assert facts["xend.relocation_hosts", "host/dom0"] == ""
    assert values(xend_config("(vif-script vif-bridge)\n"))["xend.relocation_server", "host/dom0"] == "no"


def test_devices_and_dumps_of_a_guest_are_read_from_both_kinds_of_configuration() -> None:
    of_xl = values(
        guest_config('name = "a"\nmemory = 512\npci = [ "03:00.0,permissive=1" ]\non_crash = "coredump-destroy"\n')
    )
    assert of_xl["guest.pci", "domain/a"] == ("03:00.0",)
    assert (of_xl["guest.dumps", "domain/a"], of_xl["guest.memory_bytes", "domain/a"]) == (True, 512 * 1024**2)
    of_libvirt = values(
        guest_xml(
            "<domain><name>b</name><memory unit='GiB'>2</memory><on_crash>destroy</on_crash><devices>"
            "<hostdev type='pci'><source><address domain='0x0000' bus='0x03' slot='0x00' function='0x1'/></source>"
            "</hostdev></devices></domain>"
        )
    )
    assert of_libvirt["guest.pci", "domain/b"] == ("0000:03:00.1",)
    assert (of_libvirt["guest.dumps", "domain/b"], of_libvirt["guest.memory_bytes", "domain/b"]) == (False, 2 * 1024**3)


def plant(root: Path, files: dict[str, str]) -> Paths:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Paths(root)


def of_texts(paths: Paths) -> dict[tuple[str, str], FactValue]:
    return values(row for text in HOST_TEXTS for row in text.definition(text.text(paths)))


@pytest.mark.parametrize("folder", ["etc/rc3.d", "etc/rc.d/rc3.d", "etc/init.d/rc3.d"])
def test_services_of_a_host_without_systemd_are_those_with_a_link_in_a_runlevel(tmp_path: Path, folder: str) -> None:
    paths = plant(tmp_path, {"etc/init.d/xend": "", "etc/init.d/xendomains": "", f"{folder}/S98xend": ""})
    facts = of_texts(paths)
    assert facts["units.on", "host/dom0"] == ("xend",)
    assert facts["units.off", "host/dom0"] == ("xendomains",)


def test_a_host_with_systemd_is_not_asked_for_runlevels(tmp_path: Path) -> None:
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    paths = plant(tmp_path, {"etc/init.d/xend": "", "etc/rc3.d/S98xend": ""})
    assert ("units.off", "host/dom0") not in of_texts(paths)
    assert values(runlevels("")) == {}


def test_bonds_are_read_with_the_link_of_each_interface(tmp_path: Path) -> None:
    net = "sys/class/net"
    paths = plant(
        tmp_path,
        {
            f"{net}/bonding_masters": "bond0\n",
            f"{net}/bond0/bonding/slaves": "eth0 eth1\n",
            f"{net}/eth0/bonding_slave/mii_status": "up\n",
            f"{net}/eth1/bonding_slave/mii_status": "going down\n",
        },
    )
    facts = of_texts(paths)
    assert facts["bond.ports", "bond/bond0"] == ("eth0", "eth1")
    assert facts["bond.ports_up", "bond/bond0"] == ("eth0",)


def test_the_mode_of_selinux_is_read_where_old_and_new_kernels_have_it(tmp_path: Path) -> None:
    assert of_texts(Paths(tmp_path))["selinux.mode", "host/dom0"] == "disabled"
    assert of_texts(plant(tmp_path, {"selinux/enforce": "1"}))["selinux.mode", "host/dom0"] == "enforcing"
    assert of_texts(plant(tmp_path, {"sys/fs/selinux/enforce": "0"}))["selinux.mode", "host/dom0"] == "permissive"
    facts = values(standing.contexts("# x\nmode enforcing\nuser_home_t /srv/with space.img\n"))
    assert facts["selinux.type", "image//srv/with space.img"] == "user_home_t"


def test_the_boot_menu_stands_for_the_options_of_a_xen_that_tells_none() -> None:
    menu = Fact("boot.xen_command_lines", HOST, ("dom0_mem=512M", ""), 1.0, "menu.lst")
    made = {fact.name: fact.value for fact in derived([menu], 0.0)}
    assert (made["xen.command_line"], made["kernel.crash_loaded"]) == ("dom0_mem=512M", False)
    assert made["time.today"] == "1970-01-01"
    told = Fact("xen.command_line", HOST, "crashkernel=256M", 1.0, "xl info")
    assert not {"xen.command_line", "kernel.crash_loaded"} & {fact.name for fact in derived([menu, told], 0.0)}


def test_the_room_for_dumps_is_that_of_the_file_system_they_lie_on() -> None:
    room = [
        Fact("disk.free_bytes", Subject("mount", point), free, 1.0, "df") for point, free in (("/", 5), ("/var", 7))
    ]
    assert {fact.name: fact.value for fact in derived(room, 0.0)}["dump.free_bytes"] == 7


@pytest.mark.parametrize(
    ("name", "text", "reader"),
    [
        ("sos_commands/kernel/sysctl_-a", "net.ipv4.ip_forward = 0\n", "sysctl"),
        ("sos_commands/xen/xm_list", "Name    ID Mem(MiB) VCPUs State  Time(s)\n", "xl list"),
        ("chkconfig_--list", "xend           \t0:off\t1:off\t2:off\t3:on\t4:on\t5:on\t6:off\n", "chkconfig --list"),
        ("timedatectl.txt", TIMEDATECTL_252, "timedatectl"),
        ("xen-livepatch_list.txt", LIVEPATCHES, "xen-livepatch list"),
    ],
)
def test_files_are_recognised_as_sosreport_and_people_name_them(name: str, text: str, reader: str) -> None:
    found = facts_reader(name, text.encode())
    assert found is not None
    assert found.name == reader
    assert all(fact.name.startswith(found.tells) for fact in found.read(text, 1.0, name))


def test_every_reader_says_which_facts_it_tells() -> None:
    assert [reader.name for reader in READERS if not reader.tells] == ["runlevels.txt of xenwatch collect"]
