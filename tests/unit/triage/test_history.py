"""What is asked about stands first: earlier attempts and what the host suffered long before come after it."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.triage.diagnose import diagnose
from xenwatch.triage.report import Report

Read = Callable[..., Report]
NFS = "2026-11-23T{}.000000+00:00 xen1 kernel: nfs: server 10.0.0.9 not responding, still trying\n"
NO_IMAGE = (
    "2026-11-23T{0}.000000+00:00 xen1 xl[20]: Parsing config from /etc/xen/{1}.cfg\n"
    "2026-11-23T{0}.500000+00:00 xen1 xl[20]: libxl: error: libxl_device.c:455:libxl__device_disk_set_backend: "
    "Disk vdev=xvda failed to stat: /srv/{1}.img: No such file or directory\n"
)
CRASHED = (
    "Waiting for domain {0} (domid 3) to die [pid 1634]\nDomain 3 has shut down, reason code 3 0x3\n"
    "Action for shutdown reason code 3 is destroy\n"
)


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


@pytest.fixture
def read(tmp_path: Path, rules: Sequence[Rule]) -> Read:
    def read(changed: str = "12:00:00", **logs: str) -> Report:
        at = datetime.fromisoformat(f"2026-11-23T{changed}").replace(tzinfo=UTC).timestamp()
        for name, text in logs.items():
            path = tmp_path / name.replace("_", ".").replace("..", "-")
            path.write_text(text)
            os.utime(path, (at, at))
        return diagnose([str(tmp_path)], rules, cache=cache_folder())

    return read


def causes(report: Report) -> list[tuple[str, str]]:
    return [(i.diagnosis.class_, i.diagnosis.subject.name) for i in report.causes if i.diagnosis.severity != "info"]


def test_what_the_host_suffered_hours_before_stands_behind_what_failed_now(read: Read) -> None:
    report = read(syslog=NFS.format("07:00:00") + NO_IMAGE.format("12:00:00", "web"))
    assert causes(report) == [("disk-image-missing", "web"), ("nfs-unavailable", "10.0.0.9")]


def test_what_the_host_suffered_just_before_may_be_why_and_stays_first(read: Read) -> None:
    report = read(syslog=NFS.format("11:58:00") + NO_IMAGE.format("12:00:00", "web"))
    assert causes(report) == [("nfs-unavailable", "10.0.0.9"), ("disk-image-missing", "web")]


def test_what_comes_again_and_again_makes_no_history_of_a_failure_before_it(read: Read) -> None:
    hourly = "".join(NFS.format(f"{hour:02}:30:00") for hour in range(6, 13))
    report = read(syslog=NO_IMAGE.format("12:00:00", "web") + hourly)
    assert ("disk-image-missing", "web") in causes(report)


def test_the_same_failure_as_long_ago_is_what_is_wrong_now(read: Read) -> None:
    story = [("06:00:00", "web"), ("08:00:00", "mail"), ("12:00:00", "web")]
    report = read(syslog="".join(NO_IMAGE.format(at, guest) for at, guest in story))
    assert causes(report) == [("disk-image-missing", "web")]
    assert [i.diagnosis.subject.name for i in report.history] == ["mail"]


@pytest.mark.parametrize(("name", "changed"), [("xl__mail_log_1", "12:00:00"), ("xl__mail_log", "09:00:00")])
def test_a_log_without_times_is_history_where_it_was_turned_or_not_written_to_since(
    read: Read, name: str, changed: str
) -> None:
    read(changed, **{name: CRASHED.format("mail")})
    assert causes(read(syslog=NO_IMAGE.format("12:00:00", "web"))) == [("disk-image-missing", "web")]


def test_a_log_without_times_that_was_written_to_since_may_tell_what_is_wrong_now(read: Read) -> None:
    report = read(xl__mail_log=CRASHED.format("mail"), syslog=NO_IMAGE.format("11:00:00", "web"))
    assert set(causes(report)) == {("disk-image-missing", "web"), ("domain-crashed", "mail")}


def test_on_a_screen_only_what_explains_the_failure_pushes_the_past_of_the_host_behind(read: Read) -> None:
    shown = "# xl create web.cfg\nlibxl: error: libxl_device.c:1080:cb: script: Could not find bridge device xenbr9\n"
    report = read(stderr_log=shown, syslog=NFS.format("07:00:00"))
    assert causes(report) == [("vif-bridge-missing", "web"), ("nfs-unavailable", "10.0.0.9")]
