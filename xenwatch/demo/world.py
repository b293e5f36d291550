"""Two simulated Xen hosts: what they have, and how it changes as time passes."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from xenwatch.base.clock import Clock
from xenwatch.demo.guests import GUESTS, VOLUME_MIB, Guest

TOTAL_MIB, DOM0_MIB, CPUS = 32768, 2048, 8
UPTIME = 41 * 86400.0
"""Seconds for which the hosts had been up when the demo began."""
_DOM0_LOAD = 0.28
_BLOCK = 4096.0
_PACKET = 900.0


@dataclass(slots=True)
class Traffic:
    """Totals since the device came up."""

    received: float = 0.0
    sent: float = 0.0
    read: float = 0.0
    written: float = 0.0


@dataclass(slots=True)
class Domain:
    """One domain that exists on a host."""

    guest: Guest
    domid: int
    mib: int
    cpu_seconds: float = 0.0
    paused: bool = False
    traffic: Traffic = field(default_factory=Traffic)
    off_bridge: set[int] = field(default_factory=set)
    """Numbers of the vifs that are on no bridge."""
    volumes: list[str] = field(default_factory=list)
    bridges: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.volumes, self.bridges = list(self.guest.volumes), list(self.guest.bridges)

    @property
    def name(self) -> str:
        return self.guest.name

    @property
    def vifs(self) -> int:
        return len(self.bridges)

    @property
    def disk_numbers(self) -> tuple[int, ...]:
        """51712 is xvda, 16 more each."""
        return tuple(51712 + 16 * nth for nth in range(len(self.volumes)))

    @property
    def state(self) -> str:
        """As in `xl list`."""
        return "--p---" if self.paused else "r-----" if self.guest.load > 1 else "-b----"

    def grow(self, seconds: float, now: float) -> None:
        """It works as it does, a little more and a little less."""
        if self.paused:
            return
        guest, traffic = self.guest, self.traffic
        wave = 1.0 + 0.45 * math.sin(now / 47.0 + guest.number) + 0.2 * math.sin(now / 11.0 + 2.0 * guest.number)
        part = max(0.1, wave) * seconds
        self.cpu_seconds += min(guest.load * part, guest.vcpus * seconds)
        traffic.read += guest.reads * part
        traffic.written += guest.writes * part
        if len(self.off_bridge) < len(self.bridges):
            traffic.received += guest.receives * part
            traffic.sent += guest.sends * part


@dataclass(slots=True)
class SimulatedHost:
    """One host."""

    name: str
    address: str
    machine_id: str
    domains: list[Domain] = field(default_factory=list)
    bridges: set[str] = field(default_factory=lambda: {"xenbr0", "xenbr1"})
    volumes: dict[str, int] = field(default_factory=lambda: dict(VOLUME_MIB))
    mounted: dict[str, str] = field(default_factory=dict)
    """Mount point by volume, of those that dom0 has mounted."""
    failed_member: str | None = None
    """The member that dropped out of md0."""
    dom0_seconds: float = 0.0
    next_domid: int = 1

    @property
    def free_mib(self) -> int:
        return TOTAL_MIB - DOM0_MIB - 412 - sum(domain.mib for domain in self.domains)

    def find(self, word: str) -> Domain | None:
        """By name, domid or UUID."""
        return next((d for d in self.domains if word in (d.name, str(d.domid), d.guest.uuid)), None)

    def take_domid(self) -> int:
        self.next_domid += 1
        return self.next_domid - 1


class World:
    """Both hosts. `log` appends a line to a log of the first one; the second one keeps none."""

    def __init__(self, clock: Clock, log: Callable[[str, str], None], root: Path = Path("/nonexistent")) -> None:
        self.clock, self._log, self.root = clock, log, root
        self.here = SimulatedHost("xen1", "192.0.2.11", "0c5e8f2a4b7d4c19a3f60d1e2b3c4d51")
        self.there = SimulatedHost("xen2", "192.0.2.12", "7be1d94c60aa4f0f8d2c5b6a79881342")
        self._moved_at = clock.monotonic()
        self.started = clock.now() - UPTIME
        for name in ("web", "db", "mail", "build", "shop"):
            domain = self.place(self.here, GUESTS[name])
            domain.grow(UPTIME / (1 + domain.domid), 0.0)
        for host in (self.here, self.there):
            host.dom0_seconds = _DOM0_LOAD * UPTIME

    def by_name(self) -> dict[str, Domain | None]:
        """Of every guest, its domain on the first host."""
        return {name: self.here.find(name) for name in GUESTS}

    def host(self, address: str) -> SimulatedHost | None:
        """By name or address."""
        return next((h for h in (self.here, self.there) if address in (h.name, h.address)), None)

    def place(self, host: SimulatedHost, guest: Guest) -> Domain:
        """A domain of this guest, just begun."""
        domain = Domain(guest, host.take_domid(), guest.mib)
        host.domains.append(domain)
        return domain

    def log(self, host: SimulatedHost, file: str, line: str) -> None:
        if host is self.here:
            self._log(file, line)

    def advance(self) -> None:
        """To the present."""
        now = self.clock.monotonic()
        seconds, self._moved_at = now - self._moved_at, now
        for host in (self.here, self.there):
            host.dom0_seconds += _DOM0_LOAD * (1 + 0.3 * math.sin(now / 23.0)) * seconds
            for domain in host.domains:
                domain.grow(seconds, now)


def requests(size: float) -> int:
    """Requests of a usual size that moved so many bytes."""
    return int(size / _BLOCK / 4)


def packets(size: float) -> int:
    """Packets of a usual size that carried so many bytes."""
    return int(size / _PACKET)


def appended_to(folder: Path) -> Callable[[str, str], None]:
    """A log function for files below a folder."""

    def append(file: str, line: str) -> None:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    return append
