"""Domains: their state and why, cpu time, restarts, and whether they come up with the host."""

from collections.abc import Iterator, Sequence

from xenwatch.host.host import Host
from xenwatch.host.inventory import STATES, Domain, DomainInventory
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.autostart import AUTOSTART
from xenwatch.sampling.collector import Collector
from xenwatch.sampling.counters import Counters
from xenwatch.sampling.rows import KeptRows, state_set

INFO = Metric("xen_domain_info", "info", "A domain's current identity", ("domain", "uuid", "domid"))
STATE = Metric(
    "xen_domain_state",
    "stateset",
    "State of a domain; running covers one that waits for a cpu, building one that is paused and has no vcpu yet, "
    "shutoff one that is defined and does not run",
    ("domain", "state"),
)
REASON = Metric(
    "xen_domain_state_reason",
    "gauge",
    "Why a domain is in its state, as Xen (shutdown reason) or libvirt says; 1 for the one that holds",
    ("domain", "reason"),
)
PERSISTENT = Metric("xen_domain_persistent", "gauge", "Whether libvirt keeps a domain's definition", ("domain",))
CPU_SECONDS = Metric("xen_domain_cpu_seconds_total", "counter", "Cpu time a domain has used, all vcpus", ("domain",))
RESTARTS = Metric(
    "xen_domain_restarts_total",
    "counter",
    "How often a domain was seen to come up under a new domid since the agent started",
    ("domain",),
)
DOMAINS = Metric("xen_hypervisor_domains", "gauge", "Domains by state, dom0 and defined ones included", ("state",))
ZOMBIES = Metric(
    "xen_hypervisor_zombie_domains",
    "gauge",
    "Domains without a name: dead ones that leave memory or event channels in use, or half-created ones",
)
VCPUS_ALLOCATED = Metric("xen_hypervisor_vcpus_allocated", "gauge", "Vcpus of all domains that run, dom0's included")

_CPU_SLACK_SECONDS = 0.2
"""xl rounds cpu time to a tenth of a second, libvirt tells nanoseconds; switching source must not look like a reset."""


class _Reader:
    def __init__(self) -> None:
        self._counters = Counters()
        self._restarts = _Restarts()
        self._kept = KeptRows()

    async def __call__(self, host: Host) -> Sequence[Sample]:
        inventory = await host.domains.current()
        return await host.aside.run(self._all, inventory)

    def _all(self, inventory: DomainInventory) -> list[Sample]:
        samples = list(self._overall(inventory))
        for domain in inventory.domains:
            samples += self._of(domain)
        self._counters.forget_unread()
        self._kept.forget_unused()
        self._restarts.forget_all_but(inventory.names)
        return samples

    def _overall(self, inventory: DomainInventory) -> Iterator[Sample]:
        states = [domain.state for domain in inventory.domains]
        for state in STATES:
            yield Sample(DOMAINS, (state,), float(states.count(state)))
        yield Sample(ZOMBIES, (), float(inventory.nameless))
        running = [domain.vcpus for domain in inventory.domains if domain.domid is not None]
        yield Sample(VCPUS_ALLOCATED, (), float(sum(vcpus or 0 for vcpus in running)))

    def _of(self, domain: Domain) -> Iterator[Sample]:
        name = (domain.name,)
        lasting = (*name, domain.uuid, domain.domid, domain.state, domain.reason, domain.persistent, domain.autostart)
        yield from self._kept.of(lasting, lambda: _described(domain))
        yield Sample(RESTARTS, name, float(self._restarts.seen(domain)))
        if domain.cpu_seconds is not None:
            key = (domain.name, domain.domid)
            yield Sample(CPU_SECONDS, name, self._counters.steady(key, domain.cpu_seconds, _CPU_SLACK_SECONDS))


def _described(domain: Domain) -> Iterator[Sample]:
    name = (domain.name,)
    yield Sample(INFO, (domain.name, domain.uuid or "", "" if domain.domid is None else str(domain.domid)), 1.0)
    yield from state_set(STATE, name, STATES, domain.state)
    if domain.reason:
        yield Sample(REASON, (domain.name, domain.reason), 1.0)
    if domain.autostart is not None:
        yield Sample(AUTOSTART, name, float(domain.autostart))
    if domain.persistent is not None:
        yield Sample(PERSISTENT, name, float(domain.persistent))


class _Restarts:
    """Counts, by name, how often a domid followed another. Domids only climb, so a lower one is a host's restart."""

    def __init__(self) -> None:
        self._domids: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    def seen(self, domain: Domain) -> int:
        before, count = self._domids.get(domain.name), self._counts.get(domain.name, 0)
        if domain.domid is not None:
            if before is not None and before != domain.domid:
                count += 1
            self._domids[domain.name] = domain.domid
        self._counts[domain.name] = count
        return count

    def forget_all_but(self, names: frozenset[str]) -> None:
        """What is gone is forgotten; what crashed and came back under its name within a cycle is not."""
        for name in self._counts.keys() - names:
            self._counts.pop(name)
            self._domids.pop(name, None)


COLLECTOR = Collector(
    name="domain",
    metrics=(
        INFO,
        STATE,
        REASON,
        AUTOSTART,
        PERSISTENT,
        CPU_SECONDS,
        RESTARTS,
        DOMAINS,
        ZOMBIES,
        VCPUS_ALLOCATED,
    ),
    begin=_Reader,
    interval=5.0,
    deadline=4.5,
)
