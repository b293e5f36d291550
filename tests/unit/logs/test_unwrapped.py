"""Texts in which a mail program broke the long lines, and texts that only have short ones."""

import textwrap

import pytest

from xenwatch.logs.unwrapped import unwrapped

XEND = """\
[2011-05-18 20:55:04 3456] DEBUG (DevController:160) Waiting for devices vif and for those of the other kinds as well.
[2011-05-18 20:55:05 3456] ERROR (XendDomainInfo:195) Domain construction failed because there is no memory for it left
[2011-05-18 20:55:06 3456] WARNING (XendDomainInfo:1258) Domain has crashed: name=web id=5.

[2011-05-18 20:55:07 3456] INFO (SrvDaemon:283) Xend Daemon started with this line that is a long one as well, and ends
"""
LIBXL = """\
libxl: error: libxl_dm.c:3157:device_model_spawn_outcome: Domain 89:domain 89 device model: spawn failed (rc=-3)
libxl: error: libxl_dm.c:3377:device_model_postconfig_done: Domain 89:Post DM startup configs failed, rc=-3
libxl: error: libxl_create.c:1839:domcreate_devmodel_started: Domain 89:device model did not start: -3
"""


def wrapped(text: str, width: int) -> bytes:
    lines = (
        textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""] for line in text.split("\n")
    )
    return "\n".join(line for broken in lines for line in broken).encode()


@pytest.mark.parametrize("width", [66, 72, 76, 80])
@pytest.mark.parametrize("text", [XEND, LIBXL], ids=["xend", "libxl"])
def test_long_lines_are_put_together_again(text: str, width: int) -> None:
    assert wrapped(text, width) != text.encode()
    joined = unwrapped(wrapped(text, width))
    assert [line for line in joined.decode().split("\n") if line] == [line for line in text.split("\n") if line]


def test_a_line_behind_an_empty_one_stays_at_its_number() -> None:
    text = wrapped(XEND, 72)
    number = text.split(b"\n").index(b"[2011-05-18 20:55:07 3456] INFO (SrvDaemon:283) Xend Daemon started with")
    assert unwrapped(text).split(b"\n")[number].endswith(b"a long one as well, and ends")


def test_one_message_alone_is_put_together_where_its_end_begins_in_the_middle() -> None:
    text = b"Error: Device 0 (vif) could not be connected. Hotplug scripts not\nworking.\n"
    assert unwrapped(text).startswith(b"Error: Device 0 (vif) could not be connected. Hotplug scripts not working.\n")


UNTOUCHED = {
    "long lines": XEND,
    "a table": "Name                                        ID   Mem VCPUs      State   Time(s)\n"
    "Domain-0                                     0  1953     4     r-----    4395.0\n"
    "a-guest-with-a-long-name-of-its-own          3   400     1     -b----      10.1\n",
    "a dump": "(XEN) Pagetable walk from ffff8300d0000000 of the domain that crashed:\n"
    "(XEN)  L4[0x106] = 0000000235747027 0000000000001747 and so on it goes\n"
    "(XEN)  L3[0x003] = 00000002358fd027 00000000000018fd and so on it goes\n",
    "a traceback": "Traceback (most recent call last):\n"
    '  File "/usr/lib/python/xen/xend/XendDomainInfo.py", line 188, in create\n    vm.initDomain()\n'
    "VmError: (12, 'Cannot allocate memory')\n",
    "commands": "root@host:~# xl create /etc/xen/a-guest-with-a-rather-long-name.cfg\nParsing config from it\n"
    "root@host:~# xl list a-guest-with-a-rather-long-name-of-its-own-to-see\nError\n",
}


@pytest.mark.parametrize("text", UNTOUCHED.values(), ids=UNTOUCHED)
def test_what_nobody_wrapped_is_the_very_same(text: str) -> None:
    data = text.encode()
    assert unwrapped(data) is data
