"""Which kernel writes into a log: dom0's, a guest's, a driver domain's, or nobody can tell; and what says so.

Decided once for a file and for each host name in it, before any rule reads a line. A line counts only where the kernel
or a daemon begins it, so that no guest can plant one in the middle of what its host writes.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from xenwatch.base import lazy_re as re
from xenwatch.model.record import Source

KernelRole = Literal["dom0", "guest", "driver", "unknown"]
GUEST_ROLES: tuple[KernelRole, ...] = ("guest", "driver")
"""Kernels with troubles that are not the host's."""


class Roles(NamedTuple):
    """The kernels of one log as far as they are known."""

    by_host: frozenset[tuple[bytes, str]]
    hosts: frozenset[bytes]
    """Those of which something is known; the empty name: of lines that name none."""
    all_known: bool
    """Of none of these nobody can tell."""


NO_ROLES = Roles(frozenset(), frozenset(), all_known=True)

HEAD = 64 * 1024
"""Bytes from the start of a log that are examined, and of each later piece as long as nobody can tell."""
MOST_LOGS = 4096
LONGEST_EVIDENCE = 200

# A PV guest has no DMI, so its kernel names no machine; outside a PV kernel the selector is the processor's.
_NAMELESS_MACHINE = (
    rb"CPU: \d+ (?:UID: \d+ )?PID: \d+ Comm: \S+ (?:Not t|T)ainted:? [A-Z ]*[3-7]\.\S+ #[^\n]*\n"
    rb"(?:[^\n]*(?:task|Workqueue): [^\n]*\n){0,2}[^\n]*RIP: (?:e03[03]|0010):"
)
# The same before Linux 3.9, where the machine stood behind the version: `#1 Dell Inc. PowerEdge R710/0YDJK3`.
_NAMELESS_OLD_MACHINE = (
    rb"Pid: \d+, comm: [^\n]{1,40}?(?:Not t|T)ainted:? [A-Z ]*(?:2\.6\.3[3-9]|3\.[0-8])[.-]\S* #\S+ */? *\n"
    rb"[^\n]*(?:RIP: e03[03]|EIP: 0061):"
)
_FRAME = rb"(?:(?:R|E)?IP: (?:\w{4}:)?|(?:\w{4}:)?\[<[0-9a-f]+>\] ?|\? )*"
"""What stands before a function in a call trace."""
_TAINTED = rb"(?:CPU|Pid): [^\n]{0,80}(?:Not tainted|Tainted: [A-Z ]+)"
_IO_ERROR = rb"(?:end_request|blk_update_request|print_req_error|(?:Buffer )?I/O error|critical \w+ error)"
_SIGNS: dict[str, tuple[bytes, ...]] = {
    # What only the kernel of domain 0 prints: it routes the machine's interrupts and power states through Xen.
    "dom0": (
        rb"Xen version: [^\n]*\(dom0\)",
        rb"(?:Kernel c|C)ommand line: placeholder\b",
        rb"xen: registering gsi \d",
        rb"xen[-_]acpi[-_]processor: |xen_mcelog: |mcelog: [^\n]*\bXen\b",
        rb"(?:xen[-_])?pciback[: ][^\n]*(?:seizing|backend is|in-use by domain)",
        rb"Linux version \S*(?:xen0|dom0)\b",
        rb"Modules linked in:[^\n]*\b(?:xen_acpi_processor|xen_pciback|xen_mcelog|blkbk|netbk|netloop)\b",
    ),
    # What only the kernel of a guest prints at boot.
    "guest": (
        rb"Hypervisor detected: Xen (?:HVM|PVH)",
        rb"Booting paravirtualized kernel (?:on Xen (?:HVM|PVH)|with PVH extensions on Xen)",
        rb"(?:DMI|Hardware name): Xen HVM domU",
        rb"Xen Platform PCI: |(?:Netfront|Blkfront) and the Xen platform PCI driver|xen-platform-pci ",
        rb"(?:xen-)?pcifront pci-\d",
        rb"XENBUS: (?:Waiting for devices|Device with no driver: device/|Timeout connecting to device: device/)",
        rb"xenbus_probe_frontend: (?:Waiting for devices|Device with no driver: device/)",
        rb"(?:Kernel c|C)ommand line: [^\n]*\broot=/dev/xvd",
        rb"PCI: (?:System does not support PCI|Fatal: No config space access function found)",
        rb"Linux version \S*(?:xenU|domU)\b",
    ),
    # A frontend at work; dom0 has one only where a disk of its own was attached to it.
    "frontend": (
        rb"(?:xen[-_])?(?:blkfront|netfront|scsifront|kbdfront|fbfront|pcifront): (?!Initialising)",
        rb"xvd[a-z]+\d*: |input: Xen Virtual |xencons: ",
        rb"(?:EXT[234]-fs|JBD2?|XFS|BTRFS|REISERFS|FAT-fs|kjournald)[^\n]{0,60}\bxvd[a-z]",
        _IO_ERROR + rb"[^\n]{0,40} dev(?:ice)? xvd[a-z]",
        rb"VFS: Cannot open root device \"?(?:/dev/)?xvd[a-z]",
        rb"Adding \d+k swap on /dev/xvd",
        rb"vbd vbd-\d+: |vif vif-\d+(?:: | \w)",
        _FRAME + rb"\w+\+0x[0-9a-f]+/0x[0-9a-f]+ \[xen_(?:netfront|blkfront|kbdfront|fbfront|pcifront|scsifront)\]",
        rb"Modules linked in:(?![^\n]*back\b)[^\n]*\bxen(?:_(?:net|blk)front|net|blk)\b",
        _FRAME + rb"(?:xennet|blkfront|xenfb|xenkbd|pcifront)_\w+\+0x",
        _FRAME + rb"xen_hvm_\w+\+0x",
        rb"(?:Linux version|" + _TAINTED + rb") [\w.+-]*(?:-virtual|-aws|-ec2|-linode\d+|xenU|domU)\b",
        _NAMELESS_MACHINE,
        _NAMELESS_OLD_MACHINE,
    ),
    # A backend or the machine's hardware at work: dom0, or a driver domain.
    "backend": (
        rb"xen[-_]?(?:blkback|netback|vbd)\b|(?:blkback|netback)[:/ ]",
        rb"(?:vif vif|vbd vbd)-\d+-\d+|(?:device )?vif\d+\.\d+[: ]",
        rb"\w+: port \d+\((?:vif|tap)\d+\.\d",
        rb"(?:root|logger|udevd?|[\w-]*hotplug)?(?:\[\d+\])?:? ?/etc/xen/scripts/",
        rb"(?:mpt\d?sas|megaraid\w*|aacraid|cciss|hpsa|nvme|ata\d+(?:\.\d\d)?|bnx2x?|tg3|igb|ixgbe|i40e|e1000e)[ :_]",
        rb" ?rport-\d|EDAC |md/raid\w*:|md: (?:super_written|kicking|pers->)|raid\d+: Disk failure",
        rb"mce: |CPU \d+: Machine Check|NMI: |\S+ [0-9a-f:.]+: AER: |\S*thermal\S*: ",
    ),
    # The machine itself, or the daemons that only domain 0 runs.
    "machine": (
        rb"xen: --> pirq=|ACPI: RSDP ",
        rb"(?:DMI|Hardware name): (?!Xen|Amazon|/)",
        rb"Pid: \d+, comm: \S+ (?:Not tainted|Tainted: [A-Z ]+) \S+ #\S+ +(?!Xen)[A-Z]",
        rb"(?:xenstored|oxenstored|xenconsoled|xend|xl|libvirtd|xapi|xenopsd[\w-]*|SM|BLKTAPCTRL)(?:\[\d+\])?: ",
    ),
}
_HEADER = (
    rb"^[ \t>]*+(?:<\d{1,3}>)?(?:\d{4}-\d\d-\d\d[T ][\d:.,]{8,15}\t)?"
    rb"(?:(?:[A-Z][a-z]{2} [ \d]\d [\d:]{8}|\d{4}-\d\d-\d\d[T ][\d:.,]{8,15}(?:Z|[+-]\d\d:?\d\d)?) "
    rb"(?P<host>[\w.:-]+) )?(?:kernel: ?)?(?:\[ {0,5}\d{1,8}\.\d{1,6}\](?:\[ *[TC]\d+\])? ?)?(?:<\d>)? {0,2}"
    rb"(?: {0,4}(?:EMERG|ALERT|CRIT|ERR|WARN|NOTICE|INFO|DEBUG): )?"  # xen-crashdump-analyser names the level
)
_LINES = re.compile(
    _HEADER + b"(?:" + b"|".join(b"(?P<%s>%s)" % (n.encode(), b"|".join(p)) for n, p in _SIGNS.items()) + b")",
    re.MULTILINE,
)
_WORDS = (
    *(b"Xen", b"xen", b"XEN", b"xvd", b"vif", b"vbd", b"tap", b"front", b"back", b"pci", b"PCI: ", b"placeholder"),
    *(b"DMI: ", b"Hardware name", b"RSDP", b"CPU", b"Pid: ", b"Linux version", b"Modules linked", b"mcelog"),
    *(b"libvirtd", b"xapi", b"xl", b"SM", b"BLKTAP", b"mpt", b"raid", b"cciss", b"hpsa", b"nvme", b"ata", b"bnx2"),
    *(b"tg3", b"igb", b"ixgbe", b"i40e", b"e1000e", b"rport-", b"EDAC", b"md: ", b"mce: ", b"NMI: ", b"AER: "),
    b"thermal",
)
"""Each sign has one of them: looking for words is ten times faster than asking every line."""


