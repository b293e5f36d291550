"""dom0 itself: its balloon's target and size, what the hypervisor steals from it, pressure, and its console ring."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xenwatch.host.files import read_bytes, read_number, read_text
from xenwatch.host.host import Host
from xenwatch.host.parse.memory import parse_meminfo
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

TARGET = Metric("xen_dom0_memory_target_bytes", "gauge", "Memory that dom0's balloon aims at")
CURRENT = Metric("xen_dom0_memory_current_bytes", "gauge", "Memory that dom0's balloon has")
AVAILABLE = Metric("xen_dom0_memory_available_bytes", "gauge", "Memory that programs in dom0 could still get")
STEAL = Metric(
    "xen_dom0_cpu_steal_seconds_total", "counter", "Time that dom0 wanted a cpu and the hypervisor gave it to others"
)
PRESSURE = Metric(
    "xen_dom0_pressure_stalled_seconds_total",
    "counter",
    "Time in which some task of dom0 waited for a resource",
    ("resource",),
)
BOOT = Metric("xen_hypervisor_boot_time_seconds", "gauge", "When dom0 booted, and with it the hypervisor")
CRASH_KERNEL = Metric("xen_kexec_crash_loaded", "gauge", "Whether a crash kernel is loaded")


async def _collect(host: Host) -> Sequence[Sample]:
    """A few small files of procfs and sysfs, read in well under a millisecond."""
    proc, sys = host.paths.proc, host.paths.sys
    return [*_memory(proc, sys), *_cpu(proc), *_pressure(proc), *_kexec(sys)]


def _memory(proc: Path, sys: Path) -> Iterator[Sample]:
    balloon = sys / "devices/system/xen_memory/xen_memory0"
    for metric, path in ((TARGET, balloon / "target_kb"), (CURRENT, balloon / "info/current_kb")):
        if (size := read_number(str(path))) is not None:
            yield Sample(metric, (), float(size * 1024))
    if (available := parse_meminfo(read_text(proc / "meminfo") or "").get("MemAvailable")) is not None:
        yield Sample(AVAILABLE, (), float(available))


def _cpu(proc: Path) -> Iterator[Sample]:
    """Fields of the `cpu` line are hundredths of a second; the eighth is steal (proc(5))."""
    for line in (read_bytes(proc / "stat") or b"").splitlines():
        words = line.split()
        if words[0:1] == [b"cpu"] and len(words) > 8:  # noqa: PLR2004
            yield Sample(STEAL, (), int(words[8]) / 100)
        elif words[0:1] == [b"btime"]:
            yield Sample(BOOT, (), float(words[1]))


def _pressure(proc: Path) -> Iterator[Sample]:
    for resource in ("cpu", "memory", "io"):
        some = (read_text(proc / "pressure" / resource) or "").partition("\n")[0]
        total = some.rpartition("total=")[2]
        if some.startswith("some") and total.isdigit():
            yield Sample(PRESSURE, (resource,), int(total) / 1e6)


def _kexec(sys: Path) -> Iterator[Sample]:
    if (loaded := read_number(f"{sys}/kernel/kexec_crash_loaded")) is not None:
        yield Sample(CRASH_KERNEL, (), float(loaded))


COLLECTOR = Collector(
    name="dom0",
    metrics=(TARGET, CURRENT, AVAILABLE, STEAL, PRESSURE, BOOT, CRASH_KERNEL),
    begin=lambda: _collect,
    interval=10.0,
    deadline=5.0,
)
