"""Which dialects a signature is looked for in: the ones it names, and those in which its text also turns up."""

from xenwatch.diagnosis.rules.rule import Signature
from xenwatch.model.record import LogFormat

GUEST_STREAM = "console"
"""The stream a signature names to see what guests write, also where a host's log quotes them."""

MIXED = frozenset({"stderr", "syslog", "xl", "virt-install", "virt-manager", "qubes"})
"""Captured terminals and logs that many programs write to: any host-written message may stand there."""

KIN: dict[str, frozenset[str]] = {
    "xl": frozenset({"libxl", "libvirt", "domain-builder", "xapi"}),
    "libxl": frozenset({"libvirt", "domain-builder", "xapi"}),
    "stderr": frozenset({"libxl", "libvirt", "xend", "xend-debug", "xapi", "lvm"}),
    "syslog": frozenset({"kernel", "hotplug", "libvirt", "xenstored", "xapi", "sm", "lvm"}),
    "xend": frozenset({"xend-debug"}),
    "xend-debug": frozenset({"xend"}),
    "domain-builder": frozenset({"xend", "xend-debug", "libxl"}),
    "bootloader": frozenset({"xend", "xend-debug", "libxl"}),
    "lvm": frozenset({"sm", "xapi"}),
    "sm": frozenset({"xapi"}),
    "xapi": frozenset({"sm"}),
    "hotplug": frozenset({"xend-debug"}),
}
"""A stream's text is also written to these logs: libxl's by libvirt, a hotplug script's by syslog."""


def seen_in(signature: Signature, format_: LogFormat) -> bool:
    """Whether the signature is looked for in the dialect's lines (in a guest's log: about that guest alone)."""
    if format_.guest_written:
        return format_.name in signature.streams or GUEST_STREAM in signature.streams
    if not signature.streams or format_.name in signature.streams:
        return True
    if set(signature.streams) == {GUEST_STREAM}:
        return False
    return format_.name in MIXED or any(format_.name in KIN.get(stream, ()) for stream in signature.streams)


def seen_in_guest_lines(signature: Signature) -> bool:
    """Whether the signature is looked for in lines of a host's log that quote a guest."""
    return GUEST_STREAM in signature.streams
