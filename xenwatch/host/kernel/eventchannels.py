"""Event channels of dom0: how many its kernel uses, and how many there can be."""

import re

from xenwatch.host.files import read_bytes, read_number, read_text
from xenwatch.host.paths import Paths

_XEN_IRQ = re.compile(rb"^ *\d+:[ \d]+ xen-", re.MULTILINE)
"""A row of /proc/interrupts with the chip `xen-dyn`, `xen-pirq` or `xen-percpu` (linux: drivers/xen/events): each has a
channel of its own, those that daemons opened through /dev/xen/evtchn included."""
_OFF = re.compile(r"(?:^|\s)xen\.fifo_events=(?:0|n|N|off)(?:\s|$)")
_TWO_LEVELS_64, _TWO_LEVELS_32, _FIFO = 4096, 1024, 131072
"""xen: xen/include/public/event_channel.h, EVTCHN_2L_NR_CHANNELS and EVTCHN_FIFO_NR_CHANNELS."""


def channels_used(paths: Paths) -> int | None:
    """None where the kernel does not tell."""
    table = read_bytes(paths.proc / "interrupts", 64 * 1024 * 1024)
    return None if table is None else len(_XEN_IRQ.findall(table))


def channels_limit(paths: Paths) -> int | None:
    """By the ABI that dom0's kernel chose: FIFO from Linux 3.14 on Xen 4.4, unless it was switched off."""
    kernel = _version((read_text(paths.proc / "sys/kernel/osrelease") or "").split("-")[0])
    folder = paths.sys / "hypervisor/version"
    xen = read_number(f"{folder}/major"), read_number(f"{folder}/minor")
    if kernel is None or xen[0] is None or xen[1] is None:
        return None
    if kernel >= (3, 14) and (xen[0], xen[1]) >= (4, 4) and not _OFF.search(read_text(paths.proc / "cmdline") or ""):
        return _FIFO
    start = read_text(paths.sys / "hypervisor/properties/virtual_start") or ""
    return _TWO_LEVELS_32 if 0 < len(start.removeprefix("0x")) <= 8 else _TWO_LEVELS_64  # noqa: PLR2004 - hex digits


def _version(text: str) -> tuple[int, int] | None:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None
