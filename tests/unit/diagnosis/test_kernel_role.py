"""Whose kernel writes a log is decided by what kernels print, before any rule reads it."""

import json

import pytest

from tests.unit.diagnosis.conftest import rule_of
from xenwatch.diagnosis.kernel_role import HEAD, KernelRoles, kernel_signs, role_of_text
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.logs.format import all_formats
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.fact import Fact
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.model.subject import HOST

DOM0_PV = """\
[    0.000000] Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1
[    0.000000] Command line: placeholder root=/dev/mapper/vg0-root ro quiet
[    0.000000] DMI: Dell Inc. PowerEdge R640/0H28RR, BIOS 2.12.2 07/09/2021
[    0.000000] Hypervisor detected: Xen PV
[    0.031114] Booting paravirtualized kernel on Xen PV
[    0.031116] Xen version: 4.17.3 (preserve-AD)
[    1.203117] xen: registering gsi 9 triggering 0 polarity 0
"""
DOM0_OLD = """\
[    0.000000] Linux version 2.6.32-5-xen-amd64 (Debian 2.6.32-48) #1 SMP
[    0.000000] Booting paravirtualized kernel on Xen
[    0.000000] Xen version: 4.0.1 (preserve-AD) (dom0)
"""
GUEST_PV = """\
[    0.000000] Linux version 3.2.0-4-amd64 (debian-kernel@lists.debian.org) #1 SMP Debian 3.2.60
[    0.000000] Command line: root=/dev/xvda2 ro elevator=noop
[    0.000000] Booting paravirtualized kernel on Xen
[    0.000000] Xen version: 4.1.4 (preserve-AD)
[    0.312001] PCI: Fatal: No config space access function found
[    0.512001] blkfront: xvda2: barrier or flush: disabled
"""
GUEST_HVM = """\
[    0.000000] DMI: Xen HVM domU, BIOS 4.14.5 11/02/2022
[    0.000000] Hypervisor detected: Xen HVM
[    0.000000] Xen Platform PCI: I/O protocol version 1
[    0.011000] Booting paravirtualized kernel on Xen HVM
[    1.301000] xen: --> pirq=16 -> irq=9 (gsi=9)
"""
GUEST_PVH = """\
[    0.000000] Hypervisor detected: Xen PVH
[    0.000000] Xen Platform PCI: unrecognised magic value
[    0.014117] Booting paravirtualized kernel on Xen PVH
"""
DRIVER = """\
[    0.000000] Hypervisor detected: Xen HVM
[    0.011000] Booting paravirtualized kernel on Xen HVM
[   11.512001] EXT4-fs (xvda3): mounted filesystem with ordered data mode
[   44.019202] vif vif-7-0 vif7.0: Guest Rx ready
"""
NOBODY = """\
[    0.000000] Linux version 6.1.0-18-amd64
[   88.120031] kernel BUG at mm/slub.c:4023!
[   88.120033] RIP: e030:kfree+0x1b2/0x220
"""
BACKENDS = (
    "[   44.019202] xen-blkback: backend/vbd/7/51712: using 2 queues, protocol 1 (x86_64-abi) persistent grants\n"
)


@pytest.mark.parametrize(
    ("text", "role"),
    [
        (DOM0_PV, "dom0"),
        (DOM0_OLD, "dom0"),
        (BACKENDS, "dom0"),
        (GUEST_PV, "guest"),
        (GUEST_HVM, "guest"),
        (GUEST_PVH, "guest"),
        (DRIVER, "driver"),
        (NOBODY, "unknown"),
        ("CPU: 2 PID: 26 Comm: xl2tpd Not tainted 3.9.3-x86_64-linode33 #1\n", "guest"),
        ("", "unknown"),
        (DOM0_PV + GUEST_HVM, "unknown"),
    ],
)
def test_the_boot_lines_of_a_kernel_say_whose_it_is(text: str, role: str) -> None:
    signs = kernel_signs(text.encode())
    assert (signs[""].role if signs else "unknown") == role


def test_a_disk_that_is_attached_to_dom0_does_not_make_it_a_guest() -> None:
    assert role_of_text(DOM0_PV + "[ 91.0] blkfront: xvda: flush diskcache: enabled\n") == "dom0"


