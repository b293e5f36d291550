"""`check host` on real files of hosts with xend and with xl: what will fail is found, and a healed host is quiet."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hosts.recorded import recorded_host

from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import InputError
from xenwatch.cli.main import cli
from xenwatch.config.sections import Config, LogSettings, SamplingSettings
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import rules_with, standing_checks
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.host import Host, build_host
from xenwatch.host.paths import Paths
from xenwatch.triage.bundle.collect import collect
from xenwatch.triage.host_check import HostCheck, all_checks, check_bundle, check_through

NOW = 1_796_000_000.0
"""2026-11-30."""
XM_INFO = """\
host                   : xen1.example.org
release                : 2.6.18-398.el5xen
machine                : x86_64
nr_cpus                : 4
nr_nodes               : 1
hw_caps                : bfebfbff:20100800:00000000:00000140:0000e3bd:00000000:00000001
total_memory           : 8190
free_memory            : 4519
xen_major              : 3
xen_minor              : 1
xen_extra              : .2-398.el5
xen_caps               : xen-3.0-x86_64 xen-3.0-x86_32p
xen_pagesize           : 4096
xend_config_format     : 2
"""
XEND_CONFIG = """\
# -*- sh -*-
#(xend-http-server no)
(xend-relocation-server yes)
(xend-relocation-port 8002)
(xend-relocation-address '')
(xend-relocation-hosts-allow '')
# (network-script 'network-bridge bridge=xenbr1')
(network-script network-bridge)
(vif-script vif-route)
(dom0-min-mem 256)
(dom0-cpus 0)
(enable-dump yes)
"""
MENU_LST = """\
default=0
timeout=5
title CentOS (2.6.18-398.el5xen)
        root (hd0,0)
        kernel /xen.gz-2.6.18-398.el5
        module /vmlinuz-2.6.18-398.el5xen ro root=/dev/VolGroup00/LogVol00 rhgb quiet
        module /initrd-2.6.18-398.el5xen.img
"""
CHKCONFIG = """\
netfs          \t0:off\t1:off\t2:off\t3:off\t4:off\t5:off\t6:off
ntpd           \t0:off\t1:off\t2:off\t3:off\t4:off\t5:off\t6:off
sshd           \t0:off\t1:off\t2:on\t3:on\t4:on\t5:on\t6:off
xend           \t0:off\t1:off\t2:on\t3:on\t4:on\t5:on\t6:off
xendomains     \t0:off\t1:off\t2:off\t3:off\t4:off\t5:off\t6:off
"""
NTPQ = """\
     remote           refid      st t when poll reach   delay   offset  jitter
==============================================================================
 ntp1.example.or .INIT.          16 u    -   64    0    0.000    0.000   0.000
"""
GUEST = """\
name = "{name}"
uuid = "{uuid}"
memory = 2048
builder = "hvm"
kernel = "/usr/lib/xen/boot/hvmloader"
vif = [ 'type=ioemu, mac={mac}, bridge=xenbr0' ]
disk = [ 'phy:/dev/VolGroup00/{name},hda,w' ]
on_crash = "restart"
"""
DF = """\
Filesystem           1K-blocks      Used Available Use% Mounted on
/dev/mapper/VolGroup00-LogVol00
                      15109112  14300000     20000  99% /
