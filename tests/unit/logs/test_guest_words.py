"""Words that the host repeats and did not choose: they are hidden, and nothing else is."""

import pytest

from xenwatch.logs.format import all_formats

HIDDEN = [
    ("syslog", "dhcpd[99]: DHCPREQUEST for 10.0.0.7 (md0: Disk failure on sda) via xenbr0", "dhcpd[99]: …"),
    ("syslog", "dnsmasq-dhcp[9]: DHCPACK(virbr0) 10.0.0.7 web", "dnsmasq-dhcp[9]: …"),
    ("syslog", "sshd[7]: Invalid user kernel: Out of memory from 10.0.0.7", "sshd[7]: …"),
    ("syslog", "postfix/smtpd[7]: NOQUEUE: reject: helo=<xend died>", "postfix/smtpd[7]: …"),
    ("syslog", "vbd vbd-7-51712: 2 unknown fe protocol BUG: x", "vbd vbd-7-51712: 2 unknown fe protocol …"),
    ("kernel", "vbd vbd-7-51712: 2 unknown fe protocol a\nb", "vbd vbd-7-51712: 2 unknown fe protocol …"),
    ("xend-debug", "WARNING:root:Unknown directive x\nError: y", "WARNING:root:Unknown directive …\nError: y"),
    ("xenstored", "IN 0xabc 20261122 20:43:31 WRITE (data/x corrupt )", "IN 0xabc 20261122 20:43:31 WRITE (…"),
]
SHOWN = [
    ("syslog", "kernel: md/raid1:md0: Disk failure on sda, disabling device."),
    ("syslog", "xenstored: A53667 error ENOENT"),
    ("syslog", "logger: /etc/xen/scripts/vif-bridge: Could not find bridge device xenbr1"),
    ("syslog", "systemd[1]: sshd.service: Failed with result 'exit-code'."),
    ("syslog", "chronyd[7]: System clock wrong by 12.110121 seconds"),
    ("kernel", "vbd vbd-7-51712: 16 creating vbd structure"),
    ("xenstored", "A81 write /local/domain/4/device"),
    ("libxl", "libxl: error: dhcpd[99]: nobody says so here"),
]


@pytest.mark.parametrize(("format_", "message", "seen"), HIDDEN)
def test_what_a_stranger_chose_no_signature_sees(format_: str, message: str, seen: str) -> None:
    assert all_formats()[format_].hidden(message) == seen


@pytest.mark.parametrize(("format_", "message"), SHOWN)
def test_what_the_host_says_is_seen_whole(format_: str, message: str) -> None:
    assert all_formats()[format_].hidden(message) == message
