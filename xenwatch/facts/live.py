"""Where the facts of a running host come from: which command, file or connection gives the text of each."""

import asyncio
import re
import shutil
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import NamedTuple

from xenwatch.base.errors import HostError
from xenwatch.facts import definitions, lvm
from xenwatch.facts.configuration import CONFIGURATION_TELLS
from xenwatch.facts.definitions import FactRow
from xenwatch.facts.host_texts import HOST_TEXTS
from xenwatch.facts.live_configuration import Answer, clock, configuration, livepatches, own_texts, services, smart
from xenwatch.host.devicemodels import device_model_pids, running_pids
from xenwatch.host.files import names_in, read_text
from xenwatch.host.filesystems import FileSystem, Room, file_systems, rooms
from xenwatch.host.host import Host
from xenwatch.host.kernel.bridges import read_bridges
from xenwatch.host.kernel.devmapper import loops
from xenwatch.host.lvm import lvm_report
from xenwatch.host.paths import Paths
from xenwatch.model.fact import Fact
from xenwatch.model.subject import HOST, Subject

PART_DEADLINE = 20.0
"""Seconds for each question; a slow one costs its own facts alone."""
_LVM_DEADLINE = 18.0
_LOOK_AGAIN = 3.0
_HEX = re.compile(r"[0-9a-f]{1,8}")
_HOTPLUG_KEYS = ("hotplug-error", "hotplug-status")


class FactPart(NamedTuple):
    """One question to the host; `tells`: what the names of the facts begin with that are known once it answered."""

    name: str
    tells: tuple[str, ...]
    answer: Awaitable[list[Answer]]


async def detect(
    host: Host, *, once: bool = False, late: list[str] | None = None, told: set[str] | None = None
) -> list[Fact]:
    """All facts that can be learnt now, asked side by side. What does not answer in time is left out, and only that.

    `once`: this is the only look, so that also the disks are asked, which would be too often in every round.
    `late` is told of what did not answer within its deadline, `told` of what is known now.
    """
    parts = [*_parts(host), *(_files_of(host) if _has_files(host.paths) else ()), *(_once(host) if once else ())]
    answers = await asyncio.gather(*(_or_nothing(part, late, set() if told is None else told) for part in parts))
    now = host.clock.now()
    return [
        Fact(name, subject, value, now, origin)
        for part in answers
        for origin, rows in part
        for name, subject, value in rows
    ]


def _parts(host: Host) -> list[FactPart]:
    return [
        FactPart("toolstacks", ("host.toolstacks",), _toolstacks(host)),
        FactPart("domains", ("domain.",), _domains(host)),
        FactPart("hypervisor", ("memory.", "xen.version", "xen.caps", "xen.virt_caps", "host.cpus"), _hypervisor(host)),
        FactPart("volumes", ("vg.", "lv.", "pv.", "thinpool."), _volumes(host)),
        FactPart("hotplug scripts", ("hotplug.",), _hotplug(host)),
        FactPart("disks of guests", ("vbd.",), _read_only(host)),
        FactPart("file systems", ("disk.", "mount.holds"), _space(host)),
        FactPart("device models", ("device_model.", "process."), _device_models(host)),
        FactPart("services", ("unit.", "units."), services(host)),
    ]


def _files_of(host: Host) -> list[FactPart]:
    kernel = ("xen.dom0", "array.", "dom0.", "mounts.", "mount.", "bridge.", "interface.", "loop.", "dm.", "device.m")
    return [
        FactPart("files of the kernel", kernel, asyncio.to_thread(_files, host.paths)),
        FactPart("configuration", (*CONFIGURATION_TELLS, "sysctl."), asyncio.to_thread(configuration, host.paths)),
    ]


def _once(host: Host) -> list[FactPart]:
    """What would be too much in every round: it wakes a service, or reads much that hardly changes."""
    asked = [FactPart("disks", ("smart.",), smart(host)), FactPart("clock", ("clock.",), clock(host))]
    asked.append(FactPart("live patches", ("livepatch.",), livepatches(host)))
    if _has_files(host.paths):
        tells = tuple(name for text in HOST_TEXTS for name in text.tells)
        asked.append(FactPart("texts of the host", tells, asyncio.to_thread(own_texts, host.paths)))
    return asked


async def _or_nothing(part: FactPart, late: list[str] | None, told: set[str]) -> list[Answer]:
    try:
        async with asyncio.timeout(PART_DEADLINE):
            answers = await part.answer
    except HostError:
        return []
    except TimeoutError:
        if late is not None:
            late.append(part.name)
        return []
    if answers:
        told.update(part.tells)
    return answers


def _has_files(paths: Paths) -> bool:
    """Whether the host's files are here to be read: those of a host that is reached through ssh are not."""
    return paths.root.is_dir()


async def _toolstacks(host: Host) -> list[Answer]:
    names = [] if host.toolstack is None else [host.toolstack.name]
    names += ["xapi"] if _has_files(host.paths) and shutil.which("xapi") else []
    names += ["libvirt"] if host.libvirt is not None else []
    return [("", [("host.toolstacks", HOST, tuple(names))])]


