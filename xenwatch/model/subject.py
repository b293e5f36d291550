"""Who a thing is about: a domain, a bridge, a volume group, the host."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from xenwatch.base import lazy_re as re

HOST_NAME = "dom0"
FIRST_OWN_DOMID = 0x7FF0
"""Domids from here on are the hypervisor's own, such as 32753 for devices that nobody has (xen: public/xen.h)."""
UNKNOWN = "unknown"
"""Name of a domain that neither the match nor the log names; the engine may still find out."""

IN_TRANSIT = ("--incoming", "--migratedaway")
"""What libxl appends to a domain's name while it migrates: tools/xl/xl_migrate.c."""

_TEXT = re.compile(r"(?:(?P<host>[^:/]+):)?(?P<kind>[a-z][a-z0-9-]*)/(?P<name>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """A kind of thing that can fail, and what names one of them."""

    name: str
    labels: tuple[str, ...] = ()
    """Labels of a metric that name it together, the outer one first: a volume is `vg/lv`."""
    fields: tuple[str, ...] = ()
    """Fields that a log line names it by; the first that was captured counts."""
    known_by: tuple[str, ...] = ()
    """Further fields that tell it from others of its kind without being its name: the server of an NFS mount."""
    prefix: str = ""
    """What some writers put before the name: `/dev/md0` and `md0` are one array."""
    of_guest: bool = False
    """It is a guest or belongs to one; every other kind is a part of the host."""
    in_guests_too: bool = False
    """A guest may have one of that name as well: `eth0` in two logs need not be one interface."""
    repaired_as_host: bool = False
    """What repairs it acts on the host as a whole, so a policy names the host for it: `host:<name>`."""
    own_labels: bool = True
    """Its labels belong to no other kind, so they name it also where a rule does not say what it is about."""

    def named_by_labels(self, labels: Mapping[str, str]) -> str | None:
        """The name that a sample's labels give; None where one of them is missing or empty."""
        parts = [labels.get(label) for label in self.labels]
        named = [part for part in parts if part]
        return self.plain("/".join(named)) if named and len(named) == len(parts) else None

    def named_by_fields(self, fields: Mapping[str, str]) -> str | None:
        """The name that the fields of a log line give."""
        return next((self.plain(fields[name]) for name in self.fields if fields.get(name)), None)

    def plain(self, name: str) -> str:
        """The name as all who write it have it in common."""
        return name.removeprefix(self.prefix) or name


_ALL = (
    SubjectKind("host", repaired_as_host=True),
    SubjectKind("domain", ("domain",), ("domain", "domid", "uuid"), of_guest=True),
    SubjectKind("vbd", ("domain", "device"), ("vbd", "vdev", "device"), of_guest=True, own_labels=False),
    SubjectKind("vif", ("vif",), ("vif", "device"), of_guest=True, own_labels=False),
    SubjectKind("bridge", ("bridge",), ("bridge",)),
    SubjectKind("bond", ("bond",), ("bond",)),
    SubjectKind("interface", ("interface",), ("interface",), in_guests_too=True),
    SubjectKind("lv", ("vg", "lv"), ("lv",)),
    SubjectKind("pv", ("pv",), ("pv",), own_labels=False),
    SubjectKind("vg", ("vg",), ("vg",)),
    SubjectKind("thinpool", ("vg", "lv"), ("thinpool", "pool"), own_labels=False),
    SubjectKind("array", ("array",), ("array",), prefix="/dev/"),
    SubjectKind("mount", ("mountpoint",), ("mount", "mountpoint")),
    SubjectKind("daemon", ("daemon",), ("daemon",), repaired_as_host=True),
    SubjectKind("service", ("service",), ("service", "unit")),
    SubjectKind("pci", ("pci",), ("pci", "bdf")),
    SubjectKind("multipath", ("device",), ("multipath", "map"), own_labels=False),
    SubjectKind("sr", ("sr",), ("sr",)),
    SubjectKind("pool", ("pool",), ("pool",)),
    SubjectKind("device", ("device",), ("device",), own_labels=False, in_guests_too=True),
    SubjectKind("image", (), ("image",), known_by=("path",)),
    SubjectKind("cpu", (), ("cpu",)),
    SubjectKind("iscsi", (), ("iscsi",), known_by=("session",)),
    SubjectKind("nfs", (), ("nfs",), known_by=("server",)),
    SubjectKind("network", (), ("network",)),
)

KINDS: dict[str, SubjectKind] = {kind.name: kind for kind in _ALL}
"""The one table of kinds. Where a sample has labels of several, the first in this order is meant."""

GUEST_FIELDS = frozenset(name for kind in _ALL if kind.of_guest or kind.in_guests_too for name in kind.fields)
"""Fields that name a guest or a device of one: another guest may have a device of that name."""
HOST_FIELDS = frozenset(name for kind in _ALL for name in (*kind.fields, *kind.known_by)) - GUEST_FIELDS
"""Fields that name a part of the host: it is one and the same for every guest that uses it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """`kind` is one of KINDS. A domid is reused by Xen; the UUID is who a domain is, its name what people call it."""

    kind: str
    name: str
    uuid: str | None = None
    domid: int | None = None
    host: str | None = None
    """Name of the host it is on; None where one host is all there is."""

    @property
    def key(self) -> str:
        """What budgets and troubles are counted by: `domain/<uuid or name>`, `bridge/xenbr0`, `xen1:bridge/xenbr0`."""
        return f"{self._host}{self.kind}/{self.uuid or self.name}"

    def __str__(self) -> str:
        return f"{self._host}{self.kind}/{self.name}"

    @property
    def _host(self) -> str:
        return f"{self.host}:" if self.host else ""

    def on(self, host: str | None) -> "Subject":
        """The same thing on that host."""
        return self if self.host == host else replace(self, host=host)

    @property
    def its_host(self) -> "Subject":
        """The host that it is on, as a subject of its own."""
        return HOST.on(self.host)

    @property
    def is_host(self) -> bool:
        return self.kind == HOST.kind and self.name == HOST.name

    @property
    def is_named(self) -> bool:
        """False for a guest of which only is known that it is one."""
        return self.name != UNKNOWN

    @property
    def in_words(self) -> str:
        """For people: who it is, or that nothing says who."""
        return str(self) if self.is_named else f"{self._host}a {self.kind} that nothing names"


HOST = Subject("host", HOST_NAME)


def subject_from_text(text: str) -> Subject | None:
    """The subject that `str` gave: `domain/web`, `lv/vg0/data`, `xen1:host/dom0`; None for any other text."""
    found = _TEXT.fullmatch(text)
    return Subject(found["kind"], found["name"], host=found["host"]) if found else None


def named_by_labels(labels: Mapping[str, str], wanted: str = "host") -> Subject:
    """The subject of a sample, by its labels: a guest's, the `wanted` kind's, or of the first kind they fit."""
    for kind in _asked_first(wanted):
        name = kind.named_by_labels(labels)
        if name is not None:
            return Subject(kind.name, name)
    return HOST


@cache
def _asked_first(wanted: str) -> tuple[SubjectKind, ...]:
    """In the order in which labels are taken for the name of a kind."""
    return (KINDS["domain"], *((KINDS[wanted],) if wanted in KINDS else ()), *(k for k in _ALL if k.own_labels))


def without_transit(name: str) -> str:
    """The name of the guest that is being moved, or the name as it is."""
    for suffix in IN_TRANSIT:
        if name.endswith(suffix) and name != suffix:
            return name.removesuffix(suffix)
    return name
