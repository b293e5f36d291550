"""/proc/mounts, output of `mount` and of `df`: what is mounted where, and how full it is."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_MOUNT_COMMAND = re.compile(r"^(?P<device>\S+) on (?P<point>/.*?) type (?P<type>\S+) \((?P<options>[^)]*)\)")
_DF = re.compile(
    r"^(?P<device>\S+)?\s+(?:(?P<type>[a-z][\w.]*)\s+)?(?P<size>[\d.]+[KMGTP]?i?)\s+(?P<used>[\d.]+[KMGTP]?i?)\s+"
    r"(?P<free>-?[\d.]+[KMGTP]?i?)\s+(?P<percent>\d+%|-)\s+(?P<point>/.*)$"
)
_MAPPED = re.compile(r"/dev/mapper/((?:[^-]|--)+)-((?:[^-]|--)+)")
_OCTAL = re.compile(r"\\(\d{3})")
_UNITS = {"K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_FIELDS = 4


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


def mounted_on(mounts: Iterable[Mount]) -> dict[str, str]:
    """Mount point by device; a logical volume goes by both of its names, `/dev/mapper/vg0-web` and `/dev/vg0/web`."""
    found: dict[str, str] = {}
    for mount in mounts:
        for name in _device_names(mount.device):
            found.setdefault(name, mount.point)
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
    found, device = [], ""
    for line in text.splitlines():
        row = _DF.match(line)
        if row:
            size, free = _bytes(row["size"], factor), _bytes(row["free"], factor)
            found.append(FileSystemSpace(row["device"] or device, row["point"].rstrip(), size, free))
        device = line.strip() if not row and len(line.split()) == 1 else ""
    return found


def _bytes(text: str, factor: int) -> int:
    text = text.rstrip("i")
    if text[-1:] in _UNITS:
        return int(float(text[:-1]) * 1024 ** _UNITS[text[-1]])
    return int(float(text) * factor)


def _unescape(text: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)
