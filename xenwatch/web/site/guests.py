"""Guests as a page shows them: state, cpu, memory, and each disk and interface down to what carries it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from xenwatch.web.site.readings import Readings


@dataclass(frozen=True, slots=True)
class DiskChain:
    """A guest's disk and the chain below it: file or device, logical volume, volume group, physical volumes."""

    device: str
    chain: tuple[str, ...]
    size: float | None


@dataclass(frozen=True, slots=True)
class NicChain:
    """A guest's network interface: its end in dom0, the bridge and the bridge's uplinks."""

    vif: str
    mac: str
    bridge: str
    attached: bool | None
    uplinks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VcpuView:
    """A vcpu: the physical cpu that it is on, what it does, and on how many cpus it may run. None: not known."""

    number: str
    cpu: float | None
    state: str
    allowed: float | None


@dataclass(frozen=True, slots=True)
class Carriers:
    """What carries the devices of all guests."""

    volumes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Physical volumes by volume group."""
    uplinks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Ports that are no guest's, by bridge."""

    @classmethod
    def of(cls, readings: Readings) -> "Carriers":
        volumes: dict[str, list[str]] = defaultdict(list)
        for row, _ in readings.rows("xen_lvm_pv_size_bytes"):
            volumes[row["vg"]].append(row["pv"])
        uplinks: dict[str, list[str]] = defaultdict(list)
        for row, value in readings.rows("xen_bridge_port_stp_state"):
            if value and row["port_kind"] == "host":
                uplinks[row["bridge"]].append(row["port"])
        return cls({vg: tuple(pvs) for vg, pvs in volumes.items()}, {on: tuple(ups) for on, ups in uplinks.items()})


@dataclass(frozen=True, slots=True)
class GuestView:
    """A line of `xl list` and what stands behind it. Memory in bytes; None: not known here."""

    name: str
    domid: str
    uuid: str
    state: str
    vcpus: float | None
    memory: float | None
    maximum: float | None
    kind: str
    disks: tuple[DiskChain, ...] = ()
    nics: tuple[NicChain, ...] = ()
    vcpu_views: tuple[VcpuView, ...] = ()


def guests(readings: Readings) -> Sequence[GuestView]:
    """All domains, dom0 first, then by name."""
    by_name = {name: own for name, own in readings.of_each("domain").items() if _is_one(own)}
    return [
        _guest(by_name[name], name, Carriers()) for name in sorted(by_name, key=lambda name: (name != "Domain-0", name))
    ]


def guest(readings: Readings, name: str) -> GuestView | None:
    """The guest of that name with its devices; None where there is none."""
    own = readings.of_each("domain").get(name)
    return _guest(own, name, Carriers.of(readings)) if own is not None and _is_one(own) else None


def _is_one(own: Readings) -> bool:
    """Whether the toolstack lists it; a console's log or a core outlives its domain."""
    states = own.rows("xen_domain_state")
    return any(True for _ in own.rows("xen_domain_info")) or any(value == 1 for _, value in states)


def _guest(own: Readings, name: str, carriers: Carriers) -> GuestView:
    """Of the readings that are about this domain alone."""
    info = next((row for row, _ in own.rows("xen_domain_info")), {})
    return GuestView(
        name=name,
        domid=info.get("domid", ""),
        uuid=info.get("uuid", ""),
        state=own.state("xen_domain_state", "state") or "unknown",
        vcpus=own.value("xen_domain_vcpus", kind="online") or own.value("xen_domain_vcpus"),
        memory=own.value("xen_domain_memory_current_bytes"),
        maximum=own.value("xen_domain_memory_maximum_bytes"),
        kind=next((row["type"] for row, _ in own.rows("xen_domain_type_info")), ""),
        disks=tuple(_disks(own, carriers)),
        nics=tuple(_nics(own, carriers)),
        vcpu_views=tuple(_vcpus(own)),
    )


def _disks(own: Readings, carriers: Carriers) -> Iterator[DiskChain]:
    backing = {row["device"]: row for row, _ in own.rows("xen_domain_vbd_backing_info")}
    for row, _ in own.rows("xen_domain_vbd_info"):
        below = backing.get(row["device"], {})
        chain = [row.get("source", ""), below.get("block_device", "")]
        if below.get("lv"):
            volumes = carriers.volumes.get(below["vg"], ())
            chain += [f"lv {below['vg']}/{below['lv']}", f"vg {below['vg']}", ", ".join(f"pv {pv}" for pv in volumes)]
        size = own.value("xen_domain_vbd_capacity_bytes", device=row["device"])
        yield DiskChain(row["device"], tuple(dict.fromkeys(filter(None, chain))), size)


def _nics(own: Readings, carriers: Carriers) -> Iterator[NicChain]:
    for row, _ in own.rows("xen_domain_vif_info"):
        attached = own.value("xen_domain_vif_bridge_attached", vif=row["vif"])
        name_in_dom0 = row.get("ifname") or row["vif"]
        bridge = row.get("bridge", "")
        yield NicChain(name_in_dom0, row.get("mac", ""), bridge, _yes_or_no(attached), carriers.uplinks.get(bridge, ()))


def _vcpus(own: Readings) -> Iterator[VcpuView]:
    for row, cpu in own.rows("xen_domain_vcpu_cpu"):
        number = row["vcpu"]
        yield VcpuView(
            number, cpu, own.state("xen_domain_vcpu_state", "state", vcpu=number) or "",
            own.value("xen_domain_vcpu_affinity_cpus", vcpu=number, kind="hard"),
        )  # fmt: skip


def _yes_or_no(value: float | None) -> bool | None:
    return None if value is None else bool(value)
