"""Disks of guests: requests and bytes from blkback's own counters in sysfs, and what stands behind each disk."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from operator import mul

from xenwatch.host.devices import Device
from xenwatch.host.doors import Doors
from xenwatch.host.files import names_in, read_numbers, read_text
from xenwatch.host.inventory import Inventory
from xenwatch.host.paths import Paths
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector
from xenwatch.sampling.counters import Counters
from xenwatch.sampling.rows import row

_DISK = ("domain", "device")
SECTOR = 512
"""blkback counts in units of 512 bytes whatever the disk's sector size is (linux: drivers/block/xen-blkback)."""

INFO = Metric(
    "xen_domain_vbd_info",
    "info",
    "A guest's disk",
    (*_DISK, "backend", "source", "mode", "device_type", "physical_device"),
)
BACKING = Metric(
    "xen_domain_vbd_backing_info",
    "info",
    "Block device behind a disk, with its volume group and logical volume",
    (*_DISK, "block_device", "vg", "lv"),
)
READS = Metric("xen_domain_vbd_read_requests_total", "counter", "Read requests of a guest's disk", _DISK)
WRITES = Metric("xen_domain_vbd_write_requests_total", "counter", "Write requests of a guest's disk", _DISK)
FLUSHES = Metric("xen_domain_vbd_flush_requests_total", "counter", "Flush requests of a guest's disk", _DISK)
DISCARDS = Metric("xen_domain_vbd_discard_requests_total", "counter", "Discard requests of a guest's disk", _DISK)
STARVED = Metric(
    "xen_domain_vbd_out_of_requests_total", "counter", "How often blkback had no free request left for a disk", _DISK
)
READ_BYTES = Metric("xen_domain_vbd_read_bytes_total", "counter", "Bytes a guest read from a disk", _DISK)
WRITTEN_BYTES = Metric("xen_domain_vbd_written_bytes_total", "counter", "Bytes a guest wrote to a disk", _DISK)
LOG_STATS = Metric(
    "xen_blkback_log_stats_enabled", "gauge", "Whether blkback logs, and thereby zeroes, its counters every ten seconds"
)
_FILES = ("rd_req", "wr_req", "f_req", "ds_req", "oo_req", "rd_sect", "wr_sect")
_COUNTERS = (READS, WRITES, FLUSHES, DISCARDS, STARVED, READ_BYTES, WRITTEN_BYTES)
_UNITS = (1, 1, 1, 1, 1, SECTOR, SECTOR)
DISKS = ("vbd", "qdisk", "tap")


class _Reader:
    def __init__(self) -> None:
        self._counters = Counters()

    async def __call__(self, doors: Doors) -> Sequence[Sample]:
        inventory = await doors.domains.current()
        disks = [device for device in await doors.devices.current() if device.kind in DISKS]
        return await doors.aside.run(self._read, doors.paths, inventory, disks)

    def _read(self, paths: Paths, inventory: Inventory, disks: Sequence[Device]) -> list[Sample]:
        samples: list[Sample] = []
        bus, volumes = str(paths.at("sys/bus/xen-backend/devices")), _Volumes(paths)
        for disk in disks:
            domain = inventory.by_domid.get(disk.domid)
            if domain is not None:
                labels = (domain.name, disk.name)
                samples += self._counted(f"{bus}/{disk.kind}-{disk.domid}-{disk.devid}/statistics", disk, labels)
                samples += _described(disk, labels, volumes)
        self._counters.forget_unread()
        enabled = read_text(paths.at("sys/module/xen_blkback/parameters/log_stats"))
        if enabled is not None:
            samples.append(Sample(LOG_STATS, (), float(enabled not in ("0", "N"))))
        return samples

    def _counted(self, folder: str, disk: Device, labels: tuple[str, str]) -> Iterable[Sample]:
        """A disk served by qemu has no such folder: nothing is emitted, not 0."""
        readings = read_numbers(folder, _FILES)
        known = tuple(reading or 0 for reading in readings)
        counts = map(mul, self._counters.unwrapped((disk.domid, disk.devid), known), _UNITS)
        found = row(_COUNTERS, labels, counts)
        return compress(found, [reading is not None for reading in readings]) if None in readings else found


def _described(disk: Device, labels: tuple[str, str], volumes: "_Volumes") -> Iterator[Sample]:
    about = disk.about
    if not about:
        return
    words = (about.get(key, "") for key in ("params", "mode", "device-type", "physical-device"))
    yield Sample(INFO, (*labels, about.get("type", disk.kind), *words), 1.0)
    found = volumes.behind(about.get("physical-device", ""))
    if found is not None:
        yield Sample(BACKING, (*labels, *found), 1.0)


class _Volumes:
    """Finds block devices by their numbers, once a reading."""

    def __init__(self, paths: Paths) -> None:
        self._blocks = paths.at("sys/block")
        self._by_number: dict[str, str] | None = None

    def behind(self, number: str) -> tuple[str, str, str] | None:
        """Kernel name, volume group and logical volume of `fd:0`, as xenstore writes it: hexadecimal."""
        major, _, minor = number.partition(":")
        try:
            wanted = f"{int(major, 16)}:{int(minor, 16)}"
        except ValueError:
            return None
        if self._by_number is None:
            self._by_number = {read_text(self._blocks / n / "dev") or "": n for n in names_in(self._blocks)}
        name = self._by_number.get(wanted)
        if name is None:
            return None
        return (name, *split_lv(read_text(self._blocks / name / "dm/name") or ""))


def split_lv(name: str) -> tuple[str, str]:
    """Volume group and logical volume in a device-mapper name, where a hyphen inside either is written twice."""
    vg, dash, lv = name.replace("--", "\0").partition("-")
    return (vg.replace("\0", "-"), lv.replace("\0", "-")) if dash else ("", "")


COLLECTOR = Collector(
    name="vbd",
    metrics=(INFO, BACKING, LOG_STATS, *_COUNTERS),
    begin=_Reader,
    interval=10.0,
    deadline=8.0,
)
