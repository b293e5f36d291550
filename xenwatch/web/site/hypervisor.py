"""The hypervisor: its version, who has its memory, and which vcpus share which of its cpus."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web

from xenwatch.web.context import CONTEXT
from xenwatch.web.site.host import headline
from xenwatch.web.site.page import page
from xenwatch.web.site.readings import Readings


@dataclass(frozen=True, slots=True)
class CpuPool:
    """A cpupool. None: not known."""

    name: str
    scheduler: str
    cpus: float | None
    domains: float | None
    timeslice: float | None
    ratelimit: float | None


@dataclass(frozen=True, slots=True)
class VcpuPlace:
    """A vcpu and the cpu that it is on, or was on last."""

    guest: str
    vcpu: str
    state: str


@dataclass(frozen=True, slots=True)
class MemoryShare:
    """What one domain has of the memory that Xen manages; `share` is of the whole."""

    guest: str
    size: float
    share: float


async def hypervisor(request: web.Request) -> web.Response:
    """Everything that the last sampling cycle knows of the hypervisor itself."""
    context = request.app[CONTEXT]
    readings = Readings(context.snapshot())
    total = readings.value("xen_hypervisor_memory_total_bytes")
    return page(
        request,
        "hypervisor.html",
        headline=headline(readings, context.now()),
        facts=list(_facts(readings)),
        total=total,
        free=readings.value("xen_hypervisor_memory_free_bytes"),
        shares=_shares(readings, total),
        pools=_pools(readings),
        cpus=_cpus(readings),
        vcpus=readings.value("xen_hypervisor_vcpus_allocated"),
        physical=readings.value("xen_hypervisor_cpus", state="all"),
    )


def _facts(readings: Readings) -> Iterator[tuple[str, str]]:
    """Names and words of what is known, as `xl info` has them."""
    info = next((row for row, _ in readings.rows("xen_hypervisor_info")), {})
    for label, name in (
        ("xen_version", "Xen"), ("changeset", "Changeset"), ("virt_caps", "Can run"), ("scheduler", "Scheduler"),
        ("driver", "Driver"), ("libvirt_version", "libvirt"),
    ):  # fmt: skip
        if info.get(label):
            yield name, info[label]
    frequency = readings.value("xen_hypervisor_cpu_frequency_hertz")
    if frequency:
        yield "Frequency of the cpus", f"{frequency / 1e9:.2f} GHz"
    for metric, name in (
        ("xen_hypervisor_zombie_domains", "Domains without a name"),
        ("xen_hypervisor_jobs", "Saves, migrations and dumps under way"),
    ):
        count = readings.value(metric)
        if count:
            yield name, f"{count:.0f}"
    probe = readings.value("xen_xenstore_probe_duration_seconds")
    if probe is not None:
        yield "xenstored answers in", f"{probe * 1000:.1f} ms"


def _shares(readings: Readings, total: float | None) -> list[MemoryShare]:
    """The domains, those with most memory first."""
    sizes = [(row["domain"], size) for row, size in readings.rows("xen_domain_memory_current_bytes")]
    return [
        MemoryShare(name, size, size / total if total else 0.0) for name, size in sorted(sizes, key=lambda one: -one[1])
    ]


def _pools(readings: Readings) -> list[CpuPool]:
    return [
        CpuPool(
            pool,
            next((row.get("scheduler", "") for row, _ in own.rows("xen_cpupool_info")), ""),
            own.value("xen_cpupool_cpus"),
            own.value("xen_cpupool_domains"),
            own.value("xen_scheduler_timeslice_seconds"),
            own.value("xen_scheduler_ratelimit_seconds"),
        )
        for pool, own in sorted(readings.of_each("pool").items())
    ]


def _cpus(readings: Readings) -> dict[int, list[VcpuPlace]]:
    """By physical cpu, the vcpus that are on it."""
    states = {
        (row["domain"], row["vcpu"]): row["state"] for row, value in readings.rows("xen_domain_vcpu_state") if value
    }
    places: dict[int, list[VcpuPlace]] = defaultdict(list)
    for row, cpu in readings.rows("xen_domain_vcpu_cpu"):
        place = VcpuPlace(row["domain"], row["vcpu"], states.get((row["domain"], row["vcpu"]), ""))
        places[int(cpu)].append(place)
    return dict(sorted(places.items()))
