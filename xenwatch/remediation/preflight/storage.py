"""P15, P16: a guest's disks are there, the same at both ends, and used by nobody else."""

import re
from dataclasses import dataclass
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import backends, parsed, passes
from xenwatch.remediation.machine.port import path_of
from xenwatch.remediation.policy.inventory import HERE
from xenwatch.remediation.preflight.guest_config import Disk, GuestConfig, read_config

_SHARED_FS = {"nfs", "nfs4", "ocfs2", "gfs2", "ceph", "fuse.glusterfs", "lustre"}


@dataclass(frozen=True, slots=True)
class DeviceHolder:
    """Something in dom0 that stands on a disk: a partition mapping, a loop device, a mount."""

    device: str
    kind: str
    mounted_at: str = ""


async def guest_disks(context: Context) -> tuple[Disk, ...] | None:
    """The guest's disks by its configuration; None: cannot be told."""
    config = await read_config(context, running=False)
    return None if config is None else tuple(disk for disk in config.disks if disk.target)


async def disk_holders(context: Context, path: str, host: str = HERE) -> list[DeviceHolder] | None:
    """What stands on a disk in dom0, topmost first, last the disk itself where it is mounted. None: unknown."""
    if not path.startswith("/dev/"):
        return await _file_holders(context, path, host)
    answer = await context.read("lsblk", "--json", "--paths", "--output", "NAME,TYPE,MOUNTPOINT", "--", path, host=host)
    tree = parsed(answer)
    if not isinstance(tree, dict) or not tree.get("blockdevices"):
        return None
    top = tree["blockdevices"][0]
    held = [held for child in top.get("children", []) for held in _tree(child)]
    return [*held, DeviceHolder(path, "disk", top["mountpoint"])] if top.get("mountpoint") else held


def _tree(node: dict[str, Any]) -> list[DeviceHolder]:
    above = [held for child in node.get("children", []) for held in _tree(child)]
    return [*above, DeviceHolder(str(node["name"]), str(node["type"]), node.get("mountpoint") or "")]


async def _file_holders(context: Context, path: str, host: str) -> list[DeviceHolder] | None:
    answer = await context.read("losetup", "--json", "--list", "--associated", path, host=host)
    if not answer.ok:
        return None
    loops = (parsed(answer) or {}).get("loopdevices", []) if answer.out.strip() else []
    found: list[DeviceHolder] = []
    for loop in loops:
        held = await disk_holders(context, str(loop["name"]), host)
        if held is None:
            return None
        found += [h for h in held if h.kind != "disk"]
        found.append(
            DeviceHolder(str(loop["name"]), "loop", next((h.mounted_at for h in held if h.kind == "disk"), ""))
        )
    return found


async def check_disks(context: Context, config: GuestConfig, host: str = HERE) -> list[Finding]:
    """Each disk there, not mounted, not mapped, not in another domain's hands."""
    used = await backends(context, host)
    found = []
    for disk in config.disks:
        if disk.target:
            found += await _check_disk(context, disk, used, host)
    return found


async def _check_disk(context: Context, disk: Disk, used: str | None, host: str) -> list[Finding]:
    try:
        path = path_of(disk.target, "a disk")
    except InputError as error:
        return [Finding("P15 disk", "unknown", str(error), "configuration")]
    kind = await context.read("stat", "--dereference", "--format=%F", "--", path, host=host)
    word = kind.out.strip()
    fits = word == "block special file" or (
        not path.startswith("/dev/") and word in ("regular file", "regular empty file")
    )
    there = None if kind.code is None else kind.ok and fits
    found = [passes("P15 disk there", there, f"{path}: {word or kind.words}", "stat")]
    if not there or not disk.writable:
        return found
    held = await disk_holders(context, path, host)
    words = ", ".join(f"{h.device}" + (f" at {h.mounted_at}" if h.mounted_at else "") for h in held or [])
    found.append(
        passes(
            "P15 not held", None if held is None else not held, f"{path}: {words or 'held by nothing in dom0'}", "lsblk"
        )
    )
    return [*found, _not_in_use(path, used)]


def _not_in_use(path: str, used: str | None) -> Finding:
    """No other domain writes to it: xenstore names every backend's device."""
    if used is None:
        return Finding("P15 not in use", "unknown", "xenstore does not answer", "xenstore-ls")
    users = re.findall(rf'backend/\w+/(\d+)/\d+/params = "(?:[\w:]+:)?{re.escape(path)}"', used)
    return passes(
        "P15 not in use", not users, f"{path} is used by domain {', '.join(users)}" if users else path, "xenstore-ls"
    )


async def check_same_disks(context: Context, config: GuestConfig, target: str) -> list[Finding]:
    """P15 for a move: the same path is the same storage at both ends, and nobody at the target uses it."""
    found: list[Finding] = []
    for disk in config.disks:
        if not disk.target:
            continue
        path = path_of(disk.target, "a disk")
        here, there = await _identity(context, path, HERE), await _identity(context, path, target)
        same = None if here is None or there is None else here == there
        found.append(passes("P15 same storage", same, f"{path}: {here} here, {there} there", "udevadm, stat"))
        if disk.writable:
            held = await disk_holders(context, path, target)
            found.append(passes("P15 free at target", None if held is None else not held, path, "lsblk at the target"))
    return found


async def _identity(context: Context, path: str, host: str) -> str | None:
    """A block device's serial or UUIDs as udev knows them; a file's place on a shared file system."""
    if path.startswith("/dev/"):
        answer = await context.read("udevadm", "info", "--query=property", f"--name={path}", host=host)
        keys = ("DM_UUID", "ID_SERIAL", "ID_WWN")
        said = dict(line.split("=", 1) for line in answer.out.splitlines() if "=" in line)
        size = await context.read("blockdev", "--getsize64", path, host=host)
        known = next((said[key] for key in keys if said.get(key)), None)
        return f"{known} {size.out.strip()}" if answer.ok and known and size.ok else None
    system = await context.read("stat", "--file-system", "--format=%T", "--", path, host=host)
    if system.out.strip() not in _SHARED_FS:
        return f"own file system of {host or 'this host'}" if system.ok else None
    answer = await context.read("stat", "--format=%i %s", "--", path, host=host)
    return answer.out.strip() if answer.ok else None


def check_handover(context: Context) -> Finding:
    """P16: an exclusive lease must be able to go with the guest; LVM's can only when both ends activate it shared."""
    guest = context.known
    if not guest.shared_storage:
        return Finding(
            "P16 lease hand-over", "fail", "the storage is not shared; copy it, or move the disks first", "policy"
        )
    if guest.lease in ("lvm", ""):
        words = (
            "an exclusive LVM activation cannot be handed over live; use a cold move"
            if guest.lease
            else "no lease is named"
        )
        return Finding("P16 lease hand-over", "fail", words, "policy")
    outcome = "pass" if guest.toolstack == "libvirt" or guest.lease == "none" else "fail"
    return Finding("P16 lease hand-over", outcome, f"lease {guest.lease} with {guest.toolstack}", "policy")  # type: ignore[arg-type]
