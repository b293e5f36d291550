"""xenstored: how quickly it answers, and how many nodes each domain has of its quota."""

from collections.abc import Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.host import Host
from xenwatch.host.xenstore.client import Xenstore
from xenwatch.host.xenstore.quota import node_quota
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

PROBE = Metric("xen_xenstore_probe_duration_seconds", "gauge", "How long xenstored took to answer one read")
NODES = Metric("xen_xenstore_nodes", "gauge", "Nodes in a domain's own folder, most of which it owns", ("domain",))
QUOTA = Metric(
    "xen_xenstore_node_quota", "gauge", "Nodes that xenstored lets a guest own; absent where it has no limit"
)
TYPE = Metric("xen_domain_type_info", "info", "How a guest is virtualised: pv, pvh or hvm", ("domain", "type"))
START_TIME = Metric("xen_domain_start_time_seconds", "gauge", "When the toolstack created a domain", ("domain",))
SHUTDOWN = Metric(
    "xen_domain_shutdown_unanswered",
    "gauge",
    "Whether a guest was asked to shut down, reboot or suspend and has not yet said that it heard; absent where not",
    ("domain",),
)

_WALK_EVERY = 20
"""Runs from one count of nodes to the next: a walk costs a question a node."""
_MOST_NODES = 20_000


class _Reader:
    def __init__(self) -> None:
        self._runs = 0
        self._counts: list[Sample] = []

    async def __call__(self, host: Host) -> Sequence[Sample]:
        store = host.xenstore
        if store is None:
            raise Unsupported("xenstore: this is not a control domain")
        before = host.clock.monotonic()
        await store.read("/local/domain/0/name")
        samples = [Sample(PROBE, (), host.clock.monotonic() - before)]
        if (quota := node_quota(host.paths)) is not None:
            samples.append(Sample(QUOTA, (), float(quota)))
        inventory = await host.domains.known(max_age=15.0)
        active = {domain.name: domid for domid, domain in inventory.by_domid.items()}
        samples += await _start_times(store, active)
        samples += await _types(store, active)
        samples += await _unanswered(store, active)
        if self._runs % _WALK_EVERY == 0:
            self._counts = await _count(store, active)
        self._runs += 1
        return [*samples, *(sample for sample in self._counts if sample.labels[0] in active)]


async def _start_times(store: Xenstore, active: dict[str, int]) -> list[Sample]:
    """`/vm/<uuid>/start_time` is written by xl, libxl and xend alike; the way to it is the domain's `vm`."""
    homes = await store.read_many([f"/local/domain/{domid}/vm" for domid in active.values()])
    with_home = [(name, home) for name, home in zip(active, homes, strict=True) if home and home.startswith("/vm/")]
    times = await store.read_many([f"{home}/start_time" for _, home in with_home])
    return [
        Sample(START_TIME, (name,), float(at))
        for (name, _), at in zip(with_home, times, strict=True)
        if at is not None and at.replace(".", "", 1).isdigit()
    ]


async def _types(store: Xenstore, active: dict[str, int]) -> list[Sample]:
    """By libxl's own note, where no guest can write; xend has none, and dom0's says nothing new."""
    guests = {name: domid for name, domid in active.items() if domid}
    kinds = await store.read_many([f"/libxl/{domid}/type" for domid in guests.values()])
    return [Sample(TYPE, (name, kind), 1.0) for name, kind in zip(guests, kinds, strict=True) if kind]


async def _unanswered(store: Xenstore, active: dict[str, int]) -> list[Sample]:
    """The toolstack writes what it asks for, and a guest's driver empties the node to say that it heard."""
    guests = {name: domid for name, domid in active.items() if domid}
    asked = await store.read_many([f"/local/domain/{domid}/control/shutdown" for domid in guests.values()])
    return [Sample(SHUTDOWN, (name,), 1.0) for name, word in zip(guests, asked, strict=True) if word]


async def _count(store: Xenstore, active: dict[str, int]) -> list[Sample]:
    samples, left = [], _MOST_NODES
    for name, domid in active.items():
        count = await _nodes_below(store, f"/local/domain/{domid}", left)
        left -= count
        if left <= 0:
            break  # a count cut short would read as a small one
        samples.append(Sample(NODES, (name,), float(count)))
    return samples


async def _nodes_below(store: Xenstore, top: str, most: int) -> int:
    """Level by level, each level's questions on the way together."""
    count, level = 0, [top]
    while level and count <= most:
        count += len(level)
        children = await store.children_many(level)
        level = [f"{path}/{name}" for path, names in zip(level, children, strict=True) for name in names]
    return count


COLLECTOR = Collector(
    name="xenstore",
    metrics=(PROBE, NODES, QUOTA, TYPE, START_TIME, SHUTDOWN),
    begin=_Reader,
    interval=15.0,
    deadline=10.0,
)
