"""Disks that tapdisk3 serves (XCP-ng, XenServer): how long requests take, how many are under way."""

from collections.abc import Iterator, Sequence

from xenwatch.host.host import Host
from xenwatch.host.kernel.tapdisk import TapdiskCounts, read_tapdisk, tapdisks
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

_DISK = ("domain", "device")
_WAY = (*_DISK, "direction")
REQUESTS = Metric("xen_domain_tapdisk_requests_total", "counter", "Requests that tapdisk took from a guest", _WAY)
DONE = Metric("xen_domain_tapdisk_requests_done_total", "counter", "Requests that tapdisk has answered", _WAY)
SECONDS = Metric(
    "xen_domain_tapdisk_request_seconds_total",
    "counter",
    "Time from request to answer, summed; divided by the requests done it is the mean latency",
    _WAY,
)
LONGEST = Metric("xen_domain_tapdisk_longest_request_seconds", "gauge", "The longest since the disk came", _WAY)
IN_FLIGHT = Metric("xen_domain_tapdisk_in_flight", "gauge", "Requests that wait for their answer", _WAY)
BYTES = Metric("xen_domain_tapdisk_bytes_total", "counter", "Bytes that were handed on to the storage", _WAY)
STARVED = Metric(
    "xen_domain_tapdisk_out_of_memory_total", "counter", "How often tapdisk had no memory for a request", _DISK
)
_SECTOR = 512


async def _collect(host: Host) -> Sequence[Sample]:
    """Nothing where no disk is tapdisk's."""
    here = list(tapdisks(host.paths))
    if not here:
        return ()
    inventory = await host.domains.current()
    names = {(disk.domid, disk.devid): disk.name for disk in await host.devices.current() if disk.domid}
    samples: list[Sample] = []
    for domid, devid in here:
        domain = inventory.by_domid.get(domid)
        counts = await read_tapdisk(host.paths, host.runner, domid, devid) if domain is not None else None
        if domain is not None and counts is not None:
            samples += _of(counts, (domain.name, names.get((domid, devid), str(devid))))
    return samples


def _of(counts: TapdiskCounts, labels: tuple[str, str]) -> Iterator[Sample]:
    yield Sample(STARVED, labels, float(counts.starved))
    for direction, taken, done, sectors, spent, longest in (
        ("read", counts.reads, counts.reads_done, counts.read_sectors,
         counts.read_microseconds, counts.longest_read_microseconds),
        ("write", counts.writes, counts.writes_done, counts.written_sectors,
         counts.write_microseconds, counts.longest_write_microseconds),
    ):  # fmt: skip
        way = (*labels, direction)
        yield Sample(REQUESTS, way, float(taken))
        yield Sample(DONE, way, float(done))
        yield Sample(IN_FLIGHT, way, float(max(taken - done, 0)))
        yield Sample(BYTES, way, float(sectors * _SECTOR))
        yield Sample(SECONDS, way, spent / 1e6)
        yield Sample(LONGEST, way, longest / 1e6)


COLLECTOR = Collector(
    name="tapdisk",
    metrics=(REQUESTS, DONE, SECONDS, LONGEST, IN_FLIGHT, BYTES, STARVED),
    begin=lambda: _collect,
    interval=30.0,
    deadline=20.0,
)
