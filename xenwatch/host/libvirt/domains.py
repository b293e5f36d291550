"""libvirt's list of domains with what it says of each, gathered in one visit of a worker thread."""

import contextlib
from dataclasses import dataclass
from typing import NamedTuple

from xenwatch.base.errors import Unsupported
from xenwatch.host.libvirt.binding import libvirt
from xenwatch.host.libvirt.connection import Session

_STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: "running",
    libvirt.VIR_DOMAIN_RUNNING: "running",
    libvirt.VIR_DOMAIN_BLOCKED: "blocked",
    libvirt.VIR_DOMAIN_PAUSED: "paused",
    libvirt.VIR_DOMAIN_SHUTDOWN: "shutdown",
    libvirt.VIR_DOMAIN_SHUTOFF: "shutoff",
    libvirt.VIR_DOMAIN_CRASHED: "crashed",
    libvirt.VIR_DOMAIN_PMSUSPENDED: "paused",
}
_REASONS: dict[int, dict[int, str]] = {
    state: {
        value: name.removeprefix(prefix).lower()
        for name, value in vars(libvirt).items()
        if name.startswith(prefix) and isinstance(value, int)
    }
    for state, prefix in (
        (libvirt.VIR_DOMAIN_RUNNING, "VIR_DOMAIN_RUNNING_"),
        (libvirt.VIR_DOMAIN_BLOCKED, "VIR_DOMAIN_BLOCKED_"),
        (libvirt.VIR_DOMAIN_PAUSED, "VIR_DOMAIN_PAUSED_"),
        (libvirt.VIR_DOMAIN_SHUTDOWN, "VIR_DOMAIN_SHUTDOWN_"),
        (libvirt.VIR_DOMAIN_SHUTOFF, "VIR_DOMAIN_SHUTOFF_"),
        (libvirt.VIR_DOMAIN_CRASHED, "VIR_DOMAIN_CRASHED_"),
    )
}


class VirDomain(NamedTuple):
    """What libvirt says of a domain; numbers are None where it did not answer for this one."""

    name: str
    uuid: str
    domid: int | None
    state: str
    reason: str | None
    persistent: bool | None
    autostart: bool | None
    cpu_seconds: float | None = None
    memory_bytes: int | None = None
    maximum_bytes: int | None = None
    vcpus: int | None = None


@dataclass(frozen=True, slots=True)
class ReadMarks:
    """UUIDs of domains that libvirt keeps, and that it starts with the host; None where it does not tell."""

    persistent: frozenset[str] | None
    autostart: frozenset[str] | None


def read_marks(session: Session) -> ReadMarks:
    """Two filtered listings instead of two questions to each domain."""
    return ReadMarks(
        _uuids(session, libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT),
        _uuids(session, libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART),
    )


def marked(domain: VirDomain, marks: ReadMarks) -> VirDomain:
    """The same domain with what these marks say of it."""
    return domain._replace(
        persistent=None if marks.persistent is None else domain.uuid in marks.persistent,
        autostart=None if marks.autostart is None else domain.uuid in marks.autostart,
    )


def list_domains(session: Session, marks: ReadMarks) -> list[VirDomain]:
    """All domains, active and not. Only calls that do not wait behind a domain's job (save, migrate, dump)."""
    found = []
    for domain in session.call("connectListAllDomains", session.connection.listAllDomains):
        with contextlib.suppress(libvirt.libvirtError):  # it went away meanwhile, or it alone cannot be asked
            found.append(_describe(session, domain, marks))
    return found


def _uuids(session: Session, only: int) -> frozenset[str] | None:
    try:
        domains = session.call("connectListAllDomains", session.connection.listAllDomains, only)
    except (libvirt.libvirtError, Unsupported):
        return None
    return frozenset(domain.UUIDString() for domain in domains)


def _describe(session: Session, domain: libvirt.virDomain, marks: ReadMarks) -> VirDomain:
    domid, uuid = domain.ID(), domain.UUIDString()
    state, reason = session.call("domainGetState", domain.state)
    _, maximum_kib, memory_kib, vcpus, nanoseconds = session.call("domainGetInfo", domain.info)
    active = domid >= 0
    return VirDomain(
        name=domain.name(),
        uuid=uuid,
        domid=domid if active else None,
        state=_STATES.get(state, "running"),
        reason=_reason(state, reason),
        persistent=None if marks.persistent is None else uuid in marks.persistent,
        autostart=None if marks.autostart is None else uuid in marks.autostart,
        cpu_seconds=nanoseconds / 1e9 if active else None,
        memory_bytes=memory_kib * 1024 if active else None,
        maximum_bytes=maximum_kib * 1024,
        vcpus=vcpus,
    )


def _reason(state: int, reason: int) -> str | None:
    name = _REASONS.get(state, {}).get(reason)
    return None if name in (None, "unknown") else name