/dev/sda1               101086     24000     71867  26% /boot
"""
XEND_HOST = {
    "xm_info.txt": XM_INFO,
    "etc/xen/xend-config.sxp": XEND_CONFIG,
    "boot/grub/menu.lst": MENU_LST,
    "chkconfig_--list.txt": CHKCONFIG,
    "ntpq_-pn.txt": NTPQ,
    "etc/xen/web": GUEST.format(name="web", uuid="3d7a1c2e-0000-4000-8000-00000000abcd", mac="00:16:3e:00:00:01"),
    "etc/xen/mail": GUEST.format(name="mail", uuid="3d7a1c2e-0000-4000-8000-00000000abcd", mac="00:16:3e:00:00:01"),
    "etc_xen_auto.txt": "total 0\nlrwxrwxrwx 1 root root 8 Mar  2  2012 web -> ../web\n",
    "etc/fstab": "/dev/VolGroup00/LogVol00 / ext3 defaults 1 1\nnas:/vm /srv/images nfs rw,hard,intr 0 0\n",
    "sysctl_-a.txt": "net.ipv4.ip_forward = 0\nnet.ipv4.conf.eth0.proxy_arp = 0\nnet.ipv4.conf.all.proxy_arp = 0\n",
    "ip_link.txt": "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 16436\n2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n",
    "mounts": "/dev/mapper/VolGroup00-LogVol00 / ext3 rw 0 0\n",
    "df.txt": DF,
}
WRONG_ON_XEND = {
    "clock-not-synchronised",
    "crash-kernel-absent",
    "dom0-memory-unbounded",
    "dom0-space-gone",
    "dump-room-short",
    "guest-mac-shared",
    "guest-uuid-shared",
    "hvm-guest-without-hvm",
    "microcode-load-not-set",
    "network-mount-service-off",
    "nfs-not-mounted",
    "route-proxy-arp-off",
    "routing-off",
    "serial-console-absent",
    "time-service-off",
    "xen-out-of-support",
    "xend-bridge-not-made",
    "xend-relocation-open",
    "xend-scripts-differ",
    "xendomains-off",
}
XEND_HOST_HEALED = {
    **XEND_HOST,
    "xm_info.txt": XM_INFO.replace("xen_major              : 3", "xen_major              : 4")
    .replace("xen_minor              : 1", "xen_minor              : 22")
    .replace(" xen-3.0-x86_32p\n", " hvm-3.0-x86_64\n"),
    "etc/xen/xend-config.sxp": XEND_CONFIG.replace("-allow ''", "-allow '^localhost$ ^xen2\\\\.example\\\\.org$'")
    .replace("vif-route", "vif-bridge")
    .replace("enable-dump yes", "enable-dump no"),
    "boot/grub/menu.lst": MENU_LST.replace(
        "xen.gz-2.6.18-398.el5", "xen.gz-2.6.18-398.el5 dom0_mem=1024M com1=115200,8n1 crashkernel=128M@16M ucode=scan"
    ),
    "kexec.txt": "# crash kernel\nkexec_crash_loaded = 1\n",
    "chkconfig_--list.txt": CHKCONFIG.replace("2:off\t3:off\t4:off\t5:off", "2:on\t3:on\t4:on\t5:on"),
    "ntpq_-pn.txt": NTPQ.replace(" ntp1.example.or .INIT.          16", "*ntp1.example.or 192.0.2.1        2"),
    "etc/xen/mail": GUEST.format(name="mail", uuid="3d7a1c2e-0000-4000-8000-00000000abce", mac="00:16:3e:00:00:02"),
    "ip_link.txt": "".join(
        f"{n}: {name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n"
        for n, name in enumerate(("eth0", "peth0", "xenbr0"), 1)
    ),
    "brctl_show.txt": "bridge name\tbridge id\t\tSTP enabled\tinterfaces\nxenbr0\t\t8000.feffffffffff\tno\t\tpeth0\n",
    "mounts": "/dev/mapper/VolGroup00-LogVol00 / ext3 rw 0 0\nnas:/vm /srv/images nfs rw 0 0\n",
    "df.txt": DF.replace("14300000     20000  99%", "4300000   9800000  30%"),
}
XL_WRONG = {
    "etc/xen/xl.conf": 'vif.default.script="vif-route"\n',
    "etc/xen/win.cfg": (
        'name = "win"\ntype = "hvm"\nmemory = 4096\npci = [ "03:00.0" ]\non_crash = "coredump-restart"\n'
    ),
    "etc/logrotate.conf": "weekly\nrotate 4\ninclude /etc/logrotate.d\n",
    "etc/logrotate.d/rsyslog": (
        "/var/log/syslog\n/var/log/mail.log\n{\n\trotate 4\n\tpostrotate\n\t\t/usr/lib/x\n\tendscript\n}\n"
    ),
    "proc/sys/net/ipv4/ip_forward": "0\n",
    "proc/sys/net/ipv4/conf/eth0/proxy_arp": "0\n",
    "sys/class/net/bonding_masters": "bond0\n",
    "sys/class/net/bond0/bonding/slaves": "eno1 eno2\n",
    "sys/class/net/eno1/bonding_slave/mii_status": "up\n",
    "sys/class/net/eno2/bonding_slave/mii_status": "down\n",
    "sys/kernel/kexec_crash_loaded": "0\n",
}
CONFIG = Config(logs=LogSettings(paths=()), sampling=SamplingSettings(libvirt_uri=""))


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> list[Rule]:
    return all_checks((), tmp_path_factory.mktemp("cache"))


def plant(root: Path, files: dict[str, str]) -> str:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return str(root)


def found(check: HostCheck) -> set[str]:
    return {result.rule.id for result in check.results if result.found}


def unknown(check: HostCheck) -> set[str]:
    return {result.rule.id for result in check.results if result.verdict == "unknown"}


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["check", "host", *words], env={"COLUMNS": "100", "XENWATCH_CONFIG": ""})


def test_a_host_of_xend_is_told_everything_that_will_fail_one_day(tmp_path: Path, checks: list[Rule]) -> None:
    (check,) = check_bundle([plant(tmp_path, XEND_HOST)], checks, NOW)
    assert found(check) == WRONG_ON_XEND


def test_the_same_host_healed_is_quiet(tmp_path: Path, checks: list[Rule]) -> None:
    (check,) = check_bundle([plant(tmp_path, XEND_HOST_HEALED)], checks, NOW)
    assert found(check) == set()


def test_commands_for_a_host_of_xend_are_typed_with_xm(tmp_path: Path) -> None:
    said = run(plant(tmp_path, XEND_HOST), "--severity", "warning", "--no-pager")
    assert said.exit_code == 1
    assert "xm info | grep" in said.stdout
    assert "xl info" not in said.stdout
    assert "WARNING  dom0 has no fixed memory: Xen was started without dom0_mem" in said.stdout
    assert "its first entry for Xen" in " ".join(said.stdout.split())
    assert "INFO" not in said.stdout


def test_what_is_not_in_a_bundle_is_listed_with_what_would_tell_it(tmp_path: Path) -> None:
    only = {name: XEND_HOST[name] for name in ("xm_info.txt", "etc/xen/xend-config.sxp")}
    said = run(plant(tmp_path, only), "--format", "json")
    checks = {check["check"]: check for check in json.loads(said.stdout)["hosts"][0]["checks"]}
    assert checks["xend-relocation-open"]["verdict"] == "found"
    assert checks["xend-scripts-differ"]["findings"][0]["subject"]["kind"] == "host"
    assert checks["clock-not-synchronised"]["verdict"] == "unknown"
    assert "clock.synchronised is not known: it is read from timedatectl" in checks["clock-not-synchronised"]["reason"]
    assert checks["guest-mac-shared"]["missing"] == ["guest.macs"]
    assert checks["routing-off"]["missing"] == ["sysctl.ip_forward"]  # xend's scripts are known, and xl's are not there


async def here_and_there(folder: Path, checks: list[Rule], files: dict[str, str]) -> tuple[HostCheck, HostCheck]:
    """The recorded host of xl with these files, asked itself, and by what `collect` took along of it."""
    async with recorded_host() as host:
        plant(host.paths.root, files)
        live = await check_through(host, checks)
        into = io.BytesIO()
        await collect(host, CONFIG, into)
    (folder / "b.tar.gz").write_bytes(into.getvalue())
    (saved,) = check_bundle([str(folder / "b.tar.gz")], checks, host.clock.now())
    return live, saved


async def test_a_host_of_xl_and_its_bundle_are_told_the_same(tmp_path: Path, checks: list[Rule]) -> None:
    live, saved = await here_and_there(tmp_path, checks, XL_WRONG)
    assert found(live) == {
        "bond-one-legged",
        "crash-kernel-absent",
        "dump-room-short",
        "microcode-load-not-set",
        "passthrough-without-iommu",
        "route-proxy-arp-off",
        "routing-off",
        "xen-logs-not-rotated",
        "xen-out-of-support",
    }
    assert found(saved) == found(live) - unknown(saved)
    assert "bond-one-legged" in found(saved)


async def test_where_nothing_is_configured_nothing_is_found_and_nothing_is_missing(
    tmp_path: Path, checks: list[Rule]
) -> None:
    live, _ = await here_and_there(tmp_path, checks, {})
    told_of_any_host = {"crash-kernel-absent", "microcode-load-not-set", "xen-logs-not-rotated", "xen-out-of-support"}
    assert found(live) == told_of_any_host
    assert unknown(live) == {"clock-not-synchronised", "time-service-off", "xen-service-failed"}  # no systemctl here


async def test_a_machine_without_xen_cannot_be_checked(tmp_path: Path, checks: Sequence[Rule]) -> None:
    host: Host = build_host(ManualClock(), Paths(tmp_path), SystemRunner(), toolstack=None, libvirt_uri=None)
    with pytest.raises(InputError, match="not a dom0"):
        await check_through(host, checks)


def test_a_bundle_of_logs_alone_cannot_be_checked(tmp_path: Path, checks: Sequence[Rule]) -> None:
    with pytest.raises(InputError, match="no output of a command"):
        check_bundle(
            [plant(tmp_path, {"xend.log": "[2012-11-22 20:11:13 2854] INFO (XendDomainInfo:1) x\n"})], checks, NOW
        )


def test_a_healed_host_ends_with_0_and_one_with_findings_with_1(tmp_path: Path) -> None:
    healed, wrong = plant(tmp_path / "healed", XEND_HOST_HEALED), plant(tmp_path / "wrong", XEND_HOST)
    assert run(healed).exit_code == 0
    assert run(wrong, "--severity", "critical").exit_code == 0
    assert run(wrong).exit_code == 1


def test_two_hosts_in_one_folder_are_checked_apart(tmp_path: Path) -> None:
    log = "Nov 22 20:11:13 {} kernel: tg3 0000:02:00.0: eth0: Link is up\n"
    for name, files in (("xen1", XEND_HOST), ("xen2", XEND_HOST_HEALED)):
        plant(tmp_path / name, {**files, "messages": log.format(name)})
    hosts = {
        host["host"]: host["checks"] for host in json.loads(run(str(tmp_path), "--format", "json").stdout)["hosts"]
    }
    wrong = {name: [check["check"] for check in checks if check["findings"]] for name, checks in hosts.items()}
    assert len(wrong["xen1"]) == len(WRONG_ON_XEND)
    assert wrong["xen2"] == []


def test_no_standing_check_opens_an_incident() -> None:
    assert {rule.id for rule in standing_checks(None)}.isdisjoint(rule.id for rule in rules_with((), None))
