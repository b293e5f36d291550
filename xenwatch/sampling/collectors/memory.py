"""Memory of domains: what they have, may have, should have, and what guests say of the inside."""

from collections.abc import Iterator, Sequence

from xenwatch.host.host import Host
from xenwatch.host.inventory import Domain
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

CURRENT = Metric("xen_domain_memory_current_bytes", "gauge", "Memory a domain has", ("domain",))
MAXIMUM = Metric("xen_domain_memory_maximum_bytes", "gauge", "Memory a domain may have by its definition", ("domain",))
TARGET = Metric(
    "xen_domain_memory_target_bytes",
    "gauge",
    "Target of a domain's balloon (memory/target)",
    ("domain",),
)
STATIC_MAX = Metric(
    "xen_domain_memory_static_max_bytes", "gauge", "Memory a domain was built for (memory/static-max)", ("domain",)
)
GUEST = Metric(
    "xen_domain_guest_memory_bytes",
    "gauge",
    "Memory inside a guest, as its agent writes to xenstore",
    ("domain", "kind"),
)

_KEYS = ("memory/target", "memory/static-max", "data/meminfo_free", "data/meminfo_total")


async def _collect(host: Host) -> Sequence[Sample]:
    inventory = await host.domains.current()
    active = [domain for domain in inventory.domains if domain.domid is not None]
    samples = [sample for domain in active for sample in _from_toolstack(domain)]
    if host.xenstore is not None:
        paths = [f"/local/domain/{domain.domid}/{key}" for domain in active for key in _KEYS]
        values = await host.xenstore.read_many(paths, COLLECTOR.deadline - 1)
        for n, domain in enumerate(active):
            samples += _from_xenstore(domain, values[n * len(_KEYS) : (n + 1) * len(_KEYS)])
    return samples


def _from_toolstack(domain: Domain) -> Iterator[Sample]:
    if domain.memory_bytes is not None:
        yield Sample(CURRENT, (domain.name,), float(domain.memory_bytes))
    if domain.maximum_bytes is not None:
        yield Sample(MAXIMUM, (domain.name,), float(domain.maximum_bytes))


def _from_xenstore(domain: Domain, values: Sequence[str | None]) -> Iterator[Sample]:
    """All are KiB. The last two are the guest's own word: a number or nothing."""
    target, static_max, free, total = (_bytes(value) for value in values)
    if target is not None:
        yield Sample(TARGET, (domain.name,), target)
    if static_max is not None:
        yield Sample(STATIC_MAX, (domain.name,), static_max)
        if domain.maximum_bytes is None:
            yield Sample(MAXIMUM, (domain.name,), static_max)
    for kind, size in (("free", free), ("total", total)):
        if size is not None:
            yield Sample(GUEST, (domain.name, kind), size)


def _bytes(kib: str | None) -> float | None:
    return float(int(kib) * 1024) if kib is not None and kib.isascii() and kib.isdigit() and len(kib) < 16 else None  # noqa: PLR2004


COLLECTOR = Collector(
    name="memory",
    metrics=(CURRENT, MAXIMUM, TARGET, STATIC_MAX, GUEST),
    begin=lambda: _collect,
    interval=10.0,
    deadline=8.0,
)
