"""Facts that only standing checks ask for: the clock, bonds, the crash kernel, rotation of logs, SELinux's types."""

import re
from collections.abc import Iterator

from xenwatch.facts.definitions import FactRow
from xenwatch.model.subject import HOST, Subject

_TIMEDATECTL = re.compile(r"^\s*(?:System clock|NTP) synchronized:\s*(?P<word>yes|no)\s*$", re.MULTILINE)
_CHRONY = re.compile(r"^Leap status\s*:\s*(?P<word>.+?)\s*$", re.MULTILINE)
_NTPQ_PEER = re.compile(r"^(?P<tally>[ x.#+*o-])(?P<peer>\S+)\s+\S+\s+\d+\s+[lumbpBSaM-]\s", re.MULTILINE)
_RULE = "====="
"""What ntpq draws below its heading."""
_LIVEPATCH = re.compile(r"^(?P<patch>\S+)\s*\| CHECKED\b", re.MULTILINE)
"""One that is loaded; APPLIED is one in force (xen: tools/misc/xen-livepatch.c)."""
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
_BLOCK = re.compile(r"\{[^}]*\}")
_KEYED = re.compile(r"^\s*(?!/|\")\w.*$", re.MULTILINE)
"""A setting outside of a block, such as `include /etc/logrotate.d`."""
_PATTERN = re.compile(r"\"?(/[^\s\"]+)\"?")


def timedatectl(text: str) -> Iterator[FactRow]:
    """Of `timedatectl`, in its older and its newer words."""
    if found := _TIMEDATECTL.search(text):
        yield "clock.synchronised", HOST, found["word"] == "yes"


def chrony_tracking(text: str) -> Iterator[FactRow]:
    """Of `chronyc tracking`."""
    if found := _CHRONY.search(text):
        yield "clock.synchronised", HOST, found["word"] != "Not synchronised"


def ntpq_peers(text: str) -> Iterator[FactRow]:
    """Of `ntpq -p`: a star, or an o for a pulse, marks the server that the clock follows."""
    tallies = [found["tally"] for found in _NTPQ_PEER.finditer(text)]
    if tallies or _RULE in text:
        yield "clock.synchronised", HOST, any(tally in "*o" for tally in tallies)


def livepatches(text: str) -> Iterator[FactRow]:
    """Of `xen-livepatch list`; a hypervisor built without live patches says that it cannot list any."""
    yield "livepatch.waiting", HOST, tuple(found["patch"] for found in _LIVEPATCH.finditer(text))


def bonds(text: str) -> Iterator[FactRow]:
    """Of lines `bond0 eth0 up`: the interfaces of each bond, and those that have a link."""
    rows = [line.split() for line in text.splitlines() if not line.startswith("#") and len(line.split()) == 3]  # noqa: PLR2004
    for bond in dict.fromkeys(row[0] for row in rows):
        own = [(port, state) for name, port, state in rows if name == bond]
        yield "bond.ports", Subject("bond", bond), tuple(port for port, _ in own)
        yield "bond.ports_up", Subject("bond", bond), tuple(port for port, state in own if state == "up")


def crash_kernel(text: str) -> Iterator[FactRow]:
    """Of /sys/kernel/kexec_crash_loaded; a kernel without kexec has no such file, and can load none."""
    yield "kernel.crash_loaded", HOST, "kexec_crash_loaded = 1" in text


def rotation(text: str) -> Iterator[FactRow]:
    """Of logrotate's configuration: the patterns of the logs that it rotates."""
    outside = _KEYED.sub("", _BLOCK.sub("\n", _COMMENT.sub("", text)))
    yield "logrotate.patterns", HOST, tuple(dict.fromkeys(_PATTERN.findall(outside)))


def contexts(text: str) -> Iterator[FactRow]:
    """Of `mode enforcing` and lines `TYPE PATH`."""
    rows = [line.split(" ", 1) for line in text.splitlines() if not line.startswith("#") and " " in line]
    for key, value in rows:
        if key == "mode":
            yield "selinux.mode", HOST, value
        else:
            yield "selinux.type", Subject("image", value), key
