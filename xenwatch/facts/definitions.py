"""From the parsed output of one command to facts: names, subjects, values."""

import re
from collections.abc import Iterator

from xenwatch.host.parse.bridges import parse_brctl_show, parse_bridge_link
from xenwatch.host.parse.dmsetup import parse_dmsetup
from xenwatch.host.parse.ip import parse_ip
from xenwatch.host.parse.loops import parse_losetup
from xenwatch.host.parse.lvm import parse_lvm, size_in_bytes
from xenwatch.host.parse.mdstat import parse_mdstat
from xenwatch.host.parse.memory import parse_free, parse_meminfo
from xenwatch.host.parse.mounts import mounted_on, parse_df, parse_mounts
from xenwatch.host.parse.xenstore_ls import parse_xenstore_ls
from xenwatch.host.parse.xl_info import mebibytes, parse_info
from xenwatch.host.parse.xl_list import parse_domain_list
from xenwatch.model.fact import FactValue
from xenwatch.model.subject import HOST, Subject

Reading = tuple[str, Subject, FactValue]

_LV_ACTIVE, _LV_OPEN = 4, 5
_PV_MISSING = 2
_HOTPLUG = re.compile(
    r"^/local/domain/(?P<back>\d+)/backend/(?P<kind>\w+)/(?P<domid>\d+)/(?P<device>\d+)/hotplug-(?P<what>error|status)$"
)
_MOST_MEBIBYTES = 64 * 1024
"""dom0 never has less than this many KiB, and hardly more than this many MiB."""


def domains(text: str) -> Iterator[Reading]:
    """Domains that run, and with xm also those that are only managed."""
    rows = parse_domain_list(text)
    yield "domain.names", HOST, tuple(row.name for row in rows)
    for row in rows:
        subject = Subject("domain", row.name, row.uuid, row.domid)
        yield "domain.memory_bytes", subject, row.memory_bytes
        yield "domain.vcpus", subject, row.vcpus
        if row.domid is None:
            yield "domain.state", subject, "off"
        elif row.state:
            yield "domain.state", subject, row.state


def hypervisor(text: str) -> Iterator[Reading]:
    """Memory, version and abilities of the hypervisor."""
    info = parse_info(text)
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


def bridges(text: str) -> Iterator[Reading]:
    """All bridges with their ports."""
    ports = parse_brctl_show(text)
    yield "bridge.names", HOST, tuple(ports)
    for bridge, plugged in ports.items():
        yield "bridge.ports", Subject("bridge", bridge), plugged


def bridge_links(text: str) -> Iterator[Reading]:
    """A bridge without ports is not in this output, so it does not say which bridges there are."""
    for bridge, plugged in parse_bridge_link(text).items():
        yield "bridge.ports", Subject("bridge", bridge), plugged


def interfaces(text: str) -> Iterator[Reading]:
    """All network interfaces of dom0."""
    found = parse_ip(text)
    yield "interface.names", HOST, tuple(interface.name for interface in found)
    for interface in found:
        if interface.state:
            yield "interface.state", Subject("interface", interface.name), interface.state


def volume_groups(text: str) -> Iterator[Reading]:
    """Volume groups with their room."""
    rows = [row for row in parse_lvm(text) if "vg_name" in row]
    yield "vg.names", HOST, tuple(row["vg_name"] for row in rows)
    for row in rows:
        yield from _sizes(row, Subject("vg", row["vg_name"]), {"vg_free": "vg.free_bytes", "vg_size": "vg.size_bytes"})


def logical_volumes(text: str) -> Iterator[Reading]:
    """A volume's subject is named `vg/lv`."""
    rows = [row for row in parse_lvm(text) if "lv_name" in row and "vg_name" in row]
    yield "lv.names", HOST, tuple(f"{row['vg_name']}/{row['lv_name']}" for row in rows)
    for row in rows:
        subject = Subject("lv", f"{row['vg_name']}/{row['lv_name']}")
        yield from _sizes(row, subject, {"lv_size": "lv.size_bytes"})
        if len(attributes := row.get("lv_attr", "")) > _LV_OPEN:
            yield "lv.active", subject, attributes[_LV_ACTIVE] == "a"
            yield "lv.open", subject, attributes[_LV_OPEN] == "o"
        if row.get("data_percent", "").replace(".", "", 1).isdigit():
            yield "lv.data_percent", subject, float(row["data_percent"])