@dataclass(slots=True)
class KernelSigns:
    """The first line of each kind that was seen of one kernel."""

    lines: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, line: bytes) -> None:
        """One more line of that kind; only the first is kept."""
        self.lines.setdefault(kind, line[:LONGEST_EVIDENCE].decode("utf-8", "replace").strip())

    @property
    def role(self) -> KernelRole:
        """What the lines say together; of two kernels in one file nobody can tell."""
        seen = self.lines.keys()
        if "dom0" in seen or "guest" in seen:
            if {"dom0", "guest"} <= seen:
                return "unknown"
            return "dom0" if "dom0" in seen else "driver" if "backend" in seen else "guest"
        if "machine" in seen:
            return "dom0"
        if "frontend" in seen:
            return "unknown" if "backend" in seen else "guest"
        return "dom0" if "backend" in seen else "unknown"


def kernel_signs(data: bytes) -> dict[str, KernelSigns]:
    """What the text says about its kernels, by the host name in the lines' headers; empty name: without one."""
    signs: dict[str, KernelSigns] = {}
    for found in _sign_lines(data):
        host = (found["host"] or b"").decode("ascii", "replace")
        signs.setdefault(host, KernelSigns()).add(found.lastgroup or "", found.group())
    return signs


def role_of_text(text: str) -> KernelRole:
    """What one record says by itself, such as an oops that names its machine."""
    signs = KernelSigns()
    for found in _sign_lines(text.encode("utf-8", "replace")):
        signs.add(found.lastgroup or "", found.group())
    return signs.role


