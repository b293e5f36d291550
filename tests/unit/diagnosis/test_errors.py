"""What counts as an error in any log, and what only uses its words; each line is one that a real program writes."""

import pytest

from xenwatch.diagnosis.matching.errors import UnreadErrors, is_error
from xenwatch.model.record import LogFormat, LogRecord, Position, Source


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("tapdisk[812]: failed to open /dev/vg/web: No space left on device", None),
        ("Traceback (most recent call last):\n  File 'a.py', line 1\nKeyError: 'x'", None),
        ("qubesd[1206]: vm.work: Cannot connect to qrexec agent", None),
        ("oxenstored: permission denied on /local/domain/5/name", "warning"),
        ("ERROR Internal error: Error when reading page", "info"),
        ("libxl_foo.c:12:libxl__foo: something odd", "error"),
        ("helper exited with status 3", None),
        ("watch returned -22", None),
        ("watchdog: BUG: soft lockup - CPU#5 stuck for 22s! [kworker/5:3:39461]", None),
        ("WARNING: CPU: 0 PID: 4163 at drivers/net/foo.c:399 foo_poll+0xfe/0x110", None),
        ("end_request: I/O error, dev sde, sector 52428288", None),
        ("Xorg invoked oom-killer: gfp_mask=0x240c0d0, order=3, oom_score_adj=0", None),
        ("(XEN) d0v0 Unhandled page fault fault/trap [#14, ec=0000]", None),
        ("SM: [8790] ***** generic exception: vdi_introduce: EXCEPTION <type 'exceptions.TypeError'>", None),
        ("rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", None),
        ("connect: No route to host", None),
        ("Segmentation fault (core dumped)", None),
    ],
)
def test_an_error_is_known_by_its_level_its_words_or_its_number(text: str, level: str | None) -> None:
    assert is_error(text, level)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("smartd[9]: 0 errors since the last check", None),
        ("connection timeout=30 retries=3", None),
        ("on_crash=restart on_reboot=restart", None),
        ("backup done, failed: 0, skipped: 4", None),
        ("watchdog armed without error", None),
        ("probe failed: 5 of 9", "debug"),
        ("device failed over to the second path", "info"),
        ("vif5.0: link becomes ready", None),
        ("libxl: debug: libxl_qmp.c:1883:libxl__ev_qmp_send: Domain 4:  next qmp command", "debug"),
        ("sysctl: kernel.hung_task_timeout_secs = 120", None),
        ("(XEN) Xen crashkernel area reserved", None),
        ("systemd[1]: Stopped target Local File Systems.", None),
        ("vif5.0: Lost carrier", None),
    ],
)
def test_the_same_words_where_nothing_went_wrong_are_no_error(text: str, level: str | None) -> None:
    assert not is_error(text, level)


def record(text: str, offset: int, *, guest: bool = False) -> LogRecord:
    source = Source("syslog", LogFormat("syslog", "syslog"))
    return LogRecord(source, text, 1.0, logged=True, position=Position("1", offset), guest=guest)


def test_errors_that_differ_only_in_their_numbers_are_counted_as_one_kind_and_guests_lines_come_last() -> None:
    unread = UnreadErrors()
    for number in range(3000):
        unread.note(record(f"eth0: reset {number} failed", number, guest=True))
    unread.note(record("disk refused", 9000))
    assert [(kind.text, count) for kind, count in unread.kinds()] == [
        ("disk refused", 1),
        ("eth0: reset 0 failed", 3000),
    ]
    assert unread.total == 3001
