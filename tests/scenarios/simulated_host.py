"""What a simulated Xen host has, and the time it lives in."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from xenwatch.base.clock import ManualClock

WEB = "11111111-1111-4111-8111-111111111111"
DB = "22222222-2222-4222-8222-222222222222"
STRANGER = "33333333-3333-4333-8333-333333333333"
UUIDS = {"web": WEB, "db": DB}
CONFIG = """name = "{name}"
type = "{kind}"
memory = 512
vcpus = 1
kernel = "/boot/guest"
disk = ["phy:/dev/vg0/{name},xvda,w"]
vif = ["mac=00:16:3e:00:00:0{nth},bridge=xenbr0"]
"""


class StoryClock(ManualClock):
    """Whoever waits moves time, and what is due then happens."""

    def __init__(self) -> None:
        super().__init__()
        self.due: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        self.due.append((self.monotonic() + seconds, what))

    def advance(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        while soon := min((d for d in self.due if d[0] <= until), key=lambda d: d[0], default=None):
            self.due.remove(soon)
            super().advance(max(0.0, soon[0] - self.monotonic()))
            soon[1]()
        super().advance(until - self.monotonic())

    async def sleep(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))
        await asyncio.sleep(0)


@dataclass
class Domain:
    name: str
    uuid: str
    domid: int
    state: str = "-b----"
    mib: int = 512
    rate: float = 0.1
    """Processor seconds a second."""
    born: float = 0.0
    answers: bool = True


@dataclass
class SimHost:
    name: str
    domains: list[Domain] = field(default_factory=list)
    silent: bool = False
    power: str = "ON"
    garbled: bool = False
    free_mib: int = 8192
    services: dict[str, str] = field(default_factory=dict)
    daemons: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    disks: dict[str, dict[str, Any]] = field(default_factory=dict)
    loops: dict[str, str] = field(default_factory=dict)
    bridges: dict[str, dict[str, Any]] = field(default_factory=dict)
    masters: dict[str, str | None] = field(default_factory=dict)
    processes: dict[int, str] = field(default_factory=dict)
    used_percent: int = 50
    volumes: dict[str, int] = field(default_factory=dict)
    info: dict[str, str] = field(default_factory=dict)
    next_domid: int = 5


def address(name: str) -> str:
    return {"web": "10.0.0.80", "db": "10.0.0.81"}.get(name, "")


def fresh_host(name: str) -> SimHost:
    files = {f"/etc/xen/{g}.cfg": CONFIG.format(name=g, kind="pv", nth=n) for n, g in enumerate(UUIDS, 1)}
    files |= {
        "/boot/guest": "kernel",
        "/etc/machine-id": f"{name}-id\n",
        "/proc/cpuinfo": "vendor_id\t: GenuineIntel\n",
    }
    info = {
        "xen_major": "4", "xen_minor": "17", "nr_cpus": "4", "virt_caps": "pv hvm hap shadow",
        "xen_caps": "xen-3.0-x86_64 hvm-3.0-x86_64", "hw_caps": "bfebfbff:77faf3ff",
    }  # fmt: skip
    disks = {f"/dev/vg0/{g}": {"serial": f"LVM-{g}"} for g in UUIDS}
    return SimHost(name, files=files, disks=disks, bridges={"xenbr0": {}}, info=info, services={"libvirtd": "active"})


class Hosts:
    """Two hosts that know the same two guests; what stories see of them and do to them."""

    def __init__(self, clock: StoryClock) -> None:
        self.clock = clock
        self.boots: dict[str, dict[str, Any]] = {}
        """By guest: how it starts, and what a move of it leaves behind."""
        self.hosts = {name: fresh_host(name) for name in ("xen1", "xen2")}

    def place(self, host: str, name: str, state: str = "-b----", **more: Any) -> Domain:
        home = self.hosts[host]
        home.next_domid += 1
        guest = name.removesuffix("--incoming").removesuffix("--migratedaway")
        if "p" in state:
            more = {"rate": 0.0} | more
        domain = Domain(name, UUIDS.get(guest, STRANGER), home.next_domid, state, born=self.clock.monotonic(), **more)
        home.domains.append(domain)
        home.masters.setdefault(f"vif{domain.domid}.0", "xenbr0")
        return domain

    def remove(self, host: SimHost, domain: Domain) -> None:
        if domain in host.domains:
            host.domains.remove(domain)

    def seen(self) -> dict[str, str]:
        return {f"{h.name}/{d.name}": d.state for h in self.hosts.values() for d in h.domains}

    def running(self, guest: str) -> int:
        return sum(d.uuid == UUIDS[guest] and bool(set("rb") & set(d.state)) for d in self.everybody())

    def alive(self, where: str) -> bool:
        """Whether a guest with that address answers."""
        return any(d.answers and set(d.state) & set("rb") for d in self.everybody() if where == address(d.name))

    def everybody(self) -> Iterator[Domain]:
        return (d for h in self.hosts.values() for d in h.domains)

    def leave(self, name: str, source: str, target: str) -> None:
        """Put both ends into a state of the handshake, as recovery.py names them."""
        for host in self.hosts.values():
            host.domains = [d for d in host.domains if d.uuid != UUIDS[name]]
        here = {"run": (name, "-b----"), "suspended": (name, "---s--"), "away": (f"{name}--migratedaway", "---s--")}
        there = {"incoming": (f"{name}--incoming", "--p---"), "paused": (name, "--p---"), "run": (name, "-b----")}
        for host, found in (("xen1", here.get(source)), ("xen2", there.get(target))):
            if found:
                self.place(host, *found)