async def _domains(host: Host) -> list[Answer]:
    inventory = await host.domains.current()
    rows = (*definitions.domains(inventory.domains), *definitions.zombies(inventory.zombies))
    return [("domain list", rows)]


async def _hypervisor(host: Host) -> list[Answer]:
    if host.toolstack is None:
        return []
    return [(f"{host.toolstack.name} info", definitions.hypervisor(await host.toolstack.info()))]


async def _volumes(host: Host) -> list[Answer]:
    if _has_files(host.paths) and not host.paths.at("etc/lvm").is_dir() and shutil.which("lvm") is None:
        return [("", ())]  # there is no LVM here, and so no volume of it
    return [("lvm fullreport", lvm.full_report(await lvm_report(host.runner, _LVM_DEADLINE)))]


async def _hotplug(host: Host) -> list[Answer]:
    if host.xenstore is None:
        return []
    paths = [f"{device.backend}/{key}" for device in await host.devices.current() for key in _HOTPLUG_KEYS]
    values = dict(zip(paths, await host.xenstore.read_many(paths), strict=True))
    return [("xenstore", definitions.hotplug({path: value for path, value in values.items() if value}))]


async def _device_models(host: Host) -> list[Answer]:
    """One that seems to be gone is looked for again: a guest that shuts down loses it, and then its name."""
    if host.xenstore is None or not _has_files(host.paths):
        return []
    told, pids = await _models_now(host)
    if set(told.values()) - pids:
        await host.clock.sleep(_LOOK_AGAIN)
        again, pids = await _models_now(host)
        told = {key: pid for key, pid in again.items() if told.get(key) == pid}
    rows = [row for (name, domid), pid in told.items() for row in definitions.device_model(name, domid, str(pid))]
    present = sorted(set(told.values()) & pids)
    return [("xenstore", rows), ("/proc", definitions.processes(map(str, present)))]


async def _models_now(host: Host) -> tuple[dict[tuple[str, int], int], frozenset[int]]:
    inventory = await host.domains.current()
    told = await device_model_pids(host.xenstore, inventory, {}) if host.xenstore else {}
    pids = await asyncio.to_thread(running_pids, host.paths)
    return {(inventory.by_domid[domid].name, domid): pid for domid, pid in told.items()}, pids


def _files(paths: Paths) -> list[Answer]:
    """Read in a thread: some thousand small files on a large host."""
    proc, sys = paths.proc, paths.sys
    mounts = read_text(proc / "mounts") or ""
    return [
        ("/proc/xen/capabilities", definitions.capabilities(read_text(proc / "xen/capabilities") or "")),
        ("/proc/mdstat", definitions.arrays(read_text(proc / "mdstat") or "")),
        ("/proc/meminfo", definitions.own_memory(read_text(proc / "meminfo") or "")),
        ("/proc/mounts", definitions.mounts(mounts)),
        ("sysfs", list(_sysfs(sys))),
    ]


def _sysfs(sys: Path) -> Iterator[FactRow]:
    yield from definitions.bridges({b.name: tuple(port.name for port in b.ports) for b in read_bridges(sys)})
    names = names_in(sys / "class/net")
    yield from definitions.interfaces({name: read_text(sys / "class/net" / name / "operstate") for name in names})
    yield from definitions.loops({f"/dev/{loop.name}": loop.file for loop in loops(sys)})
    mapped = (read_text(sys / "block" / name / "dm/name") for name in names_in(sys / "block"))
    yield from definitions.mappings(name for name in mapped if name)


async def _read_only(host: Host) -> list[Answer]:
    """Of disks that guests have for writing; the toolstack noted the device's number in hexadecimal."""
    disks = [d for d in await host.devices.current() if d.about.get("mode", "").startswith("w")]
    rows: list[FactRow] = []
    for disk in disks:
        major, _, minor = disk.about.get("physical-device", "").partition(":")
        if not (_HEX.fullmatch(major) and _HEX.fullmatch(minor)):
            continue
        place = host.paths.sys / f"dev/block/{int(major, 16)}:{int(minor, 16)}"
        if (read_text(place / "ro") or "").strip() == "1":
            backing = disk.about.get("params") or place.resolve().name
            rows += definitions.read_only_below(disk.domid, str(disk.devid), backing)
    return [("xenstore and sysfs", rows)]


async def _space(host: Host) -> list[Answer]:
    """Of all file systems; one on a server that is gone does not answer, and nothing waits for it."""
    found = await file_systems(host)
    room = await rooms(host, [one.mount for one in found])
    rows = (_room(one, room[one.mount.point]) for one in found if one.mount.point in room)
    return [("stat -f", [row for part in rows for row in part])]


def _room(one: FileSystem, room: Room) -> Iterator[FactRow]:
    point = one.mount.point
    yield from definitions.space(point, room.free_bytes, room.size_bytes)
    yield from definitions.inodes(point, room.free_inodes, room.inodes)
    yield "mount.holds", Subject("mount", point), one.holds
