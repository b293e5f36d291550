"""NUMA nodes and cores of the machine, cpupools, and each domain's weight and cap with the scheduler."""

import re
from collections.abc import Iterator, Sequence

from xenwatch.base.errors import CommandFailed, Unsupported
from xenwatch.host.host import Host
from xenwatch.host.inventory import DomainInventory
from xenwatch.host.toolstack.xl import Xl
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

CPU = Metric(
    "xen_hypervisor_cpu_topology_info",
    "info",
    "Socket, core and node of a physical cpu",
    ("cpu", "core", "socket", "node"),
)
NODE_TOTAL = Metric("xen_numa_node_memory_total_bytes", "gauge", "Memory of a NUMA node", ("node",))
NODE_FREE = Metric("xen_numa_node_memory_free_bytes", "gauge", "Memory of a NUMA node that no domain has", ("node",))
POOL = Metric("xen_cpupool_info", "info", "A cpupool", ("pool", "scheduler"))
POOL_CPUS = Metric("xen_cpupool_cpus", "gauge", "Physical cpus in a cpupool", ("pool",))
POOL_DOMAINS = Metric("xen_cpupool_domains", "gauge", "Domains in a cpupool", ("pool",))
RATELIMIT = Metric(
    "xen_scheduler_ratelimit_seconds", "gauge", "Shortest time a vcpu runs before another may take its cpu", ("pool",)
)
TIMESLICE = Metric("xen_scheduler_timeslice_seconds", "gauge", "Longest time a vcpu runs without a break", ("pool",))
WEIGHT = Metric(
    "xen_domain_sched_weight", "gauge", "A domain's share of cpu time relative to other domains", ("domain",)
)
CAP = Metric(
    "xen_domain_sched_cap_ratio",
    "gauge",
    "Most cpu time a domain may use, in cpus; absent without a limit",
    ("domain",),
)

_CPU_ROW = re.compile(r"^\s*(\d+):\s+(\d+)\s+(\d+)\s+(\d+)\s*$", re.MULTILINE)
_NODE_ROW = re.compile(r"^\s*(\d+):\s+(\d+)\s+(\d+)\s+\S", re.MULTILINE)
_POOL_ROW = re.compile(r"^(\S+)\s+(\d+)\s+(\S+)\s+[yn]\s+(\d+)\s*$", re.MULTILINE)
_SCHEDULED = re.compile(r"^.*?\s+(?P<domid>\d+)\s+(?P<weight>\d+)\s+(?P<cap>\d+)\s*$")
_POOL_HEAD = re.compile(r"^Cpupool (?P<pool>.+?):(?: tslice=(?P<tslice>\d+)ms)?(?: ratelimit=(?P<limit>\d+)us)?")


async def _collect(host: Host) -> Sequence[Sample]:
    if not isinstance(host.toolstack, Xl):
        raise Unsupported("topology: there is no xl")
    inventory = await host.domains.current(max_age=60.0)
    samples = list(from_info(await host.toolstack.say("info", "-n")))
    samples += from_pools(await host.toolstack.say("cpupool-list"))
    return [*samples, *await _scheduler(host.toolstack, inventory)]


def from_info(text: str) -> Iterator[Sample]:
    """`xl info -n`: the table of cpus, then the table of nodes with sizes in MiB."""
    cpus, _, nodes = text.partition("numa_info")
    for row in _CPU_ROW.findall(cpus.partition("cpu_topology")[2]):
        yield Sample(CPU, row, 1.0)
    for node, size, free in _NODE_ROW.findall(nodes):
        yield Sample(NODE_TOTAL, (node,), float(int(size) * 1024 * 1024))
        yield Sample(NODE_FREE, (node,), float(int(free) * 1024 * 1024))


def from_pools(text: str) -> Iterator[Sample]:
    """`xl cpupool-list`."""
    for pool, cpus, scheduler, domains in _POOL_ROW.findall(text):
        yield Sample(POOL, (pool, scheduler), 1.0)
        yield Sample(POOL_CPUS, (pool,), float(cpus))
        yield Sample(POOL_DOMAINS, (pool,), float(domains))


async def _scheduler(xl: Xl, inventory: DomainInventory) -> list[Sample]:
    """Each scheduler has a word of its own; the one in use answers, the others fail."""
    for word in ("sched-credit2", "sched-credit"):
        try:
            text = await xl.say(word)
        except CommandFailed:
            continue
        found = list(from_scheduler(text, inventory))
        if found:
            return found
    return []


def from_scheduler(text: str, inventory: DomainInventory) -> Iterator[Sample]:
    """`xl sched-credit` or `sched-credit2`: a head for each pool, a line for each domain, cap in percent of a cpu."""
    for line in text.splitlines():
        if head := _POOL_HEAD.match(line):
            if head["tslice"]:
                yield Sample(TIMESLICE, (head["pool"],), int(head["tslice"]) / 1e3)
            if head["limit"]:
                yield Sample(RATELIMIT, (head["pool"],), int(head["limit"]) / 1e6)
        elif (row := _SCHEDULED.match(line)) and (domain := inventory.by_domid.get(int(row["domid"]))) is not None:
            yield Sample(WEIGHT, (domain.name,), float(row["weight"]))
            if row["cap"] != "0":
                yield Sample(CAP, (domain.name,), int(row["cap"]) / 100)


COLLECTOR = Collector(
    name="topology",
    metrics=(CPU, NODE_TOTAL, NODE_FREE, POOL, POOL_CPUS, POOL_DOMAINS, RATELIMIT, TIMESLICE, WEIGHT, CAP),
    begin=lambda: _collect,
    interval=60.0,
    deadline=20.0,
)
