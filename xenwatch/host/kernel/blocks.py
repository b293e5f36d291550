"""Block devices of dom0 by their numbers: what stands behind a guest's disk."""

from typing import NamedTuple

from xenwatch.host.files import names_in, read_number, read_text
from xenwatch.host.paths import Paths

SECTOR = 512
"""The unit of sizes in /sys/block, whatever the disk's own is (linux: Documentation/ABI/stable/sysfs-block)."""


class Volume(NamedTuple):
    """Kernel name, volume group and logical volume; the last two are empty for what is no LV."""

    name: str
    vg: str
    lv: str
    size_bytes: int | None


class Volumes:
    """Finds block devices by their numbers; reads all numbers once."""

    def __init__(self, paths: Paths) -> None:
        self._blocks = str(paths.at("sys/block"))
        self._by_number: dict[str, str] | None = None

    def behind(self, number: str) -> Volume | None:
        """The device of `fd:0`, as xenstore writes it: hexadecimal."""
        major, _, minor = number.partition(":")
        try:
            wanted = f"{int(major, 16)}:{int(minor, 16)}"
        except ValueError:
            return None
        if self._by_number is None:
            names = names_in(self._blocks)
            self._by_number = {read_text(f"{self._blocks}/{name}/dev") or "": name for name in names}
        name = self._by_number.get(wanted)
        if name is None:
            return None
        sectors = read_number(f"{self._blocks}/{name}/size")
        size = None if sectors is None else sectors * SECTOR
        return Volume(name, *split_lv(read_text(f"{self._blocks}/{name}/dm/name") or ""), size)


def split_lv(name: str) -> tuple[str, str]:
    """Volume group and logical volume in a device-mapper name, where a hyphen inside either is written twice."""
    vg, dash, lv = name.replace("--", "\0").partition("-")
    return (vg.replace("\0", "-"), lv.replace("\0", "-")) if dash else ("", "")
