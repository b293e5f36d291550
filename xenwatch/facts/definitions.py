"""What each fact is called, who it is about, and how its value is made of what a command or a file says."""

from collections.abc import Iterable, Iterator, Mapping

from xenwatch.base import lazy_re as re
from xenwatch.host.inventory import Domain, join
from xenwatch.host.parse.bridges import parse_brctl_show, parse_bridge_link
from xenwatch.host.parse.dmsetup import parse_dmsetup
from xenwatch.host.parse.ip import parse_ip
from xenwatch.host.parse.loops import parse_losetup
from xenwatch.host.parse.mdstat import parse_mdstat
from xenwatch.host.parse.memory import parse_free, parse_meminfo
from xenwatch.host.parse.mounts import Mount, holds_of, mounted_on, parse_df, parse_df_inodes, parse_mounts
from xenwatch.host.parse.ps import parse_ps
from xenwatch.host.parse.xenstore_ls import DEVICE_MODEL_PID, parse_xenstore_ls
from xenwatch.host.parse.xl_info import mebibytes, parse_info
from xenwatch.host.parse.xl_list import active, parse_xl_list
from xenwatch.model.fact import FactValue
from xenwatch.model.subject import HOST, Subject

FactRow = tuple[str, Subject, FactValue]
"""A fact's name, subject and value."""

_HOTPLUG = re.compile(
    r"^/local/domain/(?P<back>\d+)/backend/(?P<kind>\w+)/(?P<domid>\d+)/(?P<device>\d+)/hotplug-(?P<what>error|status)$"
)
_DEVICE_MODEL = re.compile(rf"^/local/domain/(?P<domid>\d+)/{DEVICE_MODEL_PID}$")
_MOST_MEBIBYTES = 64 * 1024
"""dom0 never has less than this many KiB, and hardly more than this many MiB."""


def listed_domains(text: str) -> Iterator[FactRow]:
    """Of `xl list` and `xm list`: domains that run, and with xm also those that are only managed."""
    rows = parse_xl_list(text)
    managed = [
        Domain(row.name, row.uuid, None, "shutoff", memory_bytes=row.memory_bytes, vcpus=row.vcpus)
        for row in rows
        if row.domid is None and row.name
    ]
    joined = join(active(rows), ())
    yield from domains([*joined.domains, *managed])
    yield from zombies(joined.zombies)


def domains(inventory: Iterable[Domain]) -> Iterator[FactRow]:
    """Of the host's list of domains, each name once."""
    inventory = tuple(inventory)
    yield "domain.names", HOST, tuple(sorted({domain.name for domain in inventory}))
    for domain in inventory:
        subject = Subject("domain", domain.name, domain.uuid, domain.domid)
        yield "domain.state", subject, "off" if domain.state == "shutoff" else domain.state
        if domain.memory_bytes is not None:
            yield "domain.memory_bytes", subject, domain.memory_bytes
        if domain.vcpus is not None:
            yield "domain.vcpus", subject, domain.vcpus


def zombies(domids: Iterable[int]) -> Iterator[FactRow]:
    """Domains that are dead and still there; none is told too."""
    yield "domain.zombies", HOST, tuple(map(str, domids))


def printed_hypervisor(text: str) -> Iterator[FactRow]:
    """Of `xl info` and `xm info`."""
    return hypervisor(parse_info(text))


def hypervisor(info: Mapping[str, str]) -> Iterator[FactRow]:
    """Memory, version and abilities of the hypervisor, by the keys of `xl info`."""
    for key, name in (("total_memory", "memory.total_bytes"), ("free_memory", "memory.free_bytes")):
        if (size := mebibytes(info, key)) is not None:
            yield name, HOST, size
    version = info.get("xen_version") or "".join(
        (info.get("xen_major", ""), "." + info.get("xen_minor", ""), info.get("xen_extra", ""))
    )
    if version.strip("."):
        yield "xen.version", HOST, version
    for key, name in (("virt_caps", "xen.virt_caps"), ("xen_caps", "xen.caps")):
        if key in info:
            yield name, HOST, tuple(info[key].split())
    if "xen_commandline" in info:
        yield "xen.command_line", HOST, info["xen_commandline"]
    if info.get("nr_cpus", "").isdigit():
        yield "host.cpus", HOST, int(info["nr_cpus"])


def brctl_bridges(text: str) -> Iterator[FactRow]:
    """Of `brctl show`: all bridges with their ports."""
    return bridges(parse_brctl_show(text))


def bridges(ports: Mapping[str, tuple[str, ...]]) -> Iterator[FactRow]:
    """All bridges with their ports."""
    yield "bridge.names", HOST, tuple(ports)
    yield from bridge_ports(ports)


def bridge_links(text: str) -> Iterator[FactRow]:
    """A bridge without ports is not in the output of `bridge link`, so it does not say which bridges there are."""
    return bridge_ports(parse_bridge_link(text))


def bridge_ports(ports: Mapping[str, tuple[str, ...]]) -> Iterator[FactRow]:
    """The ports of the bridges that are named, which need not be all."""
    for bridge, plugged in ports.items():
        yield "bridge.ports", Subject("bridge", bridge), plugged


def printed_interfaces(text: str) -> Iterator[FactRow]:
    """Of `ip addr`, `ip link` and ifconfig."""
    return interfaces({interface.name: interface.state for interface in parse_ip(text)})


def interfaces(states: Mapping[str, str | None]) -> Iterator[FactRow]:
    """All network interfaces of dom0 with the kernel's word for their state, None where it is not known."""
    yield "interface.names", HOST, tuple(states)
    for name, state in states.items():
        if state:
            yield "interface.state", Subject("interface", name), state.upper()


