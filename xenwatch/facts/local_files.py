"""Facts that files of dom0 tell: bridges, interfaces, mounts, arrays, loop devices, mappings, memory."""

import os
from collections.abc import Iterator
from pathlib import Path

from xenwatch.host.files import names_in, read_text
from xenwatch.host.kernel.bridges import read_bridges
from xenwatch.host.kernel.devmapper import loops
from xenwatch.host.parse.mdstat import parse_mdstat
from xenwatch.host.parse.mounts import Mount, mounted_on, parse_mounts
from xenwatch.host.paths import Paths
from xenwatch.model.fact import FactValue
from xenwatch.model.subject import HOST, Subject

Told = tuple[str, Subject, FactValue, str]
"""A fact's name, subject, value and origin."""

_MEMINFO = {
    "MemTotal": "dom0.memory.total_bytes",
    "MemFree": "dom0.memory.free_bytes",
    "MemAvailable": "dom0.memory.available_bytes",
    "SwapFree": "dom0.swap.free_bytes",
}


def has_files(paths: Paths) -> bool:
    """Whether the host's files are here to be read: those of a host that is reached through ssh are not."""
    return paths.root.is_dir()


def local_facts(paths: Paths) -> Iterator[Told]:
    """Read in a thread: some thousand small files on a large host."""
    yield from _network(paths.sys)
    yield from _devices(paths.sys)
    yield from _arrays(paths.proc)
    yield from _mounts(paths)
    for line in (read_text(paths.proc / "meminfo") or "").splitlines():
        key, _, rest = line.partition(":")
        if key in _MEMINFO:
            yield _MEMINFO[key], HOST, int(rest.split()[0]) * 1024, "/proc/meminfo"


def _network(sys: Path) -> Iterator[Told]:
    bridges, interfaces = read_bridges(sys), names_in(sys / "class/net")
    yield "bridge.names", HOST, tuple(bridge.name for bridge in bridges), "sysfs"
    for bridge in bridges:
        yield "bridge.ports", Subject("bridge", bridge.name), tuple(port.name for port in bridge.ports), "sysfs"
    yield "interface.names", HOST, tuple(interfaces), "sysfs"
    for name in interfaces:
        if (state := read_text(sys / "class/net" / name / "operstate")) is not None:
            yield "interface.state", Subject("interface", name), state.upper(), "sysfs"


def _devices(sys: Path) -> Iterator[Told]:
    found = list(loops(sys))
    yield "loop.devices", HOST, tuple(f"/dev/{loop.name}" for loop in found), "sysfs"
    yield "loop.files", HOST, tuple(loop.file for loop in found), "sysfs"
    mapped = (read_text(sys / "block" / name / "dm/name") for name in names_in(sys / "block"))
    yield "dm.names", HOST, tuple(sorted(name for name in mapped if name)), "sysfs"


def _arrays(proc: Path) -> Iterator[Told]:
    arrays = parse_mdstat(read_text(proc / "mdstat") or "")
    yield "array.names", HOST, tuple(array.name for array in arrays), "/proc/mdstat"
    for array in arrays:
        yield "array.degraded", Subject("array", array.name), array.missing > 0, "/proc/mdstat"
        yield "array.failed", Subject("array", array.name), array.failed, "/proc/mdstat"


def _mounts(paths: Paths) -> Iterator[Told]:
    mounts, origin = parse_mounts(read_text(paths.proc / "mounts") or ""), "/proc/mounts"
    yield "mounts.devices", HOST, tuple(mount.device for mount in mounts), origin
    yield "mounts.points", HOST, tuple(mount.point for mount in mounts), origin
    for device, point in mounted_on(mounts).items():
        yield "device.mounted_on", Subject("device", device), point, origin
    for mount in mounts:
        subject = Subject("mount", mount.point)
        yield "mount.type", subject, mount.type, origin
        yield "mount.read_only", subject, "ro" in mount.options, origin
        yield from _space(paths, mount, subject)


def _space(paths: Paths, mount: Mount, subject: Subject) -> Iterator[Told]:
    """Of local disks only: a dead server must not hang this."""
    if mount.device.startswith("/dev/"):
        try:
            space = os.statvfs(paths.at(mount.point))
        except OSError:
            return
        yield "disk.free_bytes", subject, space.f_bavail * space.f_frsize, "statvfs"
        yield "disk.size_bytes", subject, space.f_blocks * space.f_frsize, "statvfs"
