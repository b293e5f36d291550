"""Configuration becomes facts, the same for a running host and for what `collect` or a person took along."""

from pathlib import Path

import pytest

from xenwatch.base.clock import ManualClock
from xenwatch.facts.configuration import configuration_texts
from xenwatch.facts.live import detect
from xenwatch.facts.live_configuration import configuration
from xenwatch.host.exec.runner import Completed
from xenwatch.host.host import build_host
from xenwatch.host.paths import Paths
from xenwatch.triage.bundle.reader import Bundle

XM = """\
# -*- mode: python -*-
import os
arch = os.uname()[4]
kernel = "/boot/vmlinuz-2.6.18-xen"
memory = 512
name = "web"
uuid = "3D7A1C2E-0000-4000-8000-00000000ABCD"
vif = [ 'mac=00:16:3E:00:00:0A, bridge=xenbr0', 'bridge=inner, backend=router' ]
disk = [ 'phy:vg0/web,xvda1,w', 'tap:aio:/srv/web-swap.img,xvda2,w' ]
"""
XL = """\
name = 'mail'
type = "hvm"
memory = 1024; vcpus = 2
disk = [ '/srv/mail.img,raw,xvda,rw', 'format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/srv/cd.iso' ]
vif = [ 'script=vif-route, ip=10.0.0.7' ]
vncpasswd = 'geheim'
"""
BOOTED_FROM_ITS_DISK = (
    'name = "db"\nbootloader = "pygrub"\nkernel = "/boot/vmlinuz"\ndisk = ["file:/srv/db.img,xvda,w"]\n'
)
XML = """\
<!-- WARNING: THIS IS AN AUTO-GENERATED FILE. -->
<domain type='xen'><name>win</name><uuid>11111111-2222-3333-4444-555555555555</uuid><os><type>hvm</type></os>
<devices><disk type='file' device='disk'><source file='/srv/win.img'/><target dev='hda'/></disk>
<interface type='bridge'><mac address='00:16:3E:AA:BB:CC'/><source bridge='br7'/></interface></devices></domain>
"""
XEND = """\
# comment (network-script network-route)
(xend-relocation-server no)
(network-script 'network-bridge netdev=eth1')
(vif-script vif-bridge)
"""
GRUB = """\
menuentry 'Debian, with Xen' {
        multiboot2      /boot/xen-4.17-amd64.gz placeholder dom0_mem=2048M com1=115200,8n1
        module2 /boot/vmlinuz-6.1.0-amd64 placeholder root=/dev/vg0/root ro console=hvc0
}
"""
FSTAB = """\
# <file system>
UUID=1 /  ext4 defaults 0 1
nas:/vm	/srv/images nfs  _netdev,hard 0 0
nas:/iso /srv/iso nfs noauto 0 0
"""
UNITS = "xenconsoled.service loaded failed failed Xenconsoled\nlibvirtd.service loaded active running libvirt\n"
UNIT_FILES = "xendomains.service disabled enabled\nxenstored.service static -\nfoo.service masked enabled\n"
SMART = """\
# /dev/sda
SMART overall-health self-assessment test result: PASSED
# /dev/sdb
SMART Health Status: FAILURE PREDICTION
"""

Facts = dict[tuple[str, str], object]


def saved(folder: Path) -> Facts:
    facts = [fact for entry in Bundle([str(folder)], now=1.0).entries() for fact in entry.facts]
    return {(fact.name, str(fact.subject)): fact.value for fact in facts}


def live(root: Path) -> Facts:
    return {(name, str(subject)): value for _, rows in configuration(Paths(root)) for name, subject, value in rows}


def plant(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def test_a_host_and_its_copy_tell_the_same_of_their_configuration(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            "etc/xen/web": XM,
            "etc/xen/auto/mail.cfg": XL,
            "etc/xen/db.cfg": BOOTED_FROM_ITS_DISK,
            "etc/libvirt/libxl/win.xml": XML,
            "etc/libvirt/libxl/autostart/win.xml": XML,
            "etc/xen/xend-config.sxp": XEND,
            "etc/xen/xl.conf": '#autoballoon="auto"\nvif.default.script="vif-nat"\n',
            "etc/network/interfaces": "auto br0\niface br0 inet dhcp\n  bridge_ports eth0\niface lo inet loopback\n",
            "boot/grub/grub.cfg": GRUB,
            "etc/fstab": FSTAB,
            "proc/cmdline": "root=/dev/vg0/root ro\n",
        },
    )
    now, later = live(root), saved(root)
    assert {key: now.get(key) for key in later} == later
    assert later["guest.bridges", "domain/web"] == ("xenbr0",)
    assert later["guest.files", "domain/web"] == ("/boot/vmlinuz-2.6.18-xen", "/dev/vg0/web", "/srv/web-swap.img")
    assert later["guest.macs", "domain/web"] == ("00:16:3e:00:00:0a",)
    assert later["guest.uuid", "domain/web"] == "3d7a1c2e-0000-4000-8000-00000000abcd"
    assert (later["guest.type", "domain/mail"], later["guest.autostart", "domain/mail"]) == ("hvm", True)
    assert later["guest.files", "domain/mail"] == ("/srv/mail.img", "/srv/cd.iso")
    assert later["guest.vif_scripts", "domain/mail"] == ("vif-route",)
    assert later["guest.files", "domain/db"] == ("/srv/db.img",)
    assert ("guest.autostart", "domain/web") not in later
    assert (later["guest.type", "domain/win"], later["guest.bridges", "domain/win"]) == ("hvm", ("br7",))
    assert later["guest.autostart", "domain/win"] is True
    assert later["xend.network_script", "host/dom0"] == "network-bridge netdev=eth1"
    assert later["xl.vif_script", "host/dom0"] == "vif-nat"
    assert later["bridge.configured", "bridge/br0"] is True
    assert later["boot.xen_command_lines", "host/dom0"] == ("dom0_mem=2048M com1=115200,8n1",)
    assert later["boot.dom0_command_lines", "host/dom0"] == ("root=/dev/vg0/root ro console=hvc0",)
    assert later["fstab.network_points", "host/dom0"] == ("/srv/images",)
    assert later["kernel.command_line", "host/dom0"] == "root=/dev/vg0/root ro"