def printed_loops(text: str) -> Iterator[FactRow]:
    """Of losetup."""
    return loops(parse_losetup(text))


def loops(files: Mapping[str, str]) -> Iterator[FactRow]:
    """Loop devices in use, with the file behind each."""
    yield "loop.devices", HOST, tuple(files)
    yield "loop.files", HOST, tuple(files.values())


def printed_mappings(text: str) -> Iterator[FactRow]:
    """Of `dmsetup ls`."""
    return mappings(parse_dmsetup(text))


def mappings(names: Iterable[str]) -> Iterator[FactRow]:
    """Names of device-mapper."""
    yield "dm.names", HOST, tuple(sorted(names))


def arrays(text: str) -> Iterator[FactRow]:
    """Of /proc/mdstat. An array is degraded where a slot has no working member; a failed spare costs it nothing."""
    found = parse_mdstat(text)
    yield "array.names", HOST, tuple(array.name for array in found)
    for array in found:
        subject = Subject("array", array.name)
        yield "array.active", subject, array.active
        yield "array.degraded", subject, array.missing > 0
        yield "array.failed", subject, array.failed


def printed_space(text: str) -> Iterator[FactRow]:
    """Of df and `df -i`."""
    rows = parse_df(text)
    holds = holds_of(Mount(row.device, row.point, "", ()) for row in rows)
    for row in rows:
        yield from space(row.point, row.free_bytes, row.size_bytes)
        yield "mount.holds", Subject("mount", row.point), holds.get(row.point, ())
    for point, total, free in parse_df_inodes(text):
        yield from inodes(point, free, total)


def space(mount_point: str, free_bytes: int, size_bytes: int) -> Iterator[FactRow]:
    """Space in one file system."""
    subject = Subject("mount", mount_point)
    yield "disk.free_bytes", subject, free_bytes
    yield "disk.size_bytes", subject, size_bytes


def inodes(mount_point: str, free: int, total: int) -> Iterator[FactRow]:
    """Inodes of one file system; 0 of 0 where it has none, as vfat and btrfs."""
    subject = Subject("mount", mount_point)
    yield "disk.free_inodes", subject, free
    yield "disk.inodes", subject, total


def mounts(text: str) -> Iterator[FactRow]:
    """Of /proc/mounts and mount(8): what is mounted where."""
    found = parse_mounts(text)
    yield "mounts.devices", HOST, tuple(mount.device for mount in found)
    yield "mounts.points", HOST, tuple(mount.point for mount in found)
    for device, point in mounted_on(found).items():
        yield "device.mounted_on", Subject("device", device), point
    for mount in found:
        yield "mount.type", Subject("mount", mount.point), mount.type
        yield "mount.read_only", Subject("mount", mount.point), "ro" in mount.options


def own_memory(text: str) -> Iterator[FactRow]:
    """Of /proc/meminfo: dom0's memory, not the host's."""
    return _memory(parse_meminfo(text))


def free_memory(text: str) -> Iterator[FactRow]:
    """`free` prints no unit: totals with few digits are MiB (`-m`), others KiB."""
    total = parse_free(text, 1).get("MemTotal", 0)
    return _memory(parse_free(text, 1024**2 if total < _MOST_MEBIBYTES else 1024))


def _memory(values: Mapping[str, int]) -> Iterator[FactRow]:
    for key, name in (
        ("MemTotal", "dom0.memory.total_bytes"),
        ("MemAvailable", "dom0.memory.available_bytes"),
        ("MemFree", "dom0.memory.free_bytes"),
        ("SwapFree", "dom0.swap.free_bytes"),
    ):
        if key in values:
            yield name, HOST, values[key]


def printed_xenstore(text: str) -> Iterator[FactRow]:
    """Of xenstore-ls."""
    values = parse_xenstore_ls(text)
    yield from hotplug(values)
    for path, value in values.items():
        if (found := _DEVICE_MODEL.match(path)) and (name := values.get(f"/local/domain/{found['domid']}/name")):
            yield from device_model(name, int(found["domid"]), value)


def device_model(name: str, domid: int, pid: str) -> Iterator[FactRow]:
    """Which process serves the guest's emulated devices, or its disks in files."""
    yield "device_model.pid", Subject("domain", name, domid=domid), pid


def printed_processes(text: str) -> Iterator[FactRow]:
    """Of ps, in any form that has a column PID."""
    return processes(parse_ps(text))


def processes(pids: Iterable[str]) -> Iterator[FactRow]:
    """All that run."""
    yield "process.pids", HOST, tuple(pids)


def hotplug(values: Mapping[str, str]) -> Iterator[FactRow]:
    """What hotplug scripts left in the backend's folder of xenstore, which only dom0 can write; `values` by path.

    Since Xen 3.1 the reason of a failed device is written here first.
    """
    for path, value in values.items():
        if found := _HOTPLUG.match(path):
            domid = int(found["domid"])
            yield f"hotplug.{found['what']}", Subject(found["kind"], f"{domid}/{found['device']}", domid=domid), value


def read_only_below(domid: int, device: str, backing: str) -> Iterator[FactRow]:
    """A disk that a guest may write, on a device of dom0 that nobody can write."""
    yield "vbd.read_only_below", Subject("vbd", f"{domid}/{device}", domid=domid), backing


def capabilities(text: str) -> Iterator[FactRow]:
    """Of /proc/xen/capabilities: whether this kernel runs as dom0."""
    yield "xen.dom0", HOST, "control_d" in text
