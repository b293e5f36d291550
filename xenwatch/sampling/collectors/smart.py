"""Health of dom0's disks, by smartctl: verdict, bad sectors, temperature, wear. A disk that sleeps is let sleep."""

import re
from collections.abc import Iterator, Sequence

from xenwatch.base.errors import CommandFailed, Unsupported
from xenwatch.host.files import names_in
from xenwatch.host.host import Host
from xenwatch.host.parse.smartctl import DiskHealth, parse_disk
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

HEALTHY = Metric("xen_disk_smart_healthy", "gauge", "Whether a disk of dom0 says that it is well", ("disk",))
BAD = Metric("xen_disk_smart_bad_sectors", "gauge", "What a disk counts of its own failing parts", ("disk", "kind"))
CELSIUS = Metric("xen_disk_temperature_celsius", "gauge", "Temperature of a disk", ("disk",))
HOURS = Metric("xen_disk_powered_seconds_total", "counter", "How long a disk has been running", ("disk",))
WORN = Metric("xen_disk_worn_ratio", "gauge", "Used up of the writing that a disk was made for", ("disk",))
_DISK = re.compile(r"sd[a-z]{1,3}|nvme\d{1,3}n\d{1,3}")
_MOST = 64


async def _collect(host: Host) -> Sequence[Sample]:
    disks = sorted(name for name in names_in(host.paths.at("sys/block")) if _DISK.fullmatch(name))[:_MOST]
    samples: list[Sample] = []
    for disk in disks:
        health = parse_disk(await _asked(host, disk))
        if health is not None:
            samples += _of(disk, health)
    return samples


async def _asked(host: Host, disk: str) -> str:
    """The exit code of smartctl is a set of bits, most of which are about the disk: the text counts."""
    argv = ("smartctl", "--json", "-n", "standby", "-a", f"/dev/{disk}")
    try:
        return (await host.runner.run(argv, 10.0)).text
    except CommandFailed as error:
        if error.returncode is None:
            raise Unsupported("smart: smartctl is not here") from None
        raise


def _of(disk: str, health: DiskHealth) -> Iterator[Sample]:
    if health.passed is not None:
        yield Sample(HEALTHY, (disk,), float(health.passed))
    if health.celsius is not None:
        yield Sample(CELSIUS, (disk,), float(health.celsius))
    if health.powered_hours is not None:
        yield Sample(HOURS, (disk,), health.powered_hours * 3600.0)
    if health.worn_ratio is not None:
        yield Sample(WORN, (disk,), health.worn_ratio)
    for kind, count in health.bad_sectors.items():
        yield Sample(BAD, (disk, kind), float(count))


COLLECTOR = Collector(
    name="smart",
    metrics=(HEALTHY, BAD, CELSIUS, HOURS, WORN),
    begin=lambda: _collect,
    interval=600.0,
    deadline=300.0,
    default_on=False,
)
