"""Guests as a page shows them: state, cpu, memory, and each disk and interface down to what carries it."""

from collections.abc import Sequence
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
    found = {row["domain"]: row for row, _ in readings.rows("xen_domain_info")}
    states = {row["domain"]: row["state"] for row, value in readings.rows("xen_domain_state") if value == 1}
    names = sorted({*found, *states}, key=lambda name: (name != "Domain-0", name))
    return [_guest(readings, name, found.get(name, {}), states.get(name, "unknown")) for name in names]


def guest(readings: Readings, name: str) -> GuestView | None:
    """The guest of that name with its devices; None where there is none."""
    return next((one for one in guests(readings) if one.name == name), None)


def _guest(readings: Readings, name: str, info: dict[str, str] | object, state: str) -> GuestView:
    known = info if isinstance(info, dict) else {}
    return GuestView(
        name=name,
        domid=known.get("domid", ""),
        uuid=known.get("uuid", ""),
        state=state,
        vcpus=readings.value("xen_domain_vcpus", domain=name, kind="online")
        or readings.value("xen_domain_vcpus", domain=name),
        memory=readings.value("xen_domain_memory_current_bytes", domain=name),
        maximum=readings.value("xen_domain_memory_maximum_bytes", domain=name),
        kind=next((row["type"] for row, _ in readings.rows("xen_domain_type_info") if row["domain"] == name), ""),
        disks=tuple(_disks(readings, name)),
        nics=tuple(_nics(readings, name)),
        vcpu_places=tuple(
            (row["vcpu"], value) for row, value in readings.rows("xen_domain_vcpu_cpu") if row["domain"] == name
        ),
    )


def _disks(readings: Readings, name: str) -> list[DiskChain]:
    backing = {row["device"]: row for row, _ in readings.rows("xen_domain_vbd_backing_info") if row["domain"] == name}
    disks = []
    for row, _ in readings.rows("xen_domain_vbd_info"):
        if row["domain"] == name:
            below = backing.get(row["device"], {})
            chain = [row.get("source", ""), below.get("block_device", "")]
            chain += [f"lv {below['vg']}/{below['lv']}", f"vg {below['vg']}"] if below.get("lv") else []
            size = readings.value("xen_domain_vbd_capacity_bytes", domain=name, device=row["device"])
            disks.append(DiskChain(row["device"], tuple(dict.fromkeys(filter(None, chain))), size))
    return disks


def _nics(readings: Readings, name: str) -> list[NicChain]:
    nics = []
    for row, _ in readings.rows("xen_domain_vif_info"):
        if row["domain"] == name:
            attached = readings.value("xen_domain_vif_bridge_attached", domain=name, vif=row["vif"])
            nics.append(
                NicChain(
                    row.get("ifname") or row["vif"], row.get("mac", ""), row.get("bridge", ""), _yes_or_no(attached)
                )
            )
    return nics


def _yes_or_no(value: float | None) -> bool | None:
    return None if value is None else bool(value)
