"""Logs at rest become a report: root causes, whose they are, and when it was, over several logs at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from xenwatch.base.errors import InputError
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.model.incident import Incident
from xenwatch.triage.diagnose import diagnose
from xenwatch.triage.report import Report

CREATE = (
    "[2011-05-18 20:55:0{second} 3456] DEBUG (XendDomainInfo:84) XendDomainInfo.create(['vm', ['name', '{name}']])\n"
)
FAILED = (
    "[2011-05-18 20:55:04 3456] ERROR (XendDomainInfo:2050) "
    "Device 0 (vif) could not be connected. Hotplug scripts not working.\n"
)
SCRIPT = "May 18 20:55:03 dom0 logger: /etc/xen/scripts/vif-bridge: Could not find bridge device xenbr1\n"
XL_SCRIPT = (
    "libxl: error: libxl_device.c:1319:device_hotplug_child_death_cb: script: Could not find bridge device xenbr1\n"
)
XL_END = "libxl: error: libxl_create.c:1921:domcreate_attach_devices: Domain 7:unable to add vif devices\n"


@pytest.fixture(scope="session")
def rules(tmp_path_factory):
    return rules_with((), tmp_path_factory.mktemp("cache"))


@pytest.fixture
def read(tmp_path, rules):
    def read(**logs: str) -> Report:
        for name, text in logs.items():
            (tmp_path / name.replace("_", ".")).write_text(text)
        return diagnose([str(tmp_path)], rules, cache=cache_folder())

    return read


def said(report: Report) -> list[tuple[str, str]]:
    return [(i.diagnosis.rule, str(i.diagnosis.subject)) for i in report.causes]


def only(report: Report) -> Incident:
    (cause,) = report.causes
    return cause


def test_a_script_that_named_no_guest_is_about_the_one_being_started(read) -> None:
    report = read(xend_log=CREATE.format(second=1, name="mail") + FAILED, messages=SCRIPT)
    assert said(report) == [("vif-bridge-missing", "domain/mail")]
    assert only(report).diagnosis.fields["bridge"] == "xenbr1"


def test_while_two_guests_are_being_started_nobody_is_accused(read) -> None:
    both = CREATE.format(second=1, name="mail") + CREATE.format(second=2, name="web")
    assert said(read(xend_log=both, messages=SCRIPT)) == [("vif-bridge-missing", "host/dom0")]


def test_a_start_long_ago_is_not_what_a_nameless_line_is_about(read) -> None:
    long_ago = CREATE.format(second=1, name="mail") + CREATE.format(second=1, name="web")
    late = SCRIPT.replace("20:55", "21:40")
    assert said(read(xend_log=long_ago, messages=late)) == [("vif-bridge-missing", "host/dom0")]


def test_one_missing_bridge_told_by_syslog_and_by_the_guests_own_log_is_one_incident(read) -> None:
    other_guest = (
        "[2011-05-18 20:00:00 3456] WARNING (XendDomainInfo:874) Domain has shutdown: name=db id=3 reason=poweroff.\n"
    )
    report = read(**{"xl-web_log": XL_SCRIPT + XL_END, "messages": SCRIPT, "xend_log": other_guest})
    assert said(report) == [("vif-bridge-missing", "domain/web")]


def test_the_year_that_syslog_leaves_out_is_that_of_the_logs_beside_it(read, tmp_path) -> None:
    report = read(xend_log=CREATE.format(second=1, name="mail") + FAILED, messages=SCRIPT)
    assert {file.path.rsplit("/", 1)[1]: file.first for file in report.files} == {
        "xend.log": 1305752101.0,  # 2011-05-18 20:55:01
        "messages": 1305752103.0,
    }


def test_without_a_neighbour_the_year_is_the_last_one_in_which_that_day_had_come(tmp_path, rules) -> None:
    log = tmp_path / "messages"
    log.write_text(SCRIPT)
    os.utime(log, (1327000000, 1327000000))  # January 2012
    assert diagnose([str(log)], rules).files[0].first == 1305752103.0


def test_healthy_logs_are_silent(read) -> None:
    assert not read(xend_log=CREATE.format(second=1, name="mail")).incidents


def test_errors_that_no_rule_knows_are_listed_once_with_their_number(read) -> None:
    line = "[2011-05-18 20:55:04 3456] ERROR (Frobnicator:12) the frobnicator lost its way at {}\n"
    report = read(xend_log="".join(line.format(n) for n in range(3)))
    (unknown,) = report.unmatched
    assert (unknown.line, unknown.count) == (1, 3)


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02\xff" * 5000])
def test_where_nothing_can_be_read_the_error_says_why(tmp_path: Path, rules, content: bytes) -> None:
    (tmp_path / "xend.log").write_bytes(content)
    with pytest.raises(InputError, match=r"nothing could be read from .*xend\.log: "):
        diagnose([str(tmp_path)], rules)


def test_a_line_that_names_the_guest_by_number_joins_the_one_that_names_it_by_name(read) -> None:
    by_number = SCRIPT.replace("Could", "Writing backend/vif/7/0/hotplug-error Could")
    other_guest = (
        "[2011-05-18 20:00:00 3456] WARNING (XendDomainInfo:874) Domain has shutdown: name=db id=3 reason=poweroff.\n"
    )
    report = read(**{"messages": by_number, "xl-web_log": XL_SCRIPT + XL_END, "xend_log": other_guest})
    assert said(report) == [("vif-bridge-missing", "domain/web")]


PARSING = "Parsing config from /etc/xen/vps0.cfg\n"


def test_the_new_domid_of_a_start_is_the_guest_whose_configuration_was_read(read) -> None:
    assert said(read(stderr_log=PARSING + XL_SCRIPT + XL_END)) == [("vif-bridge-missing", "domain/vps0")]


def test_a_domid_that_was_given_out_before_is_not_the_guest_that_is_being_started(read) -> None:
    older = "[2011-05-18 20:55:00 3456] WARNING (XendDomainInfo:874) Domain has crashed: name=db id=9.\n"
    start = CREATE.format(second=1, name="mail")
    crash = "May 18 20:55:03 dom0 kernel: vif vif-7-0 vif7.0: fatal error; disabling device\n"
    subjects = {subject for _, subject in said(read(xend_log=older + start, messages=crash))}
    assert "domain/mail" not in subjects


UNREADABLE = "[2022-05-20 09:05:30] [    2.875342] /dev/xvdd: Can't open blockdev\n"
MOUNTED = "[2022-05-20 09:05:31] [    3.498576] EXT4-fs (xvdd): mounted filesystem with ordered data mode.\n"


def test_what_did_not_follow_before_a_log_ends_is_missed_where_it_was_due_within_a_moment(read) -> None:
    assert [rule for rule, _ in said(read(console_log=UNREADABLE * 3))] == ["guest-sector-size"]


def test_what_did_follow_is_not(read) -> None:
    assert said(read(console_log=UNREADABLE * 3 + MOUNTED)) == []


def test_logs_are_diagnosed_without_libvirt_and_without_what_asks_a_running_host():
    program = "import sys, xenwatch.triage.diagnose; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert {"libvirt", "asyncio", "xenwatch.host.host"}.isdisjoint(loaded)


NGINX = (
    "2024/01/02 10:00:00 [error] 12#12: *1 connect() failed (111: Connection refused) while connecting to upstream\n"
)


def test_the_errors_of_a_web_server_alone_are_no_report_about_xen(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    log.write_text(NGINX)
    with pytest.raises(InputError, match=r"none of what was read is from Xen: .*error.log \(web-server\)"):
        diagnose([str(log)], rules_with((), None))


def test_the_errors_of_a_web_server_beside_logs_of_xen_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "error.log").write_text(NGINX)
    (tmp_path / "xl-web.log").write_text("libxl: error: something that nobody knows failed\n")
    report = diagnose([str(tmp_path)], rules_with((), None))
    assert not any("upstream" in error.text for error in report.unmatched)
