"""A guest's configuration, wherever it is kept: an xl or xm file, `xl list -l` of a running one, libvirt's XML."""

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from xenwatch.remediation.action import Context
from xenwatch.remediation.machine.virsh import virsh_reading


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk. `target` is its device or file in dom0; empty for an empty drive."""

    target: str
    vdev: str
    writable: bool
    removable: bool = False


@dataclass(frozen=True, slots=True)
class Vif:
    """One network interface."""

    bridge: str
    mac: str = ""
    script: str = ""


@dataclass(frozen=True, slots=True)
class GuestConfig:
    """What a start or a move has to know about a guest."""

    name: str
    kind: str
    """pv, hvm or pvh."""
    memory_mib: int
    max_memory_mib: int
    vcpus: int
    disks: tuple[Disk, ...] = ()
    vifs: tuple[Vif, ...] = ()
    files: tuple[str, ...] = ()
    """Kernel, ramdisk, firmware, device model: a start needs them."""
    obstacles: tuple[str, ...] = ()
    """What forbids a live migration: passed-through devices, nomigrate, nested HVM."""
    cpus: str = ""
    pool: str = ""


async def read_config(context: Context, *, running: bool) -> GuestConfig | None:
    """The configuration as it stands: of the running domain, or in the file that a start would use. None: unknown."""
    guest = context.managed_guest
    if guest.toolstack == "libvirt":
        answer = await context.read(*virsh_reading(context.machine, "dumpxml", "--", guest.uuid))
        return from_xml(answer.out) if answer.ok else None
    if running and guest.toolstack == "xl":
        answer = await context.read("xl", "list", "-l", guest.name)
        return from_json(answer.out) if answer.ok else None
    answer = await context.read("cat", "--", guest.config)
    return from_file(answer.out) if answer.ok and guest.config else None


def from_file(text: str) -> GuestConfig | None:
    """From an xl or xm file: assignments of strings, numbers and lists. None where the file computes values."""
    try:
        body = ast.parse(re.sub(r";\s*$", "", text, flags=re.MULTILINE)).body
        values = {
            statement.targets[0].id: ast.literal_eval(statement.value)
            for statement in body
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
        }
        return _from_words(values)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None


def _from_words(values: Mapping[str, Any]) -> GuestConfig:
    kind = str(values.get("type", "hvm" if values.get("builder") in ("hvm", "hvmloader") else "pv"))
    memory = int(values.get("memory", 0))
    files = [values.get(key) for key in ("kernel", "ramdisk", "bios_path_override", "device_model_override")]
    obstacles = [key for key in ("pci", "usbdev", "nomigrate", "nestedhvm", "dtdev", "rdm") if values.get(key)]
    cpus = values.get("cpus", "")
    return GuestConfig(
        name=str(values.get("name", "")), kind=kind, memory_mib=memory,
        max_memory_mib=int(values.get("maxmem", memory)),
        vcpus=int(values.get("vcpus", 1)), disks=tuple(_disk(d) for d in values.get("disk", [])),
        vifs=tuple(_vif(v) for v in values.get("vif", [])), obstacles=tuple(obstacles),
        files=tuple(str(f) for f in files if f and str(f) not in ("hvmloader", "/usr/lib/xen/boot/hvmloader")),
        cpus=cpus if isinstance(cpus, str) else ",".join(map(str, cpus)), pool=str(values.get("pool", "")),
    )  # fmt: skip


def _disk(spec: str) -> Disk:
    """`phy:/dev/vg/lv,xvda,w`, `/path,raw,xvda,rw` and `format=raw, vdev=xvda, access=rw, target=/path`."""
    words = [word.strip() for word in spec.split(",")]
    keys = dict(word.split("=", 1) for word in words if "=" in word)
    plain = [word for word in words if "=" not in word]
    target = keys.get("target") or (plain[0] if plain else "")
    target = re.sub(r"^(?:(?:phy|file|tap2?|tapdisk|aio|qcow2?|raw|vhd):)+", "", target)
    if target and not target.startswith("/"):
        target = f"/dev/{target}"
    removable = "cdrom" in words or keys.get("devtype") == "cdrom" or any(word.endswith(":cdrom") for word in plain)
    writable = keys.get("access", plain[-1] if len(plain) > 2 else "rw").startswith("w") or "rw" in words  # noqa: PLR2004 - target, vdev, mode
    vdev = keys.get("vdev") or next((w.partition(":")[0] for w in plain[1:] if re.match(r"(?:xvd|hd|sd)[a-z]", w)), "")
    writable = writable or keys.get("access", "") == "rw" or not (keys.get("access") or {"r", "ro"} & set(words))
    return Disk(target, vdev, writable and not removable, removable)


def _vif(spec: str) -> Vif:
    keys = dict(word.strip().split("=", 1) for word in spec.split(",") if "=" in word)
    return Vif(keys.get("bridge", "xenbr0"), keys.get("mac", ""), keys.get("script", ""))


def from_json(text: str) -> GuestConfig | None:
    """From `xl list -l NAME`."""
    try:
        parsed = json.loads(text)
        config = (parsed[0] if isinstance(parsed, list) else parsed)["config"]
        return _from_libxl(config)
    except (ValueError, KeyError, IndexError, TypeError):
        return None


def _from_libxl(config: Mapping[str, Any]) -> GuestConfig:
    create, build = config["c_info"], config["b_info"]
    disks = [
        Disk(d.get("pdev_path", ""), d.get("vdev", ""), bool(d.get("readwrite")), bool(d.get("removable")))
        for d in config.get("disks", [])
    ]
    vifs = [Vif(n.get("bridge", "xenbr0"), n.get("mac", ""), n.get("script", "")) for n in config.get("nics", [])]
    obstacles = [key for key in ("pcidevs", "usbctrls", "usbdevs", "dtdevs") if config.get(key)]
    obstacles += ["nomigrate"] if str(build.get("disable_migrate")) in ("True", "true") else []
    obstacles += (
        ["nested_hvm"] if str(build.get("nested_hvm", build.get("type.hvm", {}).get("nested_hvm"))) == "True" else []
    )
    typed = build.get(f"type.{create['type']}", {})
    files = [build.get("kernel") or typed.get("kernel"), build.get("ramdisk") or typed.get("ramdisk")]
    memory = int(build.get("target_memkb", build.get("max_memkb", 0))) // 1024
    return GuestConfig(
        name=create["name"], kind=create["type"], memory_mib=memory,
        max_memory_mib=int(build.get("max_memkb", 0)) // 1024, vcpus=int(build.get("max_vcpus", 1)),
        disks=tuple(disks), vifs=tuple(vifs), obstacles=tuple(obstacles),
        files=tuple(str(f) for f in files if f), pool=str(create.get("poolid", "")) if create.get("poolid") else "",
    )  # fmt: skip


def from_xml(text: str) -> GuestConfig | None:
    """From libvirt's domain XML, written by libvirt itself."""
    if "<!" in text:  # no entities: libvirt writes none
        return None
    try:
        root = ET.fromstring(text)  # noqa: S314 - without a document type there is nothing to expand
        return _from_domain(root)
    except (ET.ParseError, ValueError, AttributeError):
        return None


