"""Whether a host was updated lately, by the logs of dpkg, dnf and yum."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from xenwatch.agent.updates import EARLIER, LATELY, updated
from xenwatch.host.paths import Paths

NOW = time.time()
DPKG = "{0:%Y-%m-%d %H:%M:%S} upgrade xen-utils-4.17:amd64 4.17.3+10-g091466ba55-1~deb12u1 4.17.5+23-ga4e5191dc0-1\n"
DNF = "{0:%Y-%m-%dT%H:%M:%S}+0000 SUBDEBUG Upgraded: qemu-kvm-core-17:8.2.0-11.el9.x86_64\n"
YUM = "{0:%b %d %H:%M:%S} Updated: xen-hypervisor-4.13.5-9.44.1.xcpng8.2.x86_64\n"
OTHER = "{0:%Y-%m-%d %H:%M:%S} upgrade tzdata:all 2024a-0+deb12u1 2025b-0+deb12u1\n"
NOISE = "{0:%Y-%m-%d %H:%M:%S} status installed xen-utils-4.17:amd64 4.17.5+23-ga4e5191dc0-1\n"


@pytest.mark.parametrize(
    ("name", "line", "days", "said"),
    [
        ("dpkg.log", DPKG, 2, LATELY),
        ("dpkg.log.1", DPKG, 6, LATELY),
        ("dnf.rpm.log", DNF, 1, LATELY),
        ("yum.log", YUM, 3, LATELY),
        ("dpkg.log", DPKG, 9, EARLIER),
        ("yum.log", YUM, 300, EARLIER),
        ("dpkg.log", OTHER, 1, EARLIER),
        ("dpkg.log", NOISE, 1, EARLIER),
        ("dpkg.log", "\x00 garbage\n", 1, EARLIER),
        ("syslog", DPKG, 1, ""),
    ],
)
def test_what_guests_run_on_was_updated_in_the_last_days_or_earlier(
    tmp_path: Path, name: str, line: str, days: int, said: str
):
    log = tmp_path / "var/log" / name
    log.parent.mkdir(parents=True)
    when = datetime.fromtimestamp(NOW) - timedelta(days=days)  # noqa: DTZ006  package managers write local time
    log.write_text(line.format(when))
    assert updated(Paths(tmp_path), NOW) == said


def test_a_log_that_nobody_wrote_to_lately_is_not_read(tmp_path: Path):
    log = tmp_path / "var/log/dpkg.log"
    log.parent.mkdir(parents=True)
    log.write_text(DPKG.format(datetime.fromtimestamp(NOW)))  # noqa: DTZ006  as above
    os.utime(log, (NOW - 30 * 86400, NOW - 30 * 86400))
    assert updated(Paths(tmp_path), NOW) == EARLIER
