"""Disks of guests: requests and bytes from blkback's own counters in sysfs, and what backs each disk."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from operator import mul

from xenwatch.host.devices import Device
from xenwatch.host.files import read_numbers, read_text
from xenwatch.host.host import Host
from xenwatch.host.inventory import DomainInventory
from xenwatch.host.kernel.blocks import Volumes
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
CAPACITY = Metric("xen_domain_vbd_capacity_bytes", "gauge", "Size of a guest's disk", _DISK)
LOG_STATS = Metric(
    "xen_blkback_log_stats_enabled", "gauge", "Whether blkback logs, and thereby zeroes, its counters every ten seconds"
)
_FILES = ("rd_req", "wr_req", "f_req", "ds_req", "oo_req", "rd_sect", "wr_sect")
_COUNTERS = (READS, WRITES, FLUSHES, DISCARDS, STARVED, READ_BYTES, WRITTEN_BYTES)
_UNITS = (1, 1, 1, 1, 1, SECTOR, SECTOR)
DISKS = ("vbd", "qdisk", "tap")
_DESCRIBE_SECONDS = 60.0


class _Reader:
    def __init__(self) -> None:
        self._counters = Counters()
        self._described = _Described()

    async def __call__(self, host: Host) -> Sequence[Sample]:
        inventory, devices = await host.domains.current(), await host.devices.current()
        return await host.aside.run(self._read, host.paths, inventory, devices, host.clock.monotonic())

    def _read(self, paths: Paths, inventory: DomainInventory, devices: tuple[Device, ...], now: float) -> list[Sample]:
        samples: list[Sample] = []
        bus = str(paths.at("sys/bus/xen-backend/devices"))
        for disk in devices:
            domain = inventory.by_domid.get(disk.domid) if disk.kind in DISKS else None
            if domain is not None:
                folder = f"{bus}/{disk.kind}-{disk.domid}-{disk.devid}/statistics"
                samples += self._counted(folder, disk, (domain.name, disk.name))
        self._counters.forget_unread()
        samples += self._described.samples(paths, inventory, devices, now)
        enabled = read_text(paths.at("sys/module/xen_blkback/parameters/log_stats"))
        if enabled is not None:
            samples.append(Sample(LOG_STATS, (), float(enabled not in ("0", "N"))))
        return samples

    def _counted(self, folder: str, disk: Device, labels: tuple[str, str]) -> Iterable[Sample]:
        """A disk served by qemu has no such folder: nothing is emitted, not 0."""
        readings = read_numbers(folder, _FILES)
        counters = tuple(reading or 0 for reading in readings)
        counts = map(mul, self._counters.unwrapped((disk.domid, disk.devid), counters), _UNITS)
        samples = row(_COUNTERS, labels, counts)
        return compress(samples, [reading is not None for reading in readings]) if None in readings else samples


class _Described:
    """Properties of disks, read again when a disk or a guest came or went, else once a minute: a volume may grow."""

    def __init__(self) -> None:
        self._of: tuple[tuple[Device, ...], int] | None = None
        self._at = 0.0
        self._samples: list[Sample] = []

    def samples(
        self, paths: Paths, inventory: DomainInventory, devices: tuple[Device, ...], now: float
    ) -> list[Sample]:
        of = (devices, inventory.version)
        same = self._of is not None and self._of[0] is devices and self._of[1] == inventory.version
        if not same or now - self._at >= _DESCRIBE_SECONDS:
            volumes, names = Volumes(paths), inventory.by_domid
            disks = [disk for disk in devices if disk.kind in DISKS and disk.domid in names]
            self._samples = [one for disk in disks for one in _described(disk, names[disk.domid].name, volumes)]
            self._of, self._at = of, now
        return self._samples


def _described(disk: Device, domain: str, volumes: Volumes) -> Iterator[Sample]:
    about, labels = disk.about, (domain, disk.name)
    if not about:
        return
    words = (about.get(key, "") for key in ("params", "mode", "device-type", "physical-device"))
    yield Sample(INFO, (*labels, about.get("type", disk.kind), *words), 1.0)
    volume = volumes.behind(about.get("physical-device", ""))
    if volume is not None:
        yield Sample(BACKING, (*labels, volume.name, volume.vg, volume.lv), 1.0)
    size = volume.size_bytes if volume is not None else _told_size(about.get("sectors", ""))
    if size is not None:
        yield Sample(CAPACITY, labels, float(size))


def _told_size(sectors: str) -> int | None:
    """What the backend, which is dom0's, wrote for its frontend to read."""
    return int(sectors) * SECTOR if sectors.isdecimal() else None


COLLECTOR = Collector(
    name="vbd",
    metrics=(INFO, BACKING, CAPACITY, LOG_STATS, *_COUNTERS),
    begin=_Reader,
    interval=10.0,
    deadline=8.0,
)