def _sign_lines(data: bytes) -> Iterator[re.Match[bytes]]:
    starts: set[int] = set()
    for word in _WORDS:
        at = data.find(word)
        while at >= 0:
            starts.add(data.rfind(b"\n", 0, at) + 1)
            end = data.find(b"\n", at)
            at = -1 if end < 0 else data.find(word, end)
    return (found for start in sorted(starts) if (found := _LINES.match(data, start)))


class KernelRoles:
    """Learns from the start of each log (`see`), and says which kernel wrote its lines."""

    def __init__(self) -> None:
        self._signs: OrderedDict[str, dict[str, KernelSigns]] = OrderedDict()
        self._seen: dict[str, int] = {}

    def see(self, source: Source, data: bytes) -> None:
        """The next piece of a log, before its lines are read."""
        if source.format.kernel_line is None:
            return
        signs = self._signs.setdefault(source.path, {})
        self._signs.move_to_end(source.path)
        seen = self._seen.get(source.path, 0)
        if seen < HEAD or all(sign.role == "unknown" for sign in signs.values()):
            self._seen[source.path] = seen + len(data)
            for host, more in kernel_signs(data[:HEAD]).items():
                for kind, line in more.lines.items():
                    signs.setdefault(host, KernelSigns()).add(kind, line.encode())
        if len(self._signs) > MOST_LOGS:
            self._seen.pop(self._signs.popitem(last=False)[0], None)

    def role(self, source: Source, host: str | None = None) -> KernelRole:
        """Which kernel writes the lines of that host in that log."""
        if source.format.guest_written:
            return "guest"
        if source.format.kernel_line is None:
            return "dom0"
        return self._of(source, host).role

    def roles(self, source: Source) -> Roles:
        """Which kernels write in that log, as far as it was read."""
        signs = self._signs.get(source.path)
        if not signs:
            return NO_ROLES
        by_host = frozenset((host.encode(), one.role) for host, one in signs.items())
        return Roles(by_host, frozenset(host for host, _ in by_host), all(role != "unknown" for _, role in by_host))

    def evidence(self, source: Source, host: str | None = None) -> tuple[str, ...]:
        """The lines that say so."""
        return tuple(self._of(source, host).lines.values())

    def known(self, source: Source) -> dict[str, tuple[KernelRole, tuple[str, ...]]]:
        """Role and evidence of the kernels in that log, by host name, as far as they are known."""
        signs = {} if source.format.guest_written else self._signs.get(source.path, {})
        return {host: (one.role, tuple(one.lines.values())) for host, one in signs.items() if one.role != "unknown"}

    def _of(self, source: Source, host: str | None) -> KernelSigns:
        signs = self._signs.get(source.path, {})
        return signs.get(host or "") or signs.get("") or KernelSigns()

    def state(self) -> dict[str, Any]:
        """JSON-able."""
        return {path: self.state_of(path)[path] for path in self._signs}

    def state_of(self, path: str) -> dict[str, Any]:
        """The same of one log; empty where no kernel writes in it."""
        signs = self._signs.get(path)
        if signs is None:
            return {}
        return {path: [self._seen.get(path, 0), {host: sign.lines for host, sign in signs.items()}]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`; raises ValueError, TypeError or AttributeError where it is not one."""
        self._signs, self._seen = OrderedDict(), {}
        self.go_on_from(state)

    def go_on_from(self, state: Mapping[str, Any]) -> None:
        """What was learnt elsewhere of these logs stands here, too; raises as `restore`."""
        for path, (seen, signs) in state.items():
            self._seen[path] = int(seen)
            self._signs[path] = {host: KernelSigns(dict(lines)) for host, lines in signs.items()}
