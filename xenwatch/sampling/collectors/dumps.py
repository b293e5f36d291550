"""Cores of crashed guests: how many, how large, how old, by guest where the file's name tells."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

DUMPS = Metric(
    "xen_crash_dumps", "gauge", "Cores in the dump folders; domain is empty where it is unknown", ("domain",)
)
BYTES = Metric("xen_crash_dump_bytes", "gauge", "Space that the cores take", ("domain",))
LAST = Metric("xen_crash_dump_last_timestamp_seconds", "gauge", "When the last core was written", ("domain",))
FREE = Metric(
    "xen_crash_dump_filesystem_free_ratio",
    "gauge",
    "Free part of the fullest file system that holds cores; absent where there are none",
)

_MOST_FILES = 10_000


async def _collect(host: Host) -> Sequence[Sample]:
    inventory = await host.domains.known(max_age=60.0)
    return await asyncio.to_thread(lambda: list(_dumps(host.paths.dumps, inventory.names)))


def _dumps(folders: Sequence[Path], names: frozenset[str]) -> Iterator[Sample]:
    by_domain: dict[str, list[os.stat_result]] = defaultdict(list)
    free: list[float] = []
    for folder in folders:
        cores = list(_files(folder))
        for file, stat in cores:
            by_domain[_whose(file, names)].append(stat)
        if cores:
            free.append(_free_ratio(folder))
    for domain, stats in sorted(by_domain.items()):
        yield Sample(DUMPS, (domain,), float(len(stats)))
        yield Sample(BYTES, (domain,), float(sum(stat.st_blocks * 512 for stat in stats)))
        yield Sample(LAST, (domain,), max(stat.st_mtime for stat in stats))
    if free:
        yield Sample(FREE, (), min(free))


def _free_ratio(folder: Path) -> float:
    room = os.statvfs(folder)
    return room.f_bavail / room.f_blocks if room.f_blocks else 1.0


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    try:
        with os.scandir(folder) as entries:
            for entry in islice(entries, _MOST_FILES):
                if entry.is_file(follow_symlinks=False):
                    yield entry.name, entry.stat(follow_symlinks=False)
    except OSError:
        return  # the folder is not there, which is the usual case


def _whose(file: str, names: frozenset[str]) -> str:
    """Xl names a core `<name>`, xend `2011-0518-2055.04-<name>.<domid>.core`; the longest name that fits is meant."""
    fitting = [name for name in names if file == name or file.startswith(f"{name}.") or f"-{name}." in file]
    return max(fitting, key=len, default="")


COLLECTOR = Collector(
    name="dumps",
    metrics=(DUMPS, BYTES, LAST, FREE),
    begin=lambda: _collect,
    interval=60.0,
    deadline=20.0,
    follows_domains=False,
)
