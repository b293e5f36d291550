"""The host at a glance: what an administrator looks at first."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from xenwatch.base.durations import format_size
from xenwatch.web.site.readings import Readings

_FULL, _NEARLY_FULL = 0.95, 0.85
_DOM0 = "Domain-0"


class Tile(NamedTuple):
    """One number with its name; `level` is ok, warning or error."""

    name: str
    value: str
    note: str = ""
    level: str = "ok"


def tiles(readings: Readings, cpu_lately: Mapping[str, Sequence[float]]) -> list[Tile]:
    """What the last sampling cycle knows; nothing that it does not know. `cpu_lately`: cpus used, by domain."""
    busy = list(_cpus(readings, {name: values[-1] for name, values in cpu_lately.items() if values}))
    makers = (_dom0, _filesystems, _volume_groups, _bridges)
    return [*_guests(readings), *busy, *_memory(readings), *(tile for make in makers for tile in make(readings))]


def headline(readings: Readings, now: float) -> str:
    """`Xen 4.17.5 with libvirt 9.0.0, up 12 days`."""
    info = next((row for row, _ in readings.rows("xen_hypervisor_info")), {})
    version, libvirt = info.get("xen_version", ""), info.get("libvirt_version", "")
    booted = readings.value("xen_hypervisor_boot_time_seconds")
    up = f"up {_days(now - booted)}" if booted else ""
    xen = f"Xen {version}" + (f" with libvirt {libvirt}" if libvirt else "") if version else ""
    return ", ".join(part for part in (xen, up) if part)


def _guests(readings: Readings) -> Iterator[Tile]:
    by_state = {row["state"]: int(value) for row, value in readings.rows("xen_hypervisor_domains") if value}
    if by_state:
        running = by_state.pop("running", 0) + by_state.pop("blocked", 0)  # blocked: it runs and has nothing to do
        bad = any(state in by_state for state in ("crashed", "dying"))
        others = ", ".join(f"{count} {state}" for state, count in sorted(by_state.items()))
        yield Tile("Domains running", str(running), others, "error" if bad else "ok")


def _cpus(readings: Readings, used: Mapping[str, float]) -> Iterator[Tile]:
    """What all domains used of the cpus in the last minute."""
    known = {name: cpus for name, cpus in used.items() if not math.isnan(cpus)}
    total = readings.value("xen_hypervisor_cpus", state="all")
    if known and total:
        share = sum(known.values()) / total
        own = f", dom0 uses {known[_DOM0]:.1f}" if _DOM0 in known else ""
        yield Tile("Cpus busy", f"{share * 100:.0f} %", f"of {total:.0f}{own}", "warning" if share > _FULL else "ok")


def _filesystems(readings: Readings) -> Iterator[Tile]:
    """Those of dom0 that fill up; the others are on the page about storage."""
    for row, size in readings.rows("xen_dom0_filesystem_size_bytes"):
        free = readings.value("xen_dom0_filesystem_avail_bytes", mountpoint=row["mountpoint"])
        if free is not None and size and 1 - free / size > _NEARLY_FULL:
            level = "error" if 1 - free / size > _FULL else "warning"
            yield Tile(f"{row['mountpoint']} in dom0", format_size(free), f"free of {format_size(size)}", level)


def _memory(readings: Readings) -> Iterator[Tile]:
    free = readings.value("xen_hypervisor_memory_free_bytes")
    total = readings.value("xen_hypervisor_memory_total_bytes")
    if free is not None and total:
        yield Tile("Free for guests", format_size(free), f"of {format_size(total)} that Xen manages")


def _dom0(readings: Readings) -> Iterator[Tile]:
    available = readings.value("xen_dom0_memory_available_bytes")
    if available is not None:
        low = available < 256 * 1024 * 1024
        yield Tile("dom0 memory", format_size(available), "available to its programs", "warning" if low else "ok")


def _volume_groups(readings: Readings) -> Iterator[Tile]:
    for row, size in readings.rows("xen_lvm_vg_size_bytes"):
        free = readings.value("xen_lvm_vg_free_bytes", vg=row["vg"])
        if free is not None and size:
            used = 1 - free / size
            level = "error" if used > _FULL else "warning" if used > _NEARLY_FULL else "ok"
            yield Tile(f"Volume group {row['vg']}", format_size(free), f"free of {format_size(size)}", level)


def _bridges(readings: Readings) -> Iterator[Tile]:
    for row, ports in readings.rows("xen_bridge_ports"):
        uplinks = readings.value("xen_bridge_uplinks", bridge=row["bridge"])
        note = "" if uplinks is None else "1 of them an uplink" if uplinks == 1 else f"{uplinks:.0f} of them uplinks"
        yield Tile(f"Bridge {row['bridge']}", f"{ports:.0f} ports", note, "warning" if uplinks == 0 else "ok")


def _days(seconds: float) -> str:
    days, hours = divmod(max(0, int(seconds)) // 3600, 24)
    return f"{days} days" if days > 1 else f"{days * 24 + hours} hours"