def test_a_line_counts_only_where_the_kernel_begins_it() -> None:
    assert role_of_text("[    1.2] audit: user said 'Hypervisor detected: Xen HVM'") == "unknown"
    assert role_of_text("httpd: GET /Hypervisor detected: Xen HVM") == "unknown"


def test_each_host_of_a_collected_syslog_has_its_own_kernel() -> None:
    roles, source = KernelRoles(), Source("syslog", all_formats()["syslog"])
    roles.see(
        source,
        b"Nov 28 03:00:01 xen1 kernel: [    1.203117] xen: registering gsi 9 triggering 0 polarity 0\n"
        b"Nov 28 03:00:02 web kernel: [    0.000000] Hypervisor detected: Xen HVM\n",
    )
    assert roles.role(source, "xen1") == "dom0"
    assert roles.role(source, "web") == "guest"
    assert roles.role(source, "mail") == "unknown"
    assert roles.evidence(source, "web") == ("Nov 28 03:00:02 web kernel: [    0.000000] Hypervisor detected: Xen HVM",)


def test_the_role_is_kept_over_a_restart() -> None:
    roles, source = KernelRoles(), Source("kern.log", all_formats()["kernel"])
    roles.see(source, GUEST_HVM.encode())
    again = KernelRoles()
    again.restore(json.loads(json.dumps(roles.state())))
    assert again.role(source) == "guest"


def test_what_is_not_known_at_first_may_be_known_later_and_then_stays() -> None:
    roles, source = KernelRoles(), Source("kern.log", all_formats()["kernel"])
    roles.see(source, b"[    1.0] e1000e: link up\n"[:0] + b"x\n" * HEAD)
    assert roles.role(source) == "unknown"
    roles.see(source, DOM0_PV.encode())
    roles.see(source, GUEST_HVM.encode())
    assert roles.role(source) == "dom0"


OOPS = rule_of(
    """\
signatures:
  - regex: 'kernel BUG at (?P<place>[a-z/]+)'
    streams: [kernel, syslog, stderr]
    where: 'kernel.role in ["dom0", "unknown"]'
severity: critical
title: The dom0 kernel reported a bug
unknown_kernel: A kernel reported a bug
""",
    "host-oops",
)
GUEST_OOPS = rule_of(
    "subject: domain\nsignatures:\n  - {regex: 'kernel BUG at (?P<place>[a-z/]+)', streams: [console]}\n", "guest-oops"
)


def diagnosed(stream: str, text: str, *facts: Fact) -> list[Diagnosis]:
    """What these two rules say to a log."""
    pipeline = Pipeline([OOPS, GUEST_OOPS], prefilter="re", at_rest=True)
    pipeline.facts(facts)
    source = Source(f"{stream}.txt", all_formats()[stream])
    pipeline.read(Chunk(source, text.encode(), Position("g", 0), TimeHint(1e9), final=True))
    return pipeline.diagnose(2e9)


BUG = "[   88.120031] kernel BUG at mm/slub.c:4023!\n"


@pytest.mark.parametrize("stream", ["kernel", "stderr", "console"])
@pytest.mark.parametrize("boot", [GUEST_PV, GUEST_HVM, GUEST_PVH])
def test_an_oops_of_a_guest_is_told_once_and_of_the_guest_in_each_format(stream: str, boot: str) -> None:
    assert [(d.rule, str(d.subject)) for d in diagnosed(stream, boot + BUG)] == [("guest-oops", "domain/unknown")]


def test_an_oops_of_a_driver_domain_is_not_the_hosts() -> None:
    assert [(d.rule, str(d.subject)) for d in diagnosed("kernel", DRIVER + BUG)] == [("guest-oops", "domain/unknown")]


@pytest.mark.parametrize("stream", ["kernel", "stderr"])
def test_an_oops_of_dom0_is_critical_and_the_hosts(stream: str) -> None:
    (found,) = diagnosed(stream, DOM0_PV + BUG)
    assert (found.rule, str(found.subject), found.severity) == ("host-oops", "host/dom0", "critical")
    assert found.title == "The dom0 kernel reported a bug"


