"""The headers that the programs of a Xen host put before a message: each stream in the forms of several versions."""

from collections.abc import Callable
from random import Random

Wrapped = tuple[str, str]
"""Dialect, and the text of the log."""


def _xend(level: str) -> Callable[[str, Random], Wrapped]:
    def wrap(message: str, random: Random) -> Wrapped:
        place = f"(XendDomainInfo:{random.randint(50, 3200)})"
        headers = (
            f"[2007-06-12 14:18:02 xend.XendDomainInfo 2854] {level} {place}",
            f"[2009-07-14 14:18:02 2854] {level} {place}",
            f"[2012-11-22 20:11:13 4096] {level} {place}",
        )
        return "xend", f"{random.choice(headers)} {message}"

    return wrap


def _traceback(message: str, random: Random) -> Wrapped:
    python = random.choice(("/usr/lib/python2.4", "/usr/lib64/python2.6", "/usr/lib/xen-4.1/lib/python"))
    _, first = _xend("ERROR")("Domain construction failed", random)
    place = f'  File "{python}/xen/xend/XendDomainInfo.py", line {random.randint(90, 2900)}, in create'
    return "xend", f"{first}\nTraceback (most recent call last):\n{place}\n    vm.start()\n{message}"


def _libxl(message: str, random: Random) -> Wrapped:
    place = f"libxl_part.c:{random.randint(50, 2500)}:libxl__step"
    domain = random.choice(("", f"Domain {random.randint(1, 99)}:"))
    forms = (f"libxl: error: {place}: ", f"2026-11-22 20:12:13.123+0000: libxl: {place}: ")
    return "libxl", f"{random.choice(forms)}{domain}{message}"


def _libxc(message: str, random: Random) -> Wrapped:
    return "libxl", f"{random.choice(('', '2026-11-22 20:12:13 UTC '))}{message}"


def _syslog(*tags: str) -> Callable[[str, Random], Wrapped]:
    def wrap(message: str, random: Random) -> Wrapped:
        stamp = random.choice(("Jul 14 14:18:02", "Nov  2 03:11:13"))
        return "syslog", f"{stamp} dom0 {random.choice(tags)}: {message}"

    return wrap


def _kernel(message: str, random: Random) -> Wrapped:
    forms = (
        ("kernel", f"[ {random.randint(100, 9999)}.123456] {message}"),
        ("kernel", message),
        ("syslog", f"Jul 14 14:18:02 dom0 kernel: {message}"),
        ("syslog", f"Nov 22 20:11:13 dom0 kernel: [  {random.randint(100, 999)}.000001] {message}"),
    )
    return random.choice(forms)


def _hypervisor(message: str, random: Random) -> Wrapped:
    forms = ("(XEN) ", "(XEN) [2026-11-22 20:12:13] ", "(XEN) [  123.456789] ")
    return "hypervisor", f"{random.choice(forms)}{message}"


def _libvirt(level: str) -> Callable[[str, Random], Wrapped]:
    def wrap(message: str, random: Random) -> Wrapped:
        place = f"{random.randint(1000, 9999)}: {level} : libxlDomainStart:{random.randint(100, 2000)}"
        return "libvirt", f"2026-11-22 20:12:13.123+0000: {place} : {message}"

    return wrap


def _bare(format_: str) -> Callable[[str, Random], Wrapped]:
    return lambda message, _random: (format_, message)


WRAPS: dict[str, Callable[[str, Random], Wrapped]] = {
    "xend": _xend("ERROR"),
    "xend-info": _xend("INFO"),
    "xend-debug-level": _xend("DEBUG"),
    "traceback": _traceback,
    "libxl": _libxl,
    "libxc": _libxc,
    "block-script": _syslog("logger: /etc/xen/scripts/block", "root: /etc/xen/scripts/block"),
    "vif-script": _syslog("logger: /etc/xen/scripts/vif-bridge", "root: /etc/xen/scripts/vif-bridge"),
    "blktap-script": _syslog("logger: /etc/xen/scripts/blktap"),
    "blktapctrl": _syslog("BLKTAPCTRL[2801]"),
    "tapdisk": _syslog("TAPDISK[3121]"),
    "tapdisk2": _syslog("tapdisk2[3121]"),
    "xenstored": _syslog("xenstored", "xenstored[901]"),
    "xenconsoled": _syslog("xenconsoled", "xenconsoled[1702]"),
    "kernel": _kernel,
    "hypervisor": _hypervisor,
    "libvirt": _libvirt("error"),
    "libvirt-info": _libvirt("info"),
    "libvirt-before-1": lambda message, _random: ("stderr", f"libvir: Xen Daemon error : {message}"),
    **{format_: _bare(format_) for format_ in
       ("xl", "stderr", "hotplug", "lvm", "qemu-dm", "bootloader", "xend-debug", "console")},
}  # fmt: skip
"""By the names that the catalogue uses for streams."""
