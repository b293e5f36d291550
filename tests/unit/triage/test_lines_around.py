"""What stands around a known line is shown with it: errors beside it, the place of a crash, the reason of a panic."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.model.record import LogRecord
from xenwatch.triage.diagnose import diagnose
from xenwatch.triage.report import Report

Read = Callable[..., Report]


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


@pytest.fixture
def read(tmp_path: Path, rules: Sequence[Rule]) -> Read:
    def read(logs: dict[str, str]) -> Report:
        for name, text in logs.items():
            (tmp_path / name).write_text(text)
        return diagnose([str(tmp_path)], rules, cache=cache_folder())

    return read


def evidence(report: Report) -> str:
    """The lines of logs that the first incident rests on."""
    pieces = report.incidents[0].diagnosis.evidence
    return "\n".join(piece.origin.text for piece in pieces if isinstance(piece.origin, LogRecord))


NO_ROOT = "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(202,1)\n"
UNREAD = "frobnicate: cannot open the gate: Invalid argument\n"
GAP = "all is well\n" * 13


@pytest.mark.parametrize("text", [UNREAD + NO_ROOT, NO_ROOT + UNREAD, UNREAD + "all is well\n" * 3 + NO_ROOT])
def test_an_error_that_no_rule_knows_is_shown_with_the_known_line_beside_it(read: Read, text: str) -> None:
    assert UNREAD.strip() in evidence(read({"guest-web.log": text}))


def test_an_error_far_from_the_known_line_is_another_story(read: Read) -> None:
    report = read({"guest-web.log": UNREAD + GAP + NO_ROOT})
    assert UNREAD.strip() not in evidence(report)
    assert [error.text for error in report.unmatched] == [UNREAD.strip()]


def test_an_error_of_another_log_is_another_story(read: Read) -> None:
    assert UNREAD.strip() not in evidence(read({"guest-web.log": NO_ROOT, "guest-db.log": UNREAD}))


SYSLOG = "2026-11-23T10:00:0{} xen1 {}\n"
UNREAD_XL = "xl[77]: frobnicate: cannot open the gate"
KNOWN_XL = "xl[77]: libxl: error: libxl_device.c:1080:cb: script: Could not find bridge device xenbr9"


@pytest.mark.parametrize(("writer", "is_shown"), [("xl[77]", True), ("cron[9]", False)])
def test_in_a_log_of_many_the_error_that_the_same_process_wrote_before_is_shown(
    read: Read, writer: str, is_shown: bool
) -> None:
    lines = [UNREAD_XL.replace("xl[77]", writer), "sshd[5]: hello", "sshd[5]: again", KNOWN_XL]
    text = "".join(SYSLOG.format(f"{n}.000000+00:00", line) for n, line in enumerate(lines))
    assert ("frobnicate" in evidence(read({"syslog": text}))) is is_shown


def test_what_the_hypervisor_said_before_its_panic_is_shown(read: Read) -> None:
    text = "(XEN) Xen version 4.17.2\n(XEN) elf_init: not an ELF binary\n(XEN) \n(XEN) ****\n"
    report = read({"xl-dmesg.log": f"{text}(XEN) Panic on CPU 0:\n(XEN) Could not set up DOM0 guest OS\n"})
    assert "not an ELF binary" in evidence(report)


SPAWN_FAILED = (
    "libxl: error: libxl_dm.c:1212:device_model_spawn_outcome: domain {} device model: spawn failed (rc=-3)\n"
)


def test_what_the_device_model_of_the_only_guest_said_is_shown_where_it_failed(read: Read) -> None:
    assert UNREAD.strip() in evidence(read({"stderr.log": SPAWN_FAILED.format(2), "qemu-dm.log": UNREAD}))


def test_what_the_device_model_of_another_guest_said_is_not_shown(read: Read) -> None:
    logs = {"stderr.log": "# xl create web.cfg\n" + SPAWN_FAILED.format(2), "qemu-dm-mail.log": UNREAD}
    assert UNREAD.strip() not in evidence(read(logs))


def test_of_many_errors_beside_it_a_few_are_shown_and_like_ones_once(read: Read) -> None:
    words = ("alpha", "beta", "gamma", "delta", "epsilon")
    many = "".join(f"{word} {n}: cannot go on\n" for word in words for n in (1, 2))
    shown = evidence(read({"guest-web.log": NO_ROOT + many}))
    assert [line for line in shown.split("\n") if "cannot" in line] == [f"{word} 1: cannot go on" for word in words[:4]]


def test_in_the_hypervisors_ring_no_guest_is_shown_the_words_of_another(read: Read) -> None:
    ring = "(d7) Kernel panic - not syncing: Attempted to kill init!\n(d5) frobnicate: cannot open the gate\n"
    assert "frobnicate" not in evidence(read({"xl-dmesg.log": f"(XEN) Xen version 4.17.2\n{ring}"}))


OOPS = """\
[   12.370853] BUG: unable to handle page fault for address: ffffffff830c7c05
[   12.370865] #PF: supervisor instruction fetch in kernel mode
[   12.370879] Oops: 0011 [#1] PREEMPT SMP NOPTI
[   12.370884] CPU: 3 PID: 42 Comm: worker Not tainted 6.1.0-33-amd64 #1
[   12.370889] RIP: e030:frobnicate+0x0/0xb7
[   12.370904] RSP: e02b:ffffc90040177dd8 EFLAGS: 00010286
"""
OLD_OOPS = """\
Kernel BUG at c05ef80d [verbose debug info unavailable]
invalid opcode: 0000 [#1] SMP
last sysfs file: /sys/block/xvdc/size
Modules linked in:

Pid: 0, comm: swapper Not tainted (2.6.29 #6)
EIP: 0061:[<c05ef80d>] EFLAGS: 00010087 CPU: 2
EIP is at frobnicate+0x7cd/0x950
"""


@pytest.mark.parametrize("text", [OOPS, OLD_OOPS])
def test_the_crash_of_a_guests_kernel_is_shown_with_the_place_where_it_happened(read: Read, text: str) -> None:
    assert "frobnicate+0x" in evidence(read({"guest-web.log": text}))


def test_registers_without_a_crash_before_them_are_no_crash(read: Read) -> None:
    report = read({"guest-web.log": "[    0.000000] Linux version 6.1\n[   12.370889] RIP: e030:frobnicate+0x0/0xb7\n"})
    assert report.incidents == ()


PANIC = """\
(XEN) Xen version 4.17.2
(XEN) ****************************************
(XEN) Panic on CPU 12:
(XEN) The frobnicator does not work!
(XEN) ****************************************
"""


def test_a_panic_of_the_hypervisor_is_shown_with_its_reason(read: Read) -> None:
    assert "The frobnicator does not work!" in evidence(read({"xl-dmesg.log": PANIC}))
