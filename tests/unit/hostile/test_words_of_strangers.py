"""Who may say what in the host's own logs: a stranger's words accuse nobody, and the toolstack is still heard."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.logs.format import all_formats
from xenwatch.model.record import LONGEST_RECORD, Chunk, Position, Source, TimeHint

SYSLOG = "May 18 20:55:03 dom0 "
CRASH = "Domain has crashed: name=web id=7."
SCRIPT = "logger: /etc/xen/scripts/vif-bridge: "
RULES_SAID = [
    CRASH,
    "libxl: error: libxl_exec.c:118:libxl_report_child_exitstatus: block add [9] exited with error status 1",
    "xen be: qdisk-51712: error: Failed to open '/dev/vg/web'",
    "Error creating domain: Disk image does not exist: /dev/vg/web",
    "domain_crash called from p2m.c:1234",
]
STRANGERS = [
    "anna: {}",
    "logger: {}",
    "root: {}",
    "root[77]: {}",
    "CRON[9]: (anna) CMD (echo {})",
    "sudo: anna : TTY=pts/0 ; PWD=/ ; COMMAND=/bin/echo {}",
    "su[4]: {}",
    "login[4]: FAILED LOGIN on tty1 FOR {}",
    "sshd[4]: Invalid user {} from 10.0.0.7",
    "gnome-session[4]: {}",
    "systemd[2345]: Started {}.",
    "systemd[1]: Found device {}.",
    "dbus-daemon[4]: [session uid=1000 pid=7] {}",
    "polkitd[4]: Registered Authentication Agent {}",
    "named[4]: client 10.0.0.7: query: {}",
    "dhclient[4]: option host-name {}",
    "docker[4]: {}",
    "python3[4]: {}",
    "snmpd[4]: {}",
    "kernel: BTRFS: device label {} devid 1 transid 5 /dev/dm-3 scanned by (udev-worker) (812)",
    "kernel: [  12.345678] BTRFS info: device fsid {} devid 1 transid 5 /dev/dm-3",
    "kernel: usb 1-1: Product: {}",
    "kernel: usb 1-1: Manufacturer: {}",
    "kernel: input: {} as /devices/virtual/input/input7",
]
REAL = [
    ("xend.log", "[2011-05-18 20:55:05 xend 3456] WARNING (XendDomainInfo:874) " + CRASH, "domain-crashed"),
    ("messages", SYSLOG + "xend[3456]: " + CRASH, "domain-crashed"),
    ("messages", SYSLOG + SCRIPT + "Could not find bridge device xenbr1", "vif-bridge-missing"),
    (
        "messages",
        SYSLOG + SCRIPT.replace("logger", "root") + "Could not find bridge device xenbr1",
        "vif-bridge-missing",
    ),
    ("messages", SYSLOG + "multipathd[7]: mpatha: remaining active paths: 0", "multipath-degraded"),
    ("messages", SYSLOG + "kernel: Buffer I/O error on dev sda1, logical block 7, async page read", "disk-io-error"),
]

Rules = Callable[..., set[str]]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Rules:
    scanner = Scanner(rules_with((), None), cache=tmp_path_factory.mktemp("cache"))
    formats = {"xend.log": "xend", "messages": "syslog", "kern.log": "kernel", "xend-debug.log": "xend-debug"}
    count = iter(range(10_000))

    def run(name: str, *chunks: Iterable[str]) -> set[str]:
        source, offset = Source(str(Path(f"/{next(count)}") / name), all_formats()[formats[name]]), 0
        found: set[str] = set()
        for lines in chunks:
            data = "".join(f"{line}\n" for line in lines).encode()
            found |= {e.rule for e in scanner.feed(Chunk(source, data, Position("g", offset), TimeHint(1.3e9)))}
            offset += len(data)
        return found

    return run


@pytest.mark.parametrize("stranger", STRANGERS)
def test_what_a_stranger_says_in_syslog_accuses_nobody(rules: Rules, stranger: str) -> None:
    assert rules("messages", [SYSLOG + stranger.format(words) for words in RULES_SAID]) == set()


@pytest.mark.parametrize("stranger", [s for s in STRANGERS if s.startswith("kernel: ")])
def test_what_a_guest_named_its_disk_accuses_nobody_in_the_kernels_own_log(rules: Rules, stranger: str) -> None:
    lines = [f"[   12.345678] {stranger.removeprefix('kernel: ').format(words)}" for words in RULES_SAID]
    assert rules("kern.log", lines) == set()


@pytest.mark.parametrize("log", ["xend-debug.log", "messages", "kern.log"])
def test_a_line_whose_head_is_cut_off_is_not_taken_for_the_hosts(rules: Rules, log: str) -> None:
    head = {"messages": SYSLOG + "sshd[4]: ", "kern.log": "[   12.345678] usb 1-1: Product: "}
    begin = head.get(log, "WARNING:root:Unknown directive ")
    assert rules(log, [begin + "x " * (LONGEST_RECORD // 2 + 100) + " ".join(RULES_SAID)]) == set()


def test_a_record_whose_head_was_in_a_chunk_before_is_not_taken_for_the_hosts(rules: Rules) -> None:
    directive = "WARNING:root:Unknown directive " + "x " * (LONGEST_RECORD // 2 + 100)
    assert rules("xend-debug.log", [directive], [f"  {words}" for words in RULES_SAID]) == set()
    assert rules("xend-debug.log", [f"  {words}" for words in RULES_SAID]) != set()


@pytest.mark.parametrize(("log", "line", "rule"), REAL)
def test_what_the_host_says_is_heard(rules: Rules, log: str, line: str, rule: str) -> None:
    assert rule in rules(log, [line])