def _from_domain(root: ET.Element) -> GuestConfig:
    machine = root.find("os/type")
    kind = {"xenpv": "pv", "xenpvh": "pvh", "xenfv": "hvm"}.get(
        machine.get("machine", "") if machine is not None else "", "pv"
    )
    disks = []
    for disk in root.findall("devices/disk"):
        source, target = disk.find("source"), disk.find("target")
        path = (source.get("dev") or source.get("file") or "") if source is not None else ""
        removable = disk.get("device") == "cdrom"
        readonly = disk.find("readonly") is not None or removable
        disks.append(Disk(path, target.get("dev", "") if target is not None else "", not readonly, removable))
    vifs = []
    for interface in root.findall("devices/interface"):
        source, mac, script = interface.find("source"), interface.find("mac"), interface.find("script")
        bridge = source.get("bridge", "") if source is not None else ""
        vifs.append(
            Vif(
                bridge,
                mac.get("address", "") if mac is not None else "",
                script.get("path", "") if script is not None else "",
            )
        )
    files = [text for text in (root.findtext("os/kernel"), root.findtext("os/initrd")) if text]
    kib = int(root.findtext("currentMemory") or root.findtext("memory") or 0)
    return GuestConfig(
        name=root.findtext("name") or "", kind=kind, memory_mib=kib // 1024,
        max_memory_mib=int(root.findtext("memory") or 0) // 1024, vcpus=int(root.findtext("vcpu") or 1),
        disks=tuple(disks), vifs=tuple(vifs), files=tuple(files),
        obstacles=("hostdev",) if root.find("devices/hostdev") is not None else (),
    )  # fmt: skip
