"""The file systems that dom0 and its guests' disks need, and how much room each has, asked so that none can hang us."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from xenwatch.base.errors import HostError
from xenwatch.host.exec.runner import Runner
from xenwatch.host.files import read_text
from xenwatch.host.host import Host
from xenwatch.host.parse.mounts import NETWORK_TYPES, Mount, holds_of, parse_mounts

IMAGES = "images of guests"
DEADLINE = 5.0
"""Seconds for one file system: one on a server that is gone never answers."""
MOST_ASKED = 64
_AT_ONCE = 8
_FORMAT = "%S %b %a %c %d"
_DISKS = ("vbd", "qdisk", "tap", "vbd3")


class Room(NamedTuple):
    """Of one file system: space and inodes that users may take; a file system without inodes has 0 of 0."""

    size_bytes: int
    free_bytes: int
    inodes: int
    free_inodes: int


class FileSystem(NamedTuple):
    """One that is mounted, with what dom0 keeps on it; empty where nothing that we know of."""

    mount: Mount
    holds: tuple[str, ...]


async def file_systems(host: Host) -> list[FileSystem]:
    """All on disks of this host, and others where something is kept; nothing is kept on a read-only one."""
    mounts = {mount.point: mount for mount in parse_mounts(read_text(host.paths.at("proc/mounts")) or "")}
    holds = {point: list(folders) for point, folders in holds_of(mounts.values()).items()}
    with suppress(HostError):
        images = await _images(host)
        for point in await asyncio.to_thread(_may_grow, host, images, tuple(mounts.values())):
            holds.setdefault(point, []).append(IMAGES)
    return [
        FileSystem(mount, tuple(holds.get(point, ())))
        for point, mount in mounts.items()
        if point in holds or (mount.device.startswith("/dev/") and "ro" not in mount.options)
    ]


async def rooms(host: Host, mounts: Sequence[Mount]) -> dict[str, Room]:
    """By mount point, of those that answered; each is asked by a child of its own that can be killed."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def ask(mount: Mount) -> Room | None:
        async with places:
            return await _room(host.runner, host.paths.at(mount.point))

    asked = mounts[:MOST_ASKED]
    answers = await asyncio.gather(*map(ask, asked))
    return {mount.point: room for mount, room in zip(asked, answers, strict=True) if room is not None}


async def _room(runner: Runner, point: Path) -> Room | None:
    try:
        done = await runner.run(("stat", "-f", "-c", _FORMAT, "--", str(point)), DEADLINE)
        unit, blocks, available, inodes, free = map(int, done.checked().text.split())
    except (HostError, ValueError):
        return None
    return Room(unit * blocks, unit * available, inodes, free) if blocks else None


async def _images(host: Host) -> list[str]:
    """Files that are disks of guests that run."""
    devices = [device for device in await host.devices.current() if device.kind in _DISKS]
    params = (device.about.get("params", "") for device in devices)
    paths = {text[text.find("/") :] for text in params if "/" in text}
    return sorted(path for path in paths if not path.startswith("/dev/"))


def _may_grow(host: Host, images: Iterable[str], mounts: Sequence[Mount]) -> list[str]:
    """Mount points with an image that has not all its room yet; one on a server is believed to have not."""
    remote = {mount.point for mount in mounts if mount.type in NETWORK_TYPES}
    points: dict[str, None] = {}
    for image in images:
        for point in holds_of(mounts, (image,)):
            if point in remote or _is_sparse(host.paths.at(image)):
                points[point] = None
    return list(points)


def _is_sparse(path: Path) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return status.st_blocks * 512 < status.st_size
