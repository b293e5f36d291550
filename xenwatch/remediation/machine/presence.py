"""Where a guest runs, in three answers: running, absent, unknown. Absent needs several listings; silence is unknown."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from xenwatch.base.clock import Clock
from xenwatch.host.parse.xl_list import XlListRow, parse_xl_list
from xenwatch.remediation.machine.port import Answer, Command, Machine
from xenwatch.remediation.policy.inventory import HERE, Toolstack

Presence = Literal["running", "absent", "unknown"]

LOOKS = 3
SPAN = 10.0
"""A guest vanishes for seconds while it reboots: absent is missing from `LOOKS` listings over `SPAN` seconds."""

_HEADER = re.compile(r"Name\s+ID\s+Mem(?:\(MiB\))?\s+VCPUs\s+State\s+Time\(s\)")
_LETTERS = 6


@dataclass(frozen=True, slots=True)
class ListedDomain:
    """One domain of `xl list -v`; `state`: letter or `-` for running, blocked, paused, shut down, crashed, dying."""

    name: str
    domid: int
    memory_mib: int
    vcpus: int
    state: str
    cpu_seconds: float
    uuid: str | None


def parse_listing(answer: Answer) -> tuple[ListedDomain, ...] | None:
    """The domains of a complete `xl list -v` or `xm list`; None (unknown) where any line of it is not understood."""
    lines = [line for line in answer.out.splitlines() if line.strip()]
    if not answer.ok or not lines or not _HEADER.match(lines[0]):
        return None
    rows = parse_xl_list("\n".join(lines[1:]))
    domains = [domain for row in rows if (domain := _sound(row)) is not None]
    complete = len(domains) == len(lines) - 1 and any(d.domid == 0 and d.name == "Domain-0" for d in domains)
    return tuple(domains) if complete else None


def _sound(row: XlListRow) -> ListedDomain | None:
    """None for a row of which a column is missing or not understood."""
    if not row.name or row.domid is None or len(row.flags) != _LETTERS or row.rest:
        return None
    memory_mib = row.memory_bytes // 1024**2
    return ListedDomain(row.name, row.domid, memory_mib, row.vcpus, row.flags, row.cpu_seconds, row.uuid)


def aliases(name: str) -> frozenset[str]:
    """All names that a guest may have in a listing while it is being moved."""
    return frozenset({name, f"{name}--incoming", f"{name}--migratedaway", f"migrating-{name}"})


def copies_of(rows: Iterable[ListedDomain], name: str, uuid: str | None) -> tuple[ListedDomain, ...]:
    """The rows that are this guest: by UUID or by any of its names."""
    names = aliases(name)
    return tuple(row for row in rows if row.name in names or (uuid is not None and row.uuid == uuid))


def presence(rows: Sequence[ListedDomain] | None, name: str, uuid: str | None) -> Presence:
    """By one listing of one host. A paused, crashed or incoming copy counts as running: it holds the guest's disks."""
    if rows is None:
        return "unknown"
    return "running" if copies_of(rows, name, uuid) else "absent"


async def list_domains(
    machine: Machine, host: str = HERE, toolstack: Toolstack = "xl"
) -> tuple[ListedDomain, ...] | None:
    """One listing of one host; None: unknown."""
    argv = ("xm", "list") if toolstack == "xm" else ("xl", "list", "-v")
    rows = parse_listing(await machine.read(Command(argv, host)))
    return await _with_uuids(machine, host, rows) if rows and toolstack == "xm" else rows


async def _with_uuids(machine: Machine, host: str, rows: tuple[ListedDomain, ...]) -> tuple[ListedDomain, ...] | None:
    """`xm list` prints no UUIDs: xenstore has them at /local/domain/<id>/vm."""
    argv = ("xenstore-read", *(f"/local/domain/{row.domid}/vm" for row in rows))
    answer = await machine.read(Command(argv, host))
    paths = answer.out.split()
    if not answer.ok or len(paths) != len(rows):
        return None
    return tuple(
        ListedDomain(r.name, r.domid, r.memory_mib, r.vcpus, r.state, r.cpu_seconds, path.rpartition("/")[2])
        for r, path in zip(rows, paths, strict=True)
    )


@dataclass(frozen=True, slots=True)
class AbsenceProof:
    """The result of several listings of several hosts."""

    presence: Presence
    reason: str
    silent: str = ""
    """The other host that does not say; empty: each says, or it is this host."""


async def prove_absent(
    machine: Machine, clock: Clock, hosts: Sequence[str], name: str, uuid: str | None, toolstack: Toolstack = "xl"
) -> AbsenceProof:
    """Absent only where every listing of every host says so; one copy ends it, one missing answer makes it unknown."""
    if not hosts:
        return AbsenceProof("unknown", f"the policy names no host on which {name} may run")
    for nth in range(LOOKS):
        if nth:
            await clock.sleep(SPAN / (LOOKS - 1))
        for host in hosts:
            seen = presence(await list_domains(machine, host, toolstack), name, uuid)
            if seen != "absent":
                where = host or "this host"
                reason = (
                    f"{name} is on {where}"
                    if seen == "running"
                    else f"{where} does not report whether {name} runs there"
                )
                return AbsenceProof(seen, reason, host if seen == "unknown" else "")
    return AbsenceProof("absent", f"{name} was missing from {LOOKS} listings over {SPAN:g} s on {len(hosts)} host(s)")
