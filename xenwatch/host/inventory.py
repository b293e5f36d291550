"""Joins Xen's own list of domains with libvirt's, by domid and UUID, since each misses some."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from xenwatch.host.parse.xl_list import XlDomain, state_of
from xenwatch.model.subject import without_transit

if TYPE_CHECKING:  # `diagnose` joins what a bundle lists, without libvirt and quick to start
    from xenwatch.host.libvirt.domains import VirDomain

STATES = ("running", "blocked", "paused", "building", "shutdown", "crashed", "dying", "shutoff")
_LIVELIEST = {state: rank for rank, state in enumerate(STATES)}
_XL, _LIBVIRT, _BOTH = frozenset({"xl"}), frozenset({"libvirt"}), frozenset({"xl", "libvirt"})


class Domain(NamedTuple):
    """One domain, as its people know it: by a name that outlives its domid."""

    name: str
    uuid: str | None
    domid: int | None
    """None for one that is defined and does not run."""
    state: str
    """One of STATES."""
    reason: str | None = None
    """Why it is in that state, where Xen or libvirt says so: `crash`, `reboot`, `destroyed`."""
    cpu_seconds: float | None = None
    memory_bytes: int | None = None
    maximum_bytes: int | None = None
    vcpus: int | None = None
    persistent: bool | None = None
    autostart: bool | None = None
    known_to: frozenset[str] = frozenset()
    """`xl` (Xen's own list, whatever the toolstack) and `libvirt`."""


@dataclass(frozen=True, slots=True)
class DomainInventory:
    """All domains at one moment, each name once. `version` grows when a name or a domid came or went."""

    at: float
    domains: tuple[Domain, ...]
    nameless: int = 0
    """Domains without a name: zombies that something still holds on to, or half-created ones."""
    zombies: tuple[int, ...] = ()
    """Domids of those that are dying and have lost their names: nothing but their memory is left."""
    version: int = 0
    by_domid: dict[int, Domain] = field(default_factory=dict)
    domids: frozenset[int] = frozenset()
    """Of all that run, nameless ones included."""
    names: frozenset[str] = frozenset()


class JoinedSources(NamedTuple):
    """Domains, each name once; how many more have no name; the domids of all."""

    domains: tuple[Domain, ...]
    nameless: int
    domids: frozenset[int]
    zombies: tuple[int, ...] = ()


def join(listed: list[XlDomain] | None, virtual: "Iterable[VirDomain]", *, fresh: bool = True) -> JoinedSources:
    """Domains of both lists, each name once.

    `listed` None: there is no list of Xen's own, libvirt's is believed. `fresh` False: libvirt did not answer now,
    and `virtual` is its last answer, good for what does not change but not for counters.
    """
    if listed is None:
        domains = [_from_libvirt(domain) for domain in virtual]
        return JoinedSources(_each_name_once(domains), 0, frozenset(d.domid for d in domains if d.domid is not None))
    by_uuid = {domain.uuid: domain for domain in virtual}
    by_domid = {domain.domid: domain for domain in by_uuid.values() if domain.domid is not None}
    domains, met = [], set()
    for one in listed:
        other = by_uuid.get(one.uuid) if one.uuid else by_domid.get(one.domid)
        if other is not None:
            met.add(other.uuid)
        if one.name is not None or (other is not None and other.name):
            domains.append(_merged(one, other, fresh=fresh))
    domains += [_stopped(domain) for domain in by_uuid.values() if domain.uuid not in met and domain.persistent]
    nameless = sum(one.name is None for one in listed)
    return JoinedSources(_each_name_once(domains), nameless, frozenset(one.domid for one in listed), zombies_of(listed))


def zombies_of(listed: Iterable[XlDomain]) -> tuple[int, ...]:
    """Domids of dying domains that have no entries in xenstore any more."""
    return tuple(one.domid for one in listed if one.name is None and "d" in one.flags)


def _from_libvirt(domain: "VirDomain") -> Domain:
    return Domain(
        name=domain.name,
        uuid=domain.uuid,
        domid=domain.domid,
        state=domain.state,
        reason=domain.reason,
        cpu_seconds=domain.cpu_seconds,
        memory_bytes=domain.memory_bytes,
        maximum_bytes=domain.maximum_bytes,
        vcpus=domain.vcpus,
        persistent=domain.persistent,
        autostart=domain.autostart,
        known_to=_LIBVIRT,
    )


def _merged(one: XlDomain, other: "VirDomain | None", *, fresh: bool) -> Domain:
    state = _built_or_not(state_of(one.flags), one.vcpus)
    domain = Domain(
        name=without_transit(one.name or ""),
        uuid=one.uuid,
        domid=one.domid,
        state=state,
        reason=one.shutdown_reason,
        cpu_seconds=one.cpu_seconds,
        memory_bytes=one.memory_bytes,
        vcpus=one.vcpus,
        known_to=_XL,
    )
    if other is None:
        return domain
    same_life = fresh and other.domid == one.domid
    return domain._replace(
        name=other.name or domain.name,
        uuid=one.uuid or other.uuid,
        reason=one.shutdown_reason or (other.reason if same_life else None),
        cpu_seconds=other.cpu_seconds if same_life and other.cpu_seconds is not None else one.cpu_seconds,
        memory_bytes=other.memory_bytes if same_life and other.memory_bytes else one.memory_bytes,
        maximum_bytes=other.maximum_bytes,
        persistent=other.persistent,
        autostart=other.autostart,
        known_to=_BOTH,
    )


def _stopped(domain: "VirDomain") -> Domain:
    """For one that libvirt knows and Xen does not run, whatever libvirt's own, perhaps older, state says."""
    crashed = domain.domid is None and domain.state == "crashed"
    return _from_libvirt(domain)._replace(
        domid=None,
        state="crashed" if crashed else "shutoff",
        reason=domain.reason if domain.domid is None else None,
        cpu_seconds=None,
        memory_bytes=None,
    )


def _built_or_not(state: str, vcpus: int) -> str:
    """A domain is paused from the first moment; until its builder is done it has no vcpu, and unpausing it is vain."""
    return "building" if state == "paused" and vcpus == 0 else state


def _each_name_once(domains: list[Domain]) -> tuple[Domain, ...]:
    """Both ends of a local migration have one name: the livelier is meant, then the younger."""
    chosen = {domain.name: domain for domain in domains}
    if len(chosen) < len(domains):
        by_life = sorted(domains, key=lambda d: (-_LIVELIEST[d.state], d.domid if d.domid is not None else -1))
        chosen = {domain.name: domain for domain in by_life}
    return tuple(sorted(chosen.values(), key=lambda d: (d.domid is None, d.domid or 0, d.name)))
