"""What this host has that others may have too, for rules over the fleet: storage, networks, time servers, guests."""

import asyncio
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from typing import Any

from xenwatch.agent.updates import updated
from xenwatch.agent.uplinks import Uplinks
from xenwatch.base.clock import Clock
from xenwatch.config.sections import FleetSettings
from xenwatch.fleet.registry import HostRegistry, NoFleet
from xenwatch.host.files import read_text
from xenwatch.host.parse.mounts import parse_mounts
from xenwatch.host.paths import Paths
from xenwatch.host.privileged.reading import local_runner
from xenwatch.model.sample import Snapshot
from xenwatch.model.subject import IN_TRANSIT

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
_SR_MOUNT = re.compile(r"(?:/var)?/run/sr-mount/([0-9a-f-]{36})")
_SR_GROUP = re.compile(r"VG_XenStorage-[0-9a-f-]{36}")
_TIME_FILES = ("etc/chrony/chrony.conf", "etc/chrony.conf", "etc/ntp.conf", "etc/ntpsec/ntp.conf")
_TIME_SERVER = re.compile(r"^[ \t]*(?:server|pool|peer)[ \t]+([\w.:-]+)", re.MULTILINE)
_VLAN = re.compile(r"^(\S+)\s*\|\s*(\d+)\s*\|", re.MULTILINE)
_PV_LINK = "lvm-pv-uuid-"

Fact = tuple[str, str]
"""A kind and a value, or `name=value` where the name is only this host's."""


def join_facts(paths: Paths, snapshot: Snapshot | None) -> dict[str, list[str]]:
    """By kind. What cannot be read is left out."""
    found: dict[str, list[str]] = {}
    for read in (_mounts, _volumes, _multipaths, _networks, _time_servers, _versions, _pool):
        for kind, value in read(paths):
            found.setdefault(kind, []).append(value)
    for kind, value in _sampled(snapshot):
        found.setdefault(kind, []).append(value)
    return found


def facts_part(
    settings: FleetSettings,
    fleet: HostRegistry | NoFleet,
    paths: Paths,
    snapshot: Callable[[], Snapshot | None],
    clock: Clock,
) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
    """What runs beside the agent's other parts; nothing where the host belongs to no fleet."""
    if not settings.etcd:
        return {}

    uplinks = Uplinks(local_runner(), paths)

    async def switches() -> list[str]:
        """What the administrator says of them counts; else they are asked."""
        return [settings.switch] if settings.switch else await uplinks.facts()

    def read() -> dict[str, list[str]]:
        when = updated(paths, clock.now())
        return {**join_facts(paths, snapshot()), **({"updated": [when]} if when else {})}

    return {"fleet facts": lambda: tell_facts(fleet.tell, read, switches, clock)}


async def tell_facts(
    tell: Callable[[Mapping[str, list[str]]], None],
    read: Callable[[], dict[str, list[str]]],
    switches: Callable[[], Awaitable[list[str]]],
    clock: Clock,
) -> None:
    """Every minute, in a thread: a host with thousands of volumes has as many small files to read."""
    while True:
        try:
            found, uplinks = await asyncio.to_thread(read), await switches()
            tell({**found, "switch": uplinks} if uplinks else found)
        except OSError as error:
            log.info("what this host shares with others cannot be read: %s", error)
        await clock.sleep(EVERY_SECONDS)


def _mounts(paths: Paths) -> Iterator[Fact]:
    for mount in parse_mounts(read_text(paths.at("proc/mounts")) or ""):
        if mount.type in ("nfs", "nfs4"):
            yield "nfs", mount.device
            yield "nfs-server", mount.device.partition(":/")[0]
        if found := _SR_MOUNT.fullmatch(mount.point):
            yield "sr", found[1]


def _volumes(paths: Paths) -> Iterator[Fact]:
    """UUIDs of physical volumes, and groups that have the same name on every host of a pool."""
    for link in _names(paths, "dev/disk/by-id"):
        if link.startswith(_PV_LINK):
            yield "lvm", link.removeprefix(_PV_LINK)
    for group in _names(paths, "etc/lvm/backup"):
        if _SR_GROUP.fullmatch(group):
            yield "lvm", group
            yield "sr", group.removeprefix("VG_XenStorage-")


def _multipaths(paths: Paths) -> Iterator[Fact]:
    for block in _names(paths, "sys/block"):
        uuid = (read_text(paths.at("sys/block", block, "dm/uuid")) or "") if block.startswith("dm-") else ""
        if uuid.startswith("mpath-"):
            name = (read_text(paths.at("sys/block", block, "dm/name")) or "").strip()
            yield "wwid", f"{name}={uuid.strip().removeprefix('mpath-')}"


def _networks(paths: Paths) -> Iterator[Fact]:
    for name, number in _VLAN.findall(read_text(paths.at("proc/net/vlan/config")) or ""):
        yield "vlan", f"{name}={number}"


def _time_servers(paths: Paths) -> Iterator[Fact]:
    for file in _TIME_FILES:
        for server in _TIME_SERVER.findall(read_text(paths.at(file)) or ""):
            yield "ntp", server


def _versions(paths: Paths) -> Iterator[Fact]:
    kernel = (read_text(paths.at("proc/sys/kernel/osrelease")) or "").strip()
    if kernel:
        yield "kernel", kernel


def _pool(paths: Paths) -> Iterator[Fact]:
    """The pool's secret is the same on all of its hosts; only a hash of it is told."""
    secret = read_text(paths.at("etc/xensource/ptoken"))
    if secret:
        yield "xapi-pool", hashlib.sha256(f"xenwatch pool\0{secret}".encode()).hexdigest()[:16]


def _sampled(snapshot: Snapshot | None) -> Iterator[Fact]:
    for sample in snapshot.samples if snapshot is not None else ():
        said: dict[str, Any] = dict(zip(sample.metric.labels, sample.labels, strict=False))
        if sample.metric.name == "xen_iscsi_session_up":
            yield "iscsi", said["target"]
            yield "iscsi-portal", said["portal"]
        elif sample.metric.name == "xen_hypervisor_info" and said["xen_version"]:
            yield "xen", said["xen_version"]
        elif sample.metric.name == "xen_domain_info" and _runs_here(said):
            yield "guest", f"{said['domain']}={said['uuid']}"


def _runs_here(said: Mapping[str, str]) -> bool:
    """A copy that a migration is building or leaves behind is no second guest."""
    domid, name = said["domid"], said["domain"]
    moving = name.endswith(IN_TRANSIT) or name.startswith("migrating-")  # libxl's names, and xend's
    return domid.isdigit() and domid != "0" and bool(said["uuid"]) and not moving


def _names(paths: Paths, folder: str) -> list[str]:
    try:
        return sorted(entry.name for entry in paths.at(folder).iterdir())
    except OSError:
        return []
