"""Device-mapper mappings and loop devices: what they are, whether something has them open."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xenwatch.host.exec.runner import Runner
from xenwatch.host.files import names_in, read_text

_DELETED = " (deleted)"


@dataclass(frozen=True, slots=True)
class Mapping:
    """One device-mapper device."""

    name: str
    uuid: str
    opens: int

    @property
    def is_partition(self) -> bool:
        """Made by kpartx: its uuid says so (`part1-LVM-…`), or, from an old one, only its name (`loop0p1`)."""
        return self.uuid.startswith("part") or (not self.uuid and self.name.startswith("loop"))


async def mappings(runner: Runner, deadline: float = 10.0) -> list[Mapping]:
    """All mappings; one program run, for sysfs does not tell how often one is open."""
    argv = ("dmsetup", "info", "-c", "--noheadings", "--separator", "|", "-o", "name,uuid,open")
    return parse_info((await runner.run(argv, deadline)).checked().text)


def parse_info(text: str) -> list[Mapping]:
    """Lines of `name|uuid|open`; `No devices found` is none."""
    rows = (line.strip().split("|") for line in text.splitlines())
    return [Mapping(row[0], row[1], int(row[2])) for row in rows if len(row) == 3 and row[2].isdigit()]  # noqa: PLR2004


async def multipath_status(runner: Runner, deadline: float = 10.0) -> str:
    """`dmsetup status --target multipath`: each map with its paths and whether they are active or failed."""
    return (await runner.run(("dmsetup", "status", "--target", "multipath"), deadline)).checked().text


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop device with a file behind it."""

    name: str
    file: str
    deleted: bool


def loops(sys: Path) -> Iterator[Loop]:
    """Loop devices in use, from sysfs."""
    for name in names_in(sys / "block"):
        if name.startswith("loop") and (file := read_text(sys / "block" / name / "loop/backing_file")) is not None:
            yield Loop(name, file.removesuffix(_DELETED), file.endswith(_DELETED))