def test_what_a_configuration_names_is_looked_for_and_what_lies_on_a_server_is_not(tmp_path: Path) -> None:
    mounts = "nas:/vm /srv nfs rw 0 0\n"
    root = plant(tmp_path, {"etc/xen/web.cfg": XM, "boot/vmlinuz-2.6.18-xen": "", "proc/mounts": mounts})
    facts = live(root)
    assert facts["files.present", "host/dom0"] == ("/boot/vmlinuz-2.6.18-xen",)
    assert facts["files.missing", "host/dom0"] == ("/dev/vg0/web",)


def test_examples_and_old_copies_configure_no_guest(tmp_path: Path) -> None:
    plant(tmp_path, {"etc/xen/xlexample.hvm": XL, "etc/xen/web.cfg.bak": XM, "etc/xen/web.old": XM})
    assert list(configuration_texts(Paths(tmp_path))) == []
    assert [key for key in saved(tmp_path) if key[1].startswith("domain/")] == []


def test_a_configuration_is_read_and_never_run(tmp_path: Path) -> None:
    bad = f"import os\nos.mkdir('{tmp_path}/ran')\nname = 'evil'\nmemory = 1\nvif = [ 'bridge=a' ] if True else []\n"
    plant(tmp_path, {"etc/xen/evil.cfg": bad})
    assert live(tmp_path)["guest.bridges", "domain/evil"] == ()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["name = 'deep'\nx = " + "(" * 50_000, "name = 'a'\0\n", "<domain", ""])
def test_a_broken_or_hostile_configuration_costs_only_itself(tmp_path: Path, text: str) -> None:
    plant(tmp_path, {"etc/xen/bad.cfg": text, "etc/libvirt/libxl/bad.xml": text, "etc/xen/web.cfg": XM})
    assert live(tmp_path)["guest.type", "domain/web"] == "pv"
    assert saved(tmp_path)["guest.type", "domain/web"] == "pv"


def test_states_of_services_and_disks_are_read_from_what_people_save(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "systemctl_list-units.txt": UNITS,
            "systemctl_list-unit-files.txt": UNIT_FILES,
            "smartctl_-H.txt": SMART,
            "etc_xen_auto.txt": "total 0\nlrwxrwxrwx 1 root root 10 Nov  1 09:00 web.cfg -> ../web.cfg\n",
            "sysctl.txt": "net.ipv4.ip_forward = 0\nnet.ipv4.conf.all.rp_filter = 1\n",
        },
    )
    facts = saved(tmp_path)
    assert facts["unit.state", "daemon/xenconsoled"] == "failed"
    assert facts["unit.state", "daemon/libvirtd"] == "active"
    assert facts["units.off", "host/dom0"] == ("xendomains", "foo")
    assert facts["smart.failed", "host/dom0"] == ("/dev/sdb",)
    assert facts["autostart.links", "host/dom0"] == ("web.cfg",)
    assert (facts["sysctl.ip_forward", "host/dom0"], facts["sysctl.rp_filter", "host/dom0"]) == (0, 1)


def test_a_failed_unit_with_its_mark_is_read_and_an_error_of_systemctl_stays_a_log(tmp_path: Path) -> None:
    head = "  UNIT LOAD ACTIVE SUB DESCRIPTION\n"
    plant(tmp_path, {"systemctl_failed.txt": f"{head}● xenstored.service loaded failed failed Xenstored\n"})
    assert saved(tmp_path)["unit.state", "daemon/xenstored"] == "failed"
    plant(tmp_path, {"systemctl_failed.txt": "System has not been booted with systemd as init system\n"})
    assert saved(tmp_path) == {}


class Systemd:
    """Plays systemctl and smartctl, and notes what was asked."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, ...]] = []

    async def run(self, argv: tuple[str, ...], deadline: float, *, limit: int = 0) -> Completed:
        self.ran.append(argv)
        text = {"list-units": UNITS, "list-unit-files": UNIT_FILES, "-n": SMART.splitlines()[3]}.get(argv[1], "")
        return Completed(argv, 0, text.encode(), b"")


async def test_disks_are_asked_in_a_single_look_and_not_in_every_round(tmp_path: Path) -> None:
    (tmp_path / "sys/block/sda").mkdir(parents=True)
    runner = Systemd()
    host = build_host(ManualClock(), Paths(tmp_path), runner, toolstack=None, libvirt_uri=None)
    rounds = {fact.name: fact.value for fact in await detect(host)}
    once = {fact.name: fact.value for fact in await detect(host, once=True)}
    assert (rounds["units.off"], "smart.failed" in rounds) == (("xendomains", "foo"), False)
    assert once["smart.failed"] == ("/dev/sda",)
