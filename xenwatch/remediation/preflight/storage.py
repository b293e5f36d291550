"""P15, P16: a guest's disks are present, the same on both hosts, and used by nobody else."""

import re
from dataclasses import dataclass
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import backend_listing, finding, json_of
from xenwatch.remediation.machine.port import path_of
from xenwatch.remediation.policy.inventory import HERE
from xenwatch.remediation.preflight.guest_config import Disk, GuestConfig, read_config

_SHARED_FS = {"nfs", "nfs4", "ocfs2", "gfs2", "ceph", "fuse.glusterfs", "lustre"}


@dataclass(frozen=True, slots=True)
class DeviceHolder:
    """What holds a disk in dom0: a partition mapping, a loop device, a mount."""

    device: str
    kind: str
    mounted_at: str = ""


async def guest_disks(context: Context) -> tuple[Disk, ...] | None:
    """The guest's disks by its configuration; None: unknown."""
    config = await read_config(context, running=False)
    return None if config is None else tuple(disk for disk in config.disks if disk.target)


async def disk_holders(context: Context, path: str, host: str = HERE) -> list[DeviceHolder] | None:
    """What holds a disk in dom0, the topmost first, the disk itself last where it is mounted. None: unknown."""
    if not path.startswith("/dev/"):
        return await _file_holders(context, path, host)
    answer = await context.read("lsblk", "--json", "--paths", "--output", "NAME,TYPE,MOUNTPOINT", "--", path, host=host)
    tree = json_of(answer)
    if not isinstance(tree, dict) or not tree.get("blockdevices"):
        return None
    top = tree["blockdevices"][0]
    holders = [holder for child in top.get("children", []) for holder in _tree(child)]
    return [*holders, DeviceHolder(path, "disk", top["mountpoint"])] if top.get("mountpoint") else holders


def _tree(node: dict[str, Any]) -> list[DeviceHolder]:
    above = [holder for child in node.get("children", []) for holder in _tree(child)]
    return [*above, DeviceHolder(str(node["name"]), str(node["type"]), node.get("mountpoint") or "")]


async def _file_holders(context: Context, path: str, host: str) -> list[DeviceHolder] | None:
    answer = await context.read("losetup", "--json", "--list", "--associated", path, host=host)
    if not answer.ok:
        return None
    loops = (json_of(answer) or {}).get("loopdevices", []) if answer.out.strip() else []
    result: list[DeviceHolder] = []
    for loop in loops:
        holders = await disk_holders(context, str(loop["name"]), host)
        if holders is None:
            return None
        result += [h for h in holders if h.kind != "disk"]
        result.append(
            DeviceHolder(str(loop["name"]), "loop", next((h.mounted_at for h in holders if h.kind == "disk"), ""))
        )
    return result


async def check_disks(context: Context, config: GuestConfig, host: str = HERE) -> list[Finding]:
    """Each disk is present, not mounted, not mapped, and not used by another domain."""
    used = await backend_listing(context, host)
    findings = []
    for disk in config.disks:
        if disk.target:
            findings += await _check_disk(context, disk, used, host)
    return findings


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
    findings = [finding("P15 disk present", there, f"{path}: {word or kind.summary}", "stat")]
    if not there or not disk.writable:
        return findings
    holders = await disk_holders(context, path, host)
    words = ", ".join(f"{h.device}" + (f" at {h.mounted_at}" if h.mounted_at else "") for h in holders or [])
    findings.append(
        finding(
            "P15 not held",
            None if holders is None else not holders,
            f"{path}: {words or 'nothing in dom0 holds it'}",
            "lsblk",
        )
    )
    return [*findings, _other_users(path, used)]


def _other_users(path: str, used: str | None) -> Finding:
    """No other domain uses it: xenstore has the device of every backend."""
    if used is None:
        return Finding("P15 not in use", "unknown", "xenstore does not answer", "xenstore-ls")
    users = re.findall(rf'backend/\w+/(\d+)/\d+/params = "(?:[\w:]+:)?{re.escape(path)}"', used)
    return finding(
        "P15 not in use", not users, f"{path} is used by domain {', '.join(users)}" if users else path, "xenstore-ls"
    )


async def check_same_disks(context: Context, config: GuestConfig, target: str) -> list[Finding]:
    """P15 for a move: the same path is the same storage at both ends, and nothing on the target uses it."""
    findings: list[Finding] = []
    for disk in config.disks:
        if not disk.target:
            continue
        path = path_of(disk.target, "a disk")
        here, there = await _identity(context, path, HERE), await _identity(context, path, target)
        same = None if here is None or there is None else here == there
        findings.append(
            finding("P15 same storage", same, f"{path}: {here} here, {there} on the target", "udevadm, stat")
        )
        if disk.writable:
            holders = await disk_holders(context, path, target)
            findings.append(
                finding("P15 free on target", None if holders is None else not holders, path, "lsblk on the target")
            )
    return findings


async def _identity(context: Context, path: str, host: str) -> str | None:
    """A block device's serial or UUIDs as udev knows them; a file's inode and size on a shared file system."""
    if path.startswith("/dev/"):
        answer = await context.read("udevadm", "info", "--query=property", f"--name={path}", host=host)
        keys = ("DM_UUID", "ID_SERIAL", "ID_WWN")
        properties = dict(line.split("=", 1) for line in answer.out.splitlines() if "=" in line)
        size = await context.read("blockdev", "--getsize64", path, host=host)
        identity = next((properties[key] for key in keys if properties.get(key)), None)
        return f"{identity} {size.out.strip()}" if answer.ok and identity and size.ok else None
    system = await context.read("stat", "--file-system", "--format=%T", "--", path, host=host)
    if system.out.strip() not in _SHARED_FS:
        return f"own file system of {host or 'this host'}" if system.ok else None
    answer = await context.read("stat", "--format=%i %s", "--", path, host=host)
    return answer.out.strip() if answer.ok else None


def check_handover(context: Context) -> Finding:
    """P16: an exclusive lease must move with the guest; LVM's can only where both hosts activate the volume shared."""
    guest = context.managed_guest
    if not guest.shared_storage:
        return Finding(
            "P16 lease hand-over", "fail", "the storage is not shared; copy or move the disks first", "policy"
        )
    if guest.lease in ("lvm", ""):
        words = (
            "an exclusive LVM activation cannot be handed over live; use a cold move"
            if guest.lease
            else "the policy names no lease"
        )
        return Finding("P16 lease hand-over", "fail", words, "policy")
    outcome = "pass" if guest.toolstack == "libvirt" or guest.lease == "none" else "fail"
    return Finding("P16 lease hand-over", outcome, f"lease {guest.lease} with {guest.toolstack}", "policy")  # type: ignore[arg-type]
