"""Vcpus: time used, what they do, where they run and may run; from xl's one list, else from libvirt where it can."""

from collections.abc import Iterator, Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.host import Host
from xenwatch.host.inventory import DomainInventory
from xenwatch.host.kernel.cpusets import count_cpus
from xenwatch.host.libvirt.binding import libvirt
from xenwatch.host.libvirt.connection import Session
from xenwatch.host.toolstack.xl import XlVcpu
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector
from xenwatch.sampling.rows import KeptRows, state_set

_VCPU = ("domain", "vcpu")
SECONDS = Metric("xen_domain_vcpu_seconds_total", "counter", "Cpu time a vcpu has used", _VCPU)
STATE = Metric("xen_domain_vcpu_state", "stateset", "What a vcpu is doing now", (*_VCPU, "state"))
CPU = Metric("xen_domain_vcpu_cpu", "gauge", "Physical cpu a vcpu is on, or was on last", _VCPU)
AFFINITY = Metric(
    "xen_domain_vcpu_affinity_cpus",
    "gauge",
    "On how many physical cpus a vcpu may (hard) or should (soft) run",
    (*_VCPU, "kind"),
)
RUNNABLE = Metric("xen_domain_vcpu_runnable", "gauge", "Whether a vcpu is ready to run and waits for a cpu", _VCPU)
VCPUS = Metric("xen_domain_vcpus", "gauge", "Vcpus of a domain: all it has, and those online", ("domain", "kind"))

STATES = ("running", "runnable", "blocked", "paused", "offline")


class _Reader:
    def __init__(self) -> None:
        self._kept = KeptRows()

    async def __call__(self, host: Host) -> Sequence[Sample]:
        inventory = await host.domains.current()
        if host.toolstack is not None:
            vcpus, cpus = await host.toolstack.vcpus(), await _host_cpus(host)
            return await host.aside.run(lambda: list(self._from_xl(vcpus, inventory, cpus)))
        if host.libvirt is None:
            raise Unsupported("vcpus: neither xl nor libvirt is there")
        return await host.libvirt.run("vcpus", lambda session: self._ask(session, inventory.names), COLLECTOR.deadline)

    def _from_xl(self, vcpus: list[XlVcpu], inventory: DomainInventory, host_cpus: int) -> Iterator[Sample]:
        online: dict[str, list[int]] = {}
        for vcpu in vcpus:
            domain = inventory.by_domid.get(vcpu.domid)
            if domain is None:
                continue
            labels = (domain.name, str(vcpu.vcpu))
            yield Sample(SECONDS, labels, vcpu.seconds)
            key = (labels, vcpu.cpu, vcpu.flags, vcpu.hard, vcpu.soft, host_cpus)
            yield from self._kept.of(key, lambda vcpu=vcpu, labels=labels: _placed(vcpu, labels, host_cpus))  # type: ignore[misc]
            counts = online.setdefault(domain.name, [0, 0])
            counts[0] += 1
            counts[1] += vcpu.cpu is not None
        self._kept.forget_unused()
        for name, (all_of_them, awake) in online.items():
            yield Sample(VCPUS, (name, "current"), float(all_of_them))
            yield Sample(VCPUS, (name, "online"), float(awake))

    def _ask(self, session: Session, names: frozenset[str]) -> list[Sample]:
        """In libvirt's thread, for drivers that have it; libxl's does not, since it lacks virNodeGetCPUMap."""
        samples: list[Sample] = []
        for domain in session.call("connectListAllDomains", session.connection.listAllDomains, _ACTIVE):
            try:
                vcpus, maps = session.call("domainGetVcpus", domain.vcpus)
            except libvirt.libvirtError:
                continue  # it went away meanwhile
            if (name := domain.name()) in names:
                samples += self._of_libvirt(name, vcpus, maps)
        self._kept.forget_unused()
        return samples

    def _of_libvirt(
        self, name: str, vcpus: Sequence[tuple[int, int, int, int]], maps: Sequence[Sequence[bool]]
    ) -> Iterator[Sample]:
        for (number, state, nanoseconds, cpu), cpumap in zip(vcpus, maps, strict=True):
            labels = (name, str(number))
            yield Sample(SECONDS, labels, nanoseconds / 1e9)
            key = (labels, state, cpu, tuple(cpumap))
            yield from self._kept.of(key, lambda key=key: _placed_by_libvirt(*key))  # type: ignore[misc]
        yield Sample(VCPUS, (name, "current"), float(len(vcpus)))
        offline = sum(state == libvirt.VIR_VCPU_OFFLINE for _, state, _, _ in vcpus)
        yield Sample(VCPUS, (name, "online"), float(len(vcpus) - offline))


def _placed(vcpu: XlVcpu, labels: tuple[str, str], host_cpus: int) -> Iterator[Sample]:
    """All but its time: what it does, where, and where it may."""
    state = _state(vcpu)
    yield Sample(RUNNABLE, labels, float(state == "runnable"))
    yield from state_set(STATE, labels, STATES, state)
    if vcpu.cpu is not None:
        yield Sample(CPU, labels, float(vcpu.cpu))
    for kind, cpus in (("hard", vcpu.hard), ("soft", vcpu.soft)):
        if cpus is not None and (count := count_cpus(cpus, host_cpus)) is not None:
            yield Sample(AFFINITY, (*labels, kind), float(count))


def _placed_by_libvirt(labels: tuple[str, str], state: int, cpu: int, cpumap: tuple[bool, ...]) -> Iterator[Sample]:
    yield Sample(AFFINITY, (*labels, "hard"), float(sum(cpumap)))
    yield from state_set(STATE, labels, STATES, _LIBVIRT_STATES.get(state))
    if cpu >= 0:
        yield Sample(CPU, labels, float(cpu))


def _state(vcpu: XlVcpu) -> str:
    if vcpu.cpu is None:
        return "offline"
    letters = (("r", "running"), ("b", "blocked"), ("p", "paused"))
    return next((state for letter, state in letters if letter in vcpu.flags), "runnable")


async def _host_cpus(host: Host) -> int:
    return int((await host.toolstack.info()).get("nr_cpus", "0")) if host.toolstack is not None else 0


_ACTIVE = libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
_LIBVIRT_STATES = {
    libvirt.VIR_VCPU_OFFLINE: "offline",
    libvirt.VIR_VCPU_RUNNING: "running",
    libvirt.VIR_VCPU_BLOCKED: "blocked",
}


COLLECTOR = Collector(
    name="vcpu",
    metrics=(SECONDS, STATE, CPU, AFFINITY, RUNNABLE, VCPUS),
    begin=_Reader,
    interval=10.0,
    deadline=8.0,
)