def test_an_oops_of_nobody_known_is_an_error_and_blames_nobody() -> None:
    (found,) = diagnosed("kernel", NOBODY)
    assert (found.title, found.severity) == ("A kernel reported a bug", "error")


def test_a_host_that_is_known_to_be_dom0_owns_a_kernel_log_that_does_not_say_it() -> None:
    (found,) = diagnosed("kernel", NOBODY, Fact("xen.dom0", HOST, True, 1.0, "/proc/xen/capabilities"))
    assert (found.title, found.severity) == ("The dom0 kernel reported a bug", "critical")


def test_a_kernel_that_is_known_to_be_no_dom0_is_not_blamed_on_one() -> None:
    (found,) = diagnosed("kernel", NOBODY, Fact("xen.dom0", HOST, False, 1.0, "/proc/xen/capabilities"))
    assert found.severity == "error"


def test_a_guests_console_never_makes_itself_the_host() -> None:
    assert [d.rule for d in diagnosed("console", DOM0_PV + BUG)] == ["guest-oops"]


@pytest.mark.parametrize(
    "words",
    ["I/O error, dev xvda, sector 1", "xennet_poll+0x4b0/0xc70 [xen_netfront]", "Hardware name: Xen HVM domU"],
)
def test_what_a_guest_wrote_into_a_line_of_dom0_is_no_evidence(words: str) -> None:
    line = f"[   12.000001] vbd vbd-7-51712: 2 unknown fe protocol {words}\n"
    assert role_of_text(line) == "dom0"


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("Modules linked in: ipt_REJECT blkbk netbk netloop bridge tg3\n", "dom0"),
        ("Modules linked in: iptable_filter xennet(U) xenblk(U) ext3(U)\n", "guest"),
        ("Modules linked in: xennetwork_monitor ext3\n", "unknown"),
        (" xennet_remove+0x7f/0x1a0\n", "guest"),
        (" xenwatch_thread+0xc4/0x160\n", "unknown"),
    ],
)
def test_the_drivers_of_old_kernels_tell_whose_kernel_it_is(line: str, role: str) -> None:
    assert role_of_text(line) == role


CRASHDUMP = """\
[    525.566493]  ALERT: BUG: unable to handle kernel NULL pointer dereference at 0000000000000008
[    525.566538]   WARN: Oops: 0000 [#1] SMP NOPTI
[    525.566560]   WARN: Hardware name: Supermicro X10DRi/X10DRi, BIOS 3.2 11/19/2019
[    525.566583]   WARN: RIP: e030:skb_copy_ubufs+0x19c/0x5f0
"""


def test_the_console_that_the_crashdump_analyser_writes_names_a_level_before_each_line() -> None:
    assert role_of_text(CRASHDUMP) == role_of_text(CRASHDUMP.replace(" ALERT: ", "").replace("  WARN: ", "")) == "dom0"


UNNAMED = """\
Pid: 13942, comm: python Not tainted 2.6.34.7-56.fc13.x86_64 #1 /
RIP: e030:[<ffffffff81004aa9>]  [<ffffffff81004aa9>] pin_pagetable_pfn+0x36/0x3c
"""
LATER = UNNAMED.replace("2.6.34.7-56.fc13.x86_64 #1 /", "3.0.0-rc7+ #1")
IN_SYSLOG = "".join(f"Dec 21 16:04:04 web kernel: {line}\n" for line in UNNAMED.splitlines())


@pytest.mark.parametrize("text", [UNNAMED, LATER, "> " + LATER.replace("\n", "\n> "), IN_SYSLOG])
def test_before_linux_3_9_an_oops_of_a_paravirtualized_guest_names_no_machine(text: str) -> None:
    assert role_of_text(text) == "guest"


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("#1 /", "#1 Dell Inc. PowerEdge R710/0YDJK3"),
        ("#1 /", "#1 Debian 2.6.34-1 PowerEdge R710"),
        ("RIP: e030:", "RIP: 0010:"),
        ("2.6.34.7-56.fc13.x86_64 #1 /", "2.6.24-23-xen #1"),
    ],
)
def test_an_oops_says_nothing_of_a_guest_where_a_machine_is_named_or_could_not_be(line: str, instead: str) -> None:
    assert role_of_text(UNNAMED.replace(line, instead)) != "guest"
