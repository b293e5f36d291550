"""File systems that dom0 and its guests' disks need: their space and their inodes."""

from collections.abc import Iterator, Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.filesystems import Room, file_systems, rooms
from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

SIZE = Metric("xen_dom0_filesystem_size_bytes", "gauge", "Size of a file system that dom0 needs", ("mountpoint",))
AVAILABLE = Metric(
    "xen_dom0_filesystem_avail_bytes", "gauge", "What is free in it for all but root's reserve", ("mountpoint",)
)
INODES = Metric(
    "xen_dom0_filesystem_files", "gauge", "Inodes in it; absent where it has no fixed number", ("mountpoint",)
)
FREE_INODES = Metric("xen_dom0_filesystem_files_free", "gauge", "Inodes that are free in it", ("mountpoint",))


async def _collect(host: Host) -> Sequence[Sample]:
    if not host.paths.root.is_dir():
        raise Unsupported("filesystems: the host's files are not here")
    needed = [one.mount for one in await file_systems(host) if one.holds]
    found = sorted((await rooms(host, needed)).items())
    return [sample for point, room in found for sample in _samples((point,), room)]


def _samples(labels: tuple[str], room: Room) -> Iterator[Sample]:
    yield Sample(SIZE, labels, float(room.size_bytes))
    yield Sample(AVAILABLE, labels, float(room.free_bytes))
    if room.inodes:
        yield Sample(INODES, labels, float(room.inodes))
        yield Sample(FREE_INODES, labels, float(room.free_inodes))


COLLECTOR = Collector(
    name="filesystems",
    metrics=(SIZE, AVAILABLE, INODES, FREE_INODES),
    begin=lambda: _collect,
    interval=60.0,
    deadline=30.0,
    follows_domains=False,
)
