"""The hypervisor: its version, cpus and memory, as `xl info` says, else as libvirt does."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xenwatch.base.errors import HostError, Unsupported
from xenwatch.host.host import Host
from xenwatch.host.libvirt.binding import libvirt
from xenwatch.host.libvirt.connection import Session
from xenwatch.host.parse.xl_info import mebibytes
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

INFO = Metric(
    "xen_hypervisor_info",
    "info",
    "Versions and abilities of the hypervisor and of libvirt above it",
    ("xen_version", "changeset", "libvirt_version", "driver", "scheduler", "virt_caps"),
)
CPUS = Metric("xen_hypervisor_cpus", "gauge", "Physical cpus: all, and in no cpupool (free)", ("state",))
TOTAL = Metric("xen_hypervisor_memory_total_bytes", "gauge", "Memory the hypervisor manages")
FREE = Metric("xen_hypervisor_memory_free_bytes", "gauge", "Memory that no domain has")
CLAIMS = Metric(
    "xen_hypervisor_memory_outstanding_claims_bytes", "gauge", "Memory promised to domains that are being built"
)
SHARED = Metric(
    "xen_hypervisor_memory_shared_bytes",
    "gauge",
    "Memory in pages shared between domains, and memory saved by sharing",
    ("kind",),
)
FREQUENCY = Metric("xen_hypervisor_cpu_frequency_hertz", "gauge", "Nominal frequency of the physical cpus")


async def _collect(host: Host) -> Sequence[Sample]:
    node = await _node(host)
    info = await host.toolstack.info() if host.toolstack is not None else None
    if info is None and node is None:
        raise Unsupported("hypervisor: neither xl nor libvirt is there")
    samples = list(_from_xl(info) if info is not None else _from_libvirt(node or _Node()))
    return [*samples, Sample(INFO, _versions(info or {}, node or _Node()), 1.0)]


@dataclass(frozen=True, slots=True)
class _Node:
    """What libvirt says of the machine."""

    hypervisor: str = ""
    libvirt: str = ""
    driver: str = ""
    cpus: int | None = None
    megahertz: int | None = None
    total_bytes: int | None = None
    free_bytes: int | None = None


async def _node(host: Host) -> _Node | None:
    """Xen's own numbers are enough where libvirt does not answer; its version is then not known."""
    if host.libvirt is None:
        return None
    try:
        return await host.libvirt.run("node", _ask_libvirt, 4.0)
    except HostError:
        if host.toolstack is None:
            raise
        return None


def _ask_libvirt(session: Session) -> _Node:
    """In libvirt's thread. Sizes come in MiB and bytes; versions as 1000000 x major + 1000 x minor + release."""
    connection = session.connection
    _, memory_mib, cpus, megahertz, *_ = session.call("nodeGetInfo", connection.getInfo)
    free: int | None = None
    with contextlib.suppress(Unsupported, libvirt.libvirtError):
        free = session.call("nodeGetFreeMemory", connection.getFreeMemory)
    return _Node(
        hypervisor=_dotted(session.call("connectGetVersion", connection.getVersion)),
        libvirt=_dotted(session.call("connectGetLibVersion", connection.getLibVersion)),
        driver=session.call("connectGetType", connection.getType),
        cpus=cpus,
        megahertz=megahertz,
        total_bytes=memory_mib * 1024 * 1024,
        free_bytes=free,
    )


def _dotted(version: int) -> str:
    return f"{version // 1_000_000}.{version // 1_000 % 1_000}.{version % 1_000}"


def _from_xl(info: Mapping[str, str]) -> Iterator[Sample]:
    for state, key in (("all", "nr_cpus"), ("free", "free_cpus")):
        if info.get(key, "").isdigit():
            yield Sample(CPUS, (state,), float(info[key]))
    for metric, key in ((TOTAL, "total_memory"), (FREE, "free_memory"), (CLAIMS, "outstanding_claims")):
        if (size := mebibytes(dict(info), key)) is not None:
            yield Sample(metric, (), float(size))
    for kind, key in (("freed", "sharing_freed_memory"), ("used", "sharing_used_memory")):
        if (size := mebibytes(dict(info), key)) is not None:
            yield Sample(SHARED, (kind,), float(size))
    if (megahertz := info.get("cpu_mhz", "")).replace(".", "", 1).isdigit():
        yield Sample(FREQUENCY, (), float(megahertz) * 1e6)


def _from_libvirt(node: _Node) -> Iterator[Sample]:
    if node.cpus is not None:
        yield Sample(CPUS, ("all",), float(node.cpus))
    if node.total_bytes is not None:
        yield Sample(TOTAL, (), float(node.total_bytes))
    if node.free_bytes is not None:
        yield Sample(FREE, (), float(node.free_bytes))
    if node.megahertz is not None:
        yield Sample(FREQUENCY, (), node.megahertz * 1e6)


def _versions(info: Mapping[str, str], node: _Node) -> tuple[str, ...]:
    old = f"{info.get('xen_major', '')}.{info.get('xen_minor', '')}{info.get('xen_extra', '')}".strip(".")
    xen = info.get("xen_version") or old or (node.hypervisor if node.driver == "Xen" else "")
    return (
        xen,
        info.get("xen_changeset", ""),
        node.libvirt,
        node.driver,
        info.get("xen_scheduler", ""),
        info.get("virt_caps", ""),
    )


COLLECTOR = Collector(
    name="hypervisor",
    metrics=(INFO, CPUS, TOTAL, FREE, CLAIMS, SHARED, FREQUENCY),
    begin=lambda: _collect,
    interval=15.0,
    deadline=10.0,
)
