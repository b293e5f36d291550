"""The guests and hosts of the policy: what identifies them, what is wanted of them, where guests may run."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from xenwatch.model.subject import KINDS, Subject

HERE = ""
"""The host the agent runs on."""

Toolstack = Literal["xl", "xm", "libvirt"]
Desired = Literal["running", "stopped", "unmanaged"]
Lease = Literal["", "none", "sanlock", "lvm", "virtlockd"]


@dataclass(frozen=True, slots=True)
class Guest:
    """What the policy file states about a guest. Names and paths come from here, never from an alert."""

    name: str
    uuid: str
    toolstack: Toolstack = "xl"
    config: str = ""
    desired: Desired = "unmanaged"
    owner: str = ""
    """Who else starts and stops it; then xenwatch never does."""
    tags: tuple[str, ...] = ()
    placement: tuple[str, ...] = ()
    """Names of all hosts it may run on; empty: this host alone."""
    shared_storage: bool = False
    lease: Lease = ""
    """What keeps a second host from using its disks; `none` accepts that nothing does."""
    address: str = ""
    health: tuple[str, ...] = ()
    memory_min_mib: int = 0
    memory_max_mib: int = 0
    core_dump: bool = False
    keep_apart: tuple[str, ...] = ()
    """Tags of guests that must not share a host with it."""
    pool: str = ""
    """The pool of [xapi.NAME] that it belongs to; then it is started and stopped through xapi alone."""

    @property
    def subject(self) -> Subject:
        return Subject("domain", self.name, self.uuid, host=self.pool or None)


@dataclass(frozen=True, slots=True)
class ManagedHost:
    """Another host. `address` is what ssh is given."""

    name: str
    address: str = ""
    machine_id: str = ""
    fencing: str = ""
    power: tuple[str, ...] = ()
    """The fence agent that reaches its management board, with its options; empty: nobody can take its power."""
    reserve_mib: int = 512


@dataclass(frozen=True, slots=True)
class ManagedInventory:
    """All guests and hosts of the policy, and the name of this host."""

    here: str
    guests: tuple[Guest, ...] = ()
    hosts: tuple[ManagedHost, ...] = ()

    def guest(self, subject: Subject) -> Guest | None:
        """The guest that a subject means: by UUID where it has one, else by its full name; never by part of it."""
        for guest in self.guests:
            if guest.pool != (subject.host or ""):
                continue  # a guest of this host is never one of a pool, whatever the two are called
            if guest.uuid == subject.uuid or (subject.uuid is None and guest.name == subject.name):
                return guest
        return None

    def host(self, name: str) -> ManagedHost | None:
        return next((host for host in self.hosts if host.name == name), None)

    def places(self, guest: Guest) -> tuple[str, ...]:
        """Where a guest may run, as the Machine names hosts: this host and each other host of its placement."""
        others = tuple(name for name in guest.placement if name != self.here)
        return (HERE, *others)

    def resolve(self, subject: Subject) -> tuple[Subject, Guest | None] | None:
        """The subject as the policy names it; None where it is a domain that the policy does not name."""
        if subject.kind != "domain" and subject.host:
            return subject, None  # a part of a pool: never this host
        if subject.kind != "domain":
            kind = KINDS.get(subject.kind)
            as_host = kind is not None and kind.repaired_as_host
            return (Subject("host", self.here) if as_host else subject), None
        guest = self.guest(subject)
        return None if guest is None else (guest.subject, guest)


def selects(selectors: Sequence[str], subject: Subject, guest: Guest | None) -> bool:
    """Whether any of `tag:x`, `name:web*`, `uuid:…`, `<kind>:<name>` or `<kind>:<pool>/<name>` matches.

    No selectors select nothing.
    """
    return any(_matches(*selector.partition(":")[::2], subject, guest) for selector in selectors)


def _matches(kind: str, pattern: str, subject: Subject, guest: Guest | None) -> bool:
    if not pattern:
        return False
    if kind == "tag":
        return guest is not None and pattern in guest.tags
    if kind == "name":
        return guest is not None and fnmatchcase(guest.name, pattern)
    if kind == "uuid":
        return guest is not None and guest.uuid == pattern
    return guest is None and kind == subject.kind and _named(pattern, subject)


def _named(pattern: str, subject: Subject) -> bool:
    """A part of a pool is written `pool/name`: a pattern for this host, even `*`, never means one."""
    if not subject.host:
        return fnmatchcase(subject.name, pattern)
    pool, slash, name = pattern.partition("/")
    return bool(slash) and pool == subject.host and fnmatchcase(subject.name, name)


def narrowness(selectors: Sequence[str]) -> int:
    """How narrow a scope is: a UUID is narrower than a name, a name narrower than a tag."""
    ranks = {"uuid": 3, "name": 2, "tag": 1}
    return min((ranks.get(s.partition(":")[0], 0) for s in selectors), default=0)