def physical_volumes(text: str) -> Iterator[Reading]:
    """Physical volumes, and whether LVM misses them."""
    rows = [row for row in parse_lvm(text) if "pv_name" in row]
    yield "pv.names", HOST, tuple(row["pv_name"] for row in rows)
    for row in rows:
        yield "pv.missing", Subject("pv", row["pv_name"]), row.get("pv_attr", "")[_PV_MISSING:] == "m"


def loops(text: str) -> Iterator[Reading]:
    """Loop devices in use."""
    found = parse_losetup(text)
    yield "loop.devices", HOST, tuple(found)
    yield "loop.files", HOST, tuple(found.values())


def mappings(text: str) -> Iterator[Reading]:
    """Names of device-mapper."""
    yield "dm.names", HOST, tuple(parse_dmsetup(text))


def arrays(text: str) -> Iterator[Reading]:
    """Software RAID arrays and their health."""
    found = parse_mdstat(text)
    yield "array.names", HOST, tuple(array.name for array in found)
    for array in found:
        subject = Subject("array", array.name)
        yield "array.degraded", subject, array.missing > 0 or bool(array.failed)
        yield "array.failed", subject, array.failed


def space(text: str) -> Iterator[Reading]:
    """Room in file systems."""
    for row in parse_df(text):
        yield "disk.free_bytes", Subject("mount", row.point), row.free_bytes
        yield "disk.size_bytes", Subject("mount", row.point), row.size_bytes


def mounts(text: str) -> Iterator[Reading]:
    """What is mounted where."""
    found = parse_mounts(text)
    yield "mounts.devices", HOST, tuple(mount.device for mount in found)
    yield "mounts.points", HOST, tuple(mount.point for mount in found)
    for device, point in mounted_on(found).items():
        yield "device.mounted_on", Subject("device", device), point
    for mount in found:
        yield "mount.type", Subject("mount", mount.point), mount.type
        yield "mount.read_only", Subject("mount", mount.point), "ro" in mount.options


def own_memory(text: str) -> Iterator[Reading]:
    """Dom0's memory, not the host's."""
    values = parse_meminfo(text)
    for key, name in (
        ("MemTotal", "dom0.memory.total_bytes"),
        ("MemAvailable", "dom0.memory.available_bytes"),
        ("MemFree", "dom0.memory.free_bytes"),
        ("SwapFree", "dom0.swap.free_bytes"),
    ):
        if key in values:
            yield name, HOST, values[key]


def free_memory(text: str) -> Iterator[Reading]:
    """`free` prints no unit: totals with few digits are MiB (`-m`), others KiB."""
    total = parse_free(text, 1).get("MemTotal", 0)
    unit = 1024**2 if total < _MOST_MEBIBYTES else 1024
    values = parse_free(text, unit)
    for key, name in (("MemTotal", "dom0.memory.total_bytes"), ("MemFree", "dom0.memory.free_bytes")):
        if key in values:
            yield name, HOST, values[key]


def xenstore(text: str) -> Iterator[Reading]:
    """What a hotplug script left in xenstore: since Xen 3.1 the reason of a failed device is written here first."""
    values = parse_xenstore_ls(text)
    for path, value in values.items():
        if found := _HOTPLUG.match(path):
            domid = int(found["domid"])
            subject = Subject(found["kind"], f"{domid}/{found['device']}", domid=domid)
            yield f"hotplug.{found['what']}", subject, value


def capabilities(text: str) -> Iterator[Reading]:
    """Whether this kernel runs as dom0."""
    yield "xen.dom0", HOST, "control_d" in text


def _sizes(row: dict[str, str], subject: Subject, names: dict[str, str]) -> Iterator[Reading]:
    for key, name in names.items():
        if (size := size_in_bytes(row.get(key, ""))) is not None:
            yield name, subject, size
