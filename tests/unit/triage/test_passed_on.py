"""The answer does not depend on how people pass a log on: indented, quoted, numbered, wrapped, several in one paste."""

import io
import os
import re
import shutil
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.triage.bundle.reader import STDIN
from xenwatch.triage.diagnose import diagnose
from xenwatch.triage.report import Report

ROOT = Path(__file__).parents[3]
NOW = 1_790_000_000.0
_VERDICTS = re.compile(r"^#!? ?\{.*\n", re.MULTILINE)
"""What tests/logs says above each record of its samples."""

Retype = Callable[[list[str]], list[str]]


def wrap(width: int) -> Retype:
    def wrapped(lines: list[str]) -> list[str]:
        broken = [textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) for line in lines]
        return [line for whole in broken for line in whole or [""]]

    return wrapped


WAYS: dict[str, Retype] = {
    "indented": lambda lines: [f"    {line}" for line in lines],
    "quoted": lambda lines: [f"> {line}" for line in lines],
    "quoted twice": lambda lines: [f"> > {line}" for line in lines],
    "CRLF": lambda lines: [f"{line}\r" for line in lines],
    "numbered": lambda lines: [f"{number}: {line}" for number, line in enumerate(lines, 1)],
    "cat -n": lambda lines: [f"{number:6}\t{line}" for number, line in enumerate(lines, 1)],
    "grep -n": lambda lines: [f"/tmp/sent/it.log:{number}:{line}" for number, line in enumerate(lines, 1)],
    "72 columns": wrap(72),
    "76 columns, quoted": lambda lines: [f"> {line}" for line in wrap(76)(lines)],
}
AMBIGUOUS = {"qemu-dm": {"72 columns", "76 columns, quoted"}, "console": {"72 columns"}}
"""The only broken line goes on with `model: spawn failed`, as a program's own message would begin."""


def samples() -> list[Path]:
    folders = [*ROOT.glob("tests/recordings/*/log"), *ROOT.glob("tests/logs/*")]
    return sorted(folder for folder in folders if folder.is_dir())


def called(folder: Path) -> str:
    return folder.parent.name if folder.name == "log" else folder.name


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


@pytest.fixture(params=samples(), ids=called)
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(request.param, tmp_path / "logs"))
    for path in files(copy):
        write(path, _VERDICTS.sub("", path.read_bytes().decode("latin-1")))
    return copy


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("latin-1"))
    os.utime(path, (NOW, NOW))


def retype(folder: Path, way: Retype) -> None:
    for path in files(folder):
        text = path.read_bytes().decode("latin-1")
        write(path, "".join(f"{line}\n" for line in way(text.removesuffix("\n").split("\n"))))


def answer(report: Report) -> tuple[str, str] | None:
    first = report.incidents[0].diagnosis if report.incidents else None
    return None if first is None else (first.class_, first.subject.name)


def test_the_first_cause_and_its_guest_are_the_same(
    logs: Path, rules: Sequence[Rule], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    def read(folder: Path) -> tuple[str, str] | None:
        return answer(diagnose([str(folder)], rules, cache=cache_folder(), any_program=True))

    plain = read(logs)
    answers = {}
    for name, retyped in WAYS.items():
        copy = Path(shutil.copytree(logs, tmp_path / name / "logs"))
        retype(copy, retyped)
        answers[name] = read(copy)
    for way in AMBIGUOUS.get(request.node.callspec.id, ()):
        answers[way] = plain
    assert answers == dict.fromkeys(WAYS, plain)


PASTE = b"""\
Hello, this is what I see:

root@xen1:~# xl create /etc/xen/web.cfg
Parsing config from /etc/xen/web.cfg
libxl: error: libxl_device.c:1121:device_backend_callback: unable to add device with path backend/vif/7/0
root@xen1:~# tail -n 2 /var/log/xen/xen-hotplug.log
RTNETLINK answers: Operation not supported
can't add xenbr1 to bridge
root@xen1:~# cat /var/log/syslog | grep xen
Nov 29 22:10:01 xen1 root: /etc/xen/scripts/vif-bridge: Could not find bridge device xenbr1
root@xen1:~#
"""


def test_a_paste_of_several_logs_is_taken_apart(rules: Sequence[Rule]) -> None:
    report = diagnose([STDIN], rules, cache=cache_folder(), stdin=io.BytesIO(PASTE))
    assert [(file.path, file.format) for file in report.files[:2]] == [
        ("-/var/log/xen/xen-hotplug.log", "hotplug"),
        ("-/var/log/syslog", "syslog"),
    ]
    assert answer(report) == ("vif-bridge-missing", "web")  # the one guest that was being created


def test_what_tail_puts_above_each_file_counts_as_well(rules: Sequence[Rule]) -> None:
    text = b"==> /var/log/xen/xend.log <==\n[2011-05-18 20:55:07 xend] INFO (SrvDaemon:283) Xend Daemon started\n"
    text += b"\n==> /var/log/messages <==\nMay 18 20:55:07 xen1 kernel: hello\n"
    report = diagnose([STDIN], rules, cache=cache_folder(), stdin=io.BytesIO(text))
    assert [file.format for file in report.files][:2] == ["xend", "syslog"]


def test_the_output_of_a_command_is_known_and_stays_what_the_terminal_showed(rules: Sequence[Rule]) -> None:
    text = b"root@xen1:~# ip link\n1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN\n"
    report = diagnose([STDIN], rules, cache=cache_folder(), stdin=io.BytesIO(text))
    assert [file.path for file in report.files] == ["-/ip_link", "-"]


def test_a_guest_that_prints_a_prompt_is_not_taken_apart(rules: Sequence[Rule], tmp_path: Path) -> None:
    console = tmp_path / "guest-web.log"
    console.write_bytes(
        b"root@dom0:~# cat /var/log/xen/xend.log\n[2011-05-18 20:55:07 xend] ERROR (SrvDaemon:283) no\n"
    )
    report = diagnose([str(console)], rules, cache=cache_folder())
    assert [file.format for file in report.files] == ["console"]


def test_a_command_that_failed_printed_no_log(rules: Sequence[Rule]) -> None:
    text = b"root@xen1:~# xl dmesg\nlibxl: error: libxl.c:108:libxl_ctx_alloc: cannot open libxc handle: No such file\n"
    report = diagnose([STDIN], rules, cache=cache_folder(), stdin=io.BytesIO(text))
    assert [file.path for file in report.files] == ["-"]
