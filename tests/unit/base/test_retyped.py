"""Logs that somebody passed on: quoted, numbered, indented."""

import pytest

from xenwatch.base.retyped import as_written

LOG = b"""\
[2011-05-18 20:55:05 xend 2854] ERROR (XendDomainInfo:195) Domain construction failed
Traceback (most recent call last):
  File "/usr/lib/python2.4/site-packages/xen/xend/XendDomainInfo.py", line 188, in create
    vm.initDomain()
VmError: (12, 'Cannot allocate memory')

[2011-05-18 20:55:06 3456] WARNING (XendDomainInfo:1258) Domain has crashed: name=web id=5.
"""


def numbered(mark: str) -> bytes:
    lines = LOG.decode().split("\n")[:-1]
    return "".join(f"{mark.format(number)}{line}\n" for number, line in enumerate(lines, 1)).encode()


RETYPED = {
    "with CR": LOG.replace(b"\n", b"\r\n"),
    "indented": LOG.replace(b"\n", b"\n    ")[:-4].join([b"    ", b""]),
    "indented by a tab": b"\t" + LOG.replace(b"\n", b"\n\t")[:-1],
    "quoted": b"> " + LOG.replace(b"\n", b"\n> ")[:-2],
    "quoted twice": b"> > " + LOG.replace(b"\n", b"\n> > ")[:-4],
    "numbered": numbered("{}: "),
    "numbered like a list": numbered("{}. "),
    "cat -n": numbered("{:6}\t"),
    "grep -n": numbered("{}:"),
    "grep -n over files": numbered("/var/log/xen/xend.log:{}:"),
    "grep over files": numbered("/var/log/xen/xend.log:"),
    "quoted and numbered": b"> " + numbered("{}: ").replace(b"\n", b"\n> ")[:-2],
    "numbered, quoted and indented": b"    > " + numbered("{}: ").replace(b"\n", b"\n    > ")[:-6],
}


@pytest.mark.parametrize("text", RETYPED.values(), ids=RETYPED)
def test_a_log_reads_as_it_was_written(text: bytes) -> None:
    assert as_written(text) == LOG


def test_a_log_that_nobody_touched_is_the_very_same() -> None:
    assert as_written(LOG) is LOG


def test_a_block_among_prose_is_moved_to_the_margin_and_the_prose_stays() -> None:
    prose = b"Here is what it says:\n\n    (XEN) one\n      (XEN) two\n\nThanks.\n"
    assert as_written(prose) == b"Here is what it says:\n\n(XEN) one\n  (XEN) two\n\nThanks.\n"


def test_a_number_behind_the_number_is_the_logs_own() -> None:
    assert as_written(b"1: one\n2: 192:xc_domain_resume failed\n3: two\n") == b"one\n192:xc_domain_resume failed\ntwo\n"


UNTOUCHED = {
    "the rest of a record": b"ERROR: it failed\n  because of this\n  and of that\n",
    "times of day": b"10:01:02 one\n11:02:03 two\n12:03:04 three\n",
    "hours and minutes": b"10:01 one\n11:02 two\n12:03 three\n",
    "dates": b"2024-05-18T20:55:04 one\n2025-06-19T20:55:04 two\n2026-07-20T20:55:04 three\n",
    "a date alone": b"2024-05-18T20:55:04 one\n",
    "interfaces": b"1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536\n2: eth0: <UP> mtu 1500\n3: xenbr0: <UP> mtu 1500\n",
    "a short message with a number": b"1: State change failed: (-12) Device is held open by someone\n",
    "places in a configuration": b"web.cfg:7: error one\nweb.cfg:12: error two\nweb.cfg:13: error three\n",
    "places in a script": b"/etc/xen/scripts/vif-bridge: 7: Syntax error: x\n",
    "places in a program": b"tapdisk.c:12: one\ntapdisk.c:30: two\ntapdisk.c:48: three\n",
    "buses": b"00:00.0 Host bridge\n00:1f.0 ISA bridge\n03:00.0 Ethernet controller\n",
    "numbers that do not grow": b"4711: one\n4711: two\n4711: three\n",
    "a redirection": b"# cat <<EOF\n> one\n# true\n",
    "two numbered lines among others": b"one\n1: two\n2: three\nfour\n",
    "scripts": b"/etc/xen/scripts/block: line 12: losetup: not found\n" * 3,
}


@pytest.mark.parametrize("text", UNTOUCHED.values(), ids=UNTOUCHED)
def test_what_only_looks_so_stays(text: bytes) -> None:
    assert as_written(text) is text
