"""The host at a glance: what an administrator looks at first."""

from collections.abc import Iterator
from typing import NamedTuple

from xenwatch.base.durations import format_size
from xenwatch.web.site.readings import Readings

_FULL, _NEARLY_FULL = 0.95, 0.85


class Tile(NamedTuple):
    """One number with its name; `level` is ok, warning or error."""

    name: str
    value: str
    note: str = ""
    level: str = "ok"


def tiles(readings: Readings) -> list[Tile]:
    """What the last sampling cycle knows; nothing that it does not know."""
    return [tile for make in (_guests, _memory, _dom0, _volume_groups, _bridges) for tile in make(readings)]


def headline(readings: Readings, now: float) -> str:
    """`Xen 4.17.5, up 12 days`."""
    version = next((row["xen_version"] for row, _ in readings.rows("xen_hypervisor_info")), "")
    booted = readings.value("xen_hypervisor_boot_time_seconds")
    up = f"up {_days(now - booted)}" if booted else ""
    return ", ".join(part for part in (f"Xen {version}" if version else "", up) if part)


def _guests(readings: Readings) -> Iterator[Tile]:
    by_state = {row["state"]: int(value) for row, value in readings.rows("xen_hypervisor_domains") if value}
    if by_state:
        running = by_state.pop("running", 0)
        bad = any(state in by_state for state in ("crashed", "dying"))
        others = ", ".join(f"{count} {state}" for state, count in sorted(by_state.items()))
        yield Tile("Domains running", str(running), others, "error" if bad else "ok")


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
        note = "" if uplinks is None else f"{uplinks:.0f} of them uplinks"
        yield Tile(f"Bridge {row['bridge']}", f"{ports:.0f} ports", note, "warning" if uplinks == 0 else "ok")


def _days(seconds: float) -> str:
    days, hours = divmod(max(0, int(seconds)) // 3600, 24)
    return f"{days} days" if days > 1 else f"{days * 24 + hours} hours"
