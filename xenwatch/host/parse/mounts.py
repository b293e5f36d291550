"""/proc/mounts, output of `mount` and of `df`: what is mounted where, and how full it is."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from xenwatch.base import lazy_re as re

_MOUNT_COMMAND = re.compile(r"^(?P<device>\S+) on (?P<point>/.*?) type (?P<type>\S+) \((?P<options>[^)]*)\)")
_DF = re.compile(
    r"^(?P<device>\S+)?\s+(?:(?P<type>[a-z][\w.]*)\s+)?(?P<size>[\d.]+[KMGTP]?i?)\s+(?P<used>[\d.]+[KMGTP]?i?)\s+"
    r"(?P<free>-?[\d.]+[KMGTP]?i?)\s+(?P<percent>\d+%|-)\s+(?P<point>/.*)$"
)
_MAPPED = re.compile(r"/dev/mapper/((?:[^-]|--)+)-((?:[^-]|--)+)")
_OCTAL = re.compile(r"\\(\d{3})")
_UNITS = {"K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_FIELDS = 4

NETWORK_TYPES = frozenset({"nfs", "nfs4", "cifs", "glusterfs", "ceph"})
"""Types of file systems on a server, which may not answer."""
NEEDED = (
    "/",
    "/boot",
    "/run",
    "/var",
    "/var/lib",
    "/var/lib/libvirt",
    "/var/lib/xen",
    "/var/lib/xend",
    "/var/lib/xenstored",
    "/var/log",
    "/var/log/xen",
    "/var/xen",
)
"""Folders in which dom0 or its toolstack must be able to write."""


class Mount(NamedTuple):
    """One mounted file system: device, mount point, type and options as the kernel says them."""

    device: str
    point: str
    type: str
    options: tuple[str, ...]


class FileSystemSpace(NamedTuple):
    """One line of df, sizes in bytes."""

    device: str
    point: str
    size_bytes: int
    free_bytes: int


class FileSystemInodes(NamedTuple):
    """One line of `df -i`."""

    point: str
    inodes: int
    free: int


def mounted_on(mounts: Iterable[Mount]) -> dict[str, str]:
    """Mount point by device; a logical volume goes by both of its names, `/dev/mapper/vg0-web` and `/dev/vg0/web`."""
    found: dict[str, str] = {}
    for mount in mounts:
        for name in _device_names(mount.device):
            found.setdefault(name, mount.point)
    return found


def holds_of(mounts: Iterable[Mount], folders: Iterable[str] = NEEDED) -> dict[str, tuple[str, ...]]:
    """By mount point: which of the folders lie there. Where nothing can be written, nothing is kept that needs room."""
    last = {mount.point: mount for mount in mounts}
    found: dict[str, tuple[str, ...]] = {}
    for folder in folders:
        places = [folder, *map(str, PurePosixPath(folder).parents)]
        mount = next((last[place] for place in places if place in last), None)
        if mount is not None and "ro" not in mount.options:
            found[mount.point] = (*found.get(mount.point, ()), folder)
    return found


def _device_names(device: str) -> Iterator[str]:
    if not device.startswith("/dev/"):
        return
    yield device
    mapped = _MAPPED.fullmatch(device)  # device-mapper doubles the hyphens of the two names that it joins with one
    if mapped:
        yield "/dev/" + "/".join(part.replace("--", "-") for part in mapped.groups())


def parse_mounts(text: str) -> list[Mount]:
    """/proc/mounts or the output of mount(8); octal escapes of blanks in names are undone."""
    found = []
    for line in text.splitlines():
        if command := _MOUNT_COMMAND.match(line):
            found.append(
                Mount(command["device"], command["point"], command["type"], tuple(command["options"].split(",")))
            )
        elif len(words := line.split()) >= _FIELDS and words[1].startswith("/"):
            found.append(Mount(_unescape(words[0]), _unescape(words[1]), words[2], tuple(words[3].split(","))))
    return found


def parse_df(text: str) -> list[FileSystemSpace]:
    """df, `df -h`, `df -T`, `df -P`; a long device name on a line of its own belongs to the next line."""
    factor = 1024**2 if "1M-blocks" in text else 512 if "512-blocks" in text else 1024
    rows = _df_rows(text, of_inodes=False)
    return [
        FileSystemSpace(device, point, _bytes(size, factor), _bytes(free, factor)) for device, point, size, free in rows
    ]


def parse_df_inodes(text: str) -> list[FileSystemInodes]:
    """`df -i`, also after a `df` in the same file."""
    rows = _df_rows(text, of_inodes=True)
    return [FileSystemInodes(point, _bytes(size, 1), _bytes(free, 1)) for _, point, size, free in rows]


def _df_rows(text: str, *, of_inodes: bool) -> Iterator[tuple[str, str, str, str]]:
    """Device, mount point, total and free of each line below a heading of blocks, or of inodes."""
    device, inodes = "", False
    for line in text.splitlines():
        if line.startswith("Filesystem"):
            inodes = "Inodes" in line
        row = _DF.match(line)
        if row and inodes == of_inodes:
            yield row["device"] or device, row["point"].rstrip(), row["size"], row["free"]
        device = line.strip() if not row and len(line.split()) == 1 else ""


def _bytes(text: str, factor: int) -> int:
    text = text.rstrip("i")
    if text[-1:] in _UNITS:
        return int(float(text[:-1]) * 1024 ** _UNITS[text[-1]])
    return int(float(text) * factor)


def _unescape(text: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)
