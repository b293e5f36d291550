"""What carries the guests' disks: file systems of dom0, volume groups down to their volumes, arrays and paths."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web

from xenwatch.web.context import CONTEXT
from xenwatch.web.site.page import page
from xenwatch.web.site.readings import Readings

_FULL, _NEARLY_FULL = 0.95, 0.85


@dataclass(frozen=True, slots=True)
class Filled:
    """Something with a size that fills up. Bytes."""

    name: str
    size: float
    free: float | None
    notes: tuple[str, ...] = ()

    @property
    def used(self) -> float | None:
        return 1 - self.free / self.size if self.free is not None and self.size else None

    @property
    def level(self) -> str:
        """ok, warning or error."""
        used = self.used or 0.0
        return "error" if used > _FULL else "warning" if used > _NEARLY_FULL else "ok"


@dataclass(frozen=True, slots=True)
class VolumeGroup:
    """A group with what is in it."""

    space: Filled
    disks: tuple[Filled, ...]
    volumes: tuple[tuple[str, float, str, tuple[str, ...]], ...]
    """Name, size, which guest's disk it is, and what LVM says of it."""


async def storage(request: web.Request) -> web.Response:
    """Everything that the last sampling cycle knows of storage."""
    readings = Readings(request.app[CONTEXT].snapshot())
    return page(
        request,
        "storage.html",
        filesystems=list(_filesystems(readings)),
        groups=list(_groups(readings)),
        arrays=_states(readings, "xen_md_array_state", "array"),
        paths=[(row["device"], row["state"], int(value)) for row, value in readings.rows("xen_multipath_paths")],
    )


def _filesystems(readings: Readings) -> Iterator[Filled]:
    for row, size in readings.rows("xen_dom0_filesystem_size_bytes"):
        free = readings.value("xen_dom0_filesystem_avail_bytes", mountpoint=row["mountpoint"])
        yield Filled(row["mountpoint"], size, free)


def _groups(readings: Readings) -> Iterator[VolumeGroup]:
    for vg, own in sorted(readings.of_each("vg").items()):
        size = own.value("xen_lvm_vg_size_bytes")
        if size is not None:
            missing = own.value("xen_lvm_vg_missing_pvs")
            notes = (f"{missing:.0f} physical volumes are missing",) if missing else ()
            space = Filled(vg, size, own.value("xen_lvm_vg_free_bytes"), notes)
            yield VolumeGroup(space, tuple(_disks(own)), tuple(_volumes(own)))


def _disks(own: Readings) -> Iterator[Filled]:
    for row, size in own.rows("xen_lvm_pv_size_bytes"):
        missing = own.value("xen_lvm_pv_missing", pv=row["pv"])
        notes = ("missing",) if missing else ()
        yield Filled(row["pv"], size, own.value("xen_lvm_pv_free_bytes", pv=row["pv"]), notes)


def _volumes(own: Readings) -> Iterator[tuple[str, float, str, tuple[str, ...]]]:
    holders = {row["lv"]: row["domain"] for row, _ in own.rows("xen_lvm_lv_holder_info")}
    said: dict[str, list[str]] = defaultdict(list)
    for row, _ in own.rows("xen_lvm_lv_health"):
        said[row["lv"]].append(row["status"])
    for metric, words in (("data", "data"), ("metadata", "metadata")):
        for row, ratio in own.rows(f"xen_lvm_thin_{metric}_ratio"):
            said[row["lv"]].append(f"{words} {ratio:.0%} full")
    for row, ratio in own.rows("xen_lvm_snapshot_usage_ratio"):
        said[row["lv"]].append(f"snapshot of {row['origin']}, {ratio:.0%} full")
    for row, size in sorted(own.rows("xen_lvm_lv_size_bytes"), key=lambda one: one[0]["lv"]):
        yield row["lv"], size, holders.get(row["lv"], ""), tuple(said[row["lv"]])


def _states(readings: Readings, metric: str, label: str) -> dict[str, list[str]]:
    """The states that hold, by what they are about."""
    holding: dict[str, list[str]] = defaultdict(list)
    for row, value in readings.rows(metric):
        if value:
            holding[row[label]].append(row["state"])
    return dict(sorted(holding.items()))
