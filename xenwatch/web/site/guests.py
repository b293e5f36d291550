"""Guests as a page shows them: state, cpu, memory, and each disk and interface down to what carries it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xenwatch.web.site.readings import Readings


@dataclass(frozen=True, slots=True)
class DiskChain:
    """A guest's disk and the chain below it: file or device, logical volume, volume group."""

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
    vcpu_places: tuple[tuple[str, float], ...] = ()
    """Each vcpu and the physical cpu that it is on."""


def guests(readings: Readings) -> Sequence[GuestView]:
    """All domains, dom0 first, then by name."""
    by_name = {name: own for name, own in readings.of_each("domain").items() if _is_one(own)}
    return [_guest(by_name[name], name) for name in sorted(by_name, key=lambda name: (name != "Domain-0", name))]


def guest(readings: Readings, name: str) -> GuestView | None:
    """The guest of that name with its devices; None where there is none."""
    own = readings.of_each("domain").get(name)
    return _guest(own, name) if own is not None and _is_one(own) else None


def _is_one(own: Readings) -> bool:
    """Whether the toolstack lists it; a console's log or a core outlives its domain."""
    states = own.rows("xen_domain_state")
    return any(True for _ in own.rows("xen_domain_info")) or any(value == 1 for _, value in states)


def _guest(own: Readings, name: str) -> GuestView:
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
        disks=tuple(_disks(own)),
        nics=tuple(_nics(own)),
        vcpu_places=tuple((row["vcpu"], value) for row, value in own.rows("xen_domain_vcpu_cpu")),
    )


def _disks(own: Readings) -> Iterator[DiskChain]:
    backing = {row["device"]: row for row, _ in own.rows("xen_domain_vbd_backing_info")}
    for row, _ in own.rows("xen_domain_vbd_info"):
        below = backing.get(row["device"], {})
        chain = [row.get("source", ""), below.get("block_device", "")]
        chain += [f"lv {below['vg']}/{below['lv']}", f"vg {below['vg']}"] if below.get("lv") else []
        size = own.value("xen_domain_vbd_capacity_bytes", device=row["device"])
        yield DiskChain(row["device"], tuple(dict.fromkeys(filter(None, chain))), size)


def _nics(own: Readings) -> Iterator[NicChain]:
    for row, _ in own.rows("xen_domain_vif_info"):
        attached = own.value("xen_domain_vif_bridge_attached", vif=row["vif"])
        name_in_dom0 = row.get("ifname") or row["vif"]
        yield NicChain(name_in_dom0, row.get("mac", ""), row.get("bridge", ""), _yes_or_no(attached))


def _yes_or_no(value: float | None) -> bool | None:
    return None if value is None else bool(value)
