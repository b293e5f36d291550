"""A guest's configuration as xm, xl or libvirt keeps it, read without running it: xm's files are Python."""

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from xenwatch.base import lazy_re as re
from xenwatch.base.errors import HostError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Value = str | tuple[str, ...]

LONGEST = 128 * 1024
"""Characters; a longer file is no guest's configuration."""

_SETTING = re.compile(
    r"""^[ \t]*(?P<key>\w+)[ \t]*=[ \t]*(?:\[(?P<list>[^\]]*)\]|"(?P<double>[^"\n]*)"|'(?P<single>[^'\n]*)'"""
    r"""|(?P<bare>[\w.:/+-]+))""",
    re.MULTILINE,
)
_TEXT = re.compile(r""""([^"\n]*)"|'([^'\n]*)'""")
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_OLD_DISK = re.compile(r"^(?P<kind>(?:phy|file|tap2?|aio|raw|qcow2?|vhd|tapdisk)(?::(?:aio|raw|qcow2?|vhd|tapdisk))*):")
_PLACE = re.compile(r"/[^\s,]+")


class GuestDefinition(NamedTuple):
    """What is compared with the host. Empty where the file does not say it; MAC addresses and UUID in small letters."""

    name: str
    type: str
    """`hvm`, `pv` or `pvh`."""
    uuid: str = ""
    macs: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    """Of dom0; those of an interface that another domain serves are not this host's to have."""
    vif_scripts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Kernel, ramdisk and disks that dom0 must have, by absolute path."""
    pci: tuple[str, ...] = ()
    """Devices of the host that the guest gets, as they are written: `0000:03:00.0`, `03:00.0`."""
    dumps: bool = False
    """Whether its memory is written to a file when it crashes."""
    memory_bytes: int | None = None


def read_settings(text: str) -> dict[str, Value]:
    """Texts and lists of texts by their key; whatever is computed in the file is not known."""
    if len(text) > LONGEST:
        return {}
    try:
        return dict(_python(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return dict(_plain(_COMMENT.sub("", text)))


def _python(module: ast.Module) -> Iterator[tuple[str, Value]]:
    for statement in module.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                value = ast.literal_eval(statement.value)
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                continue
            listed = isinstance(value, list | tuple)
            yield statement.targets[0].id, tuple(map(str, value)) if listed else str(value)


def _plain(text: str) -> Iterator[tuple[str, Value]]:
    for found in _SETTING.finditer(text):
        if found["list"] is not None:
            yield found["key"], tuple(double or single for double, single in _TEXT.findall(found["list"]))
        else:
            yield found["key"], found["double"] or found["single"] or found["bare"] or ""


def parse_guest_config(text: str) -> GuestDefinition | None:
    """Of xm and xl (xl.cfg(5)); None where it names no guest."""
    settings = read_settings(text)
    name = settings.get("name")
    if not isinstance(name, str) or not name:
        return None
    vifs = [_options(vif) for vif in _listed(settings, "vif")]
    own = [vif for vif in vifs if "backend" not in vif]
    return GuestDefinition(
        name=name,
        type=_type(settings),
        uuid=str(settings.get("uuid", "")).lower(),
        macs=tuple(vif["mac"].lower() for vif in vifs if vif.get("mac")),
        bridges=_each_once(vif["bridge"] for vif in own if vif.get("bridge")),
        vif_scripts=_each_once(vif["script"].rpartition("/")[2] for vif in own if vif.get("script")),
        files=_each_once(_files(settings)),
        pci=tuple(device.split(",", 1)[0].strip() for device in _listed(settings, "pci")),
        dumps=str(settings.get("on_crash", "")).startswith("coredump"),
        memory_bytes=int(memory) * 1024**2 if (memory := str(settings.get("memory", ""))).isdigit() else None,
    )


def _type(settings: Mapping[str, Value]) -> str:
    if "hvm" in (settings.get("type"), settings.get("builder")):
        return "hvm"
    return "pvh" if settings.get("type") == "pvh" or settings.get("pvh") == "1" else "pv"


def _files(settings: Mapping[str, Value]) -> Iterator[str]:
    if not settings.get("bootloader"):  # with one, they lie inside the guest's own disk
        yield from (path for key in ("kernel", "ramdisk") if (path := str(settings.get(key, ""))).startswith("/"))
    for disk in _listed(settings, "disk"):
        options = _options(disk)
        if "script" not in options and "backend" not in options and (path := _disk_path(disk, options)):
            yield path


def _disk_path(disk: str, options: Mapping[str, str]) -> str:
    """`phy:vg0/web,xvda,w` and `/srv/web.img,raw,xvda,rw` and `format=raw,target=/srv/web.img`."""
    target = options.get("target") or disk.split(",", 1)[0].strip()
    old = _OLD_DISK.match(target)
    rest = target[old.end() :] if old else target
    if old and old["kind"] == "phy" and rest and not rest.startswith("/"):
        rest = f"/dev/{rest}"
    return rest if _PLACE.fullmatch(rest) else ""


def _options(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(","))
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}


def _listed(settings: Mapping[str, Value], key: str) -> tuple[str, ...]:
    value = settings.get(key, ())
    return (value,) if isinstance(value, str) else value


def _each_once(values: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def parse_guest_xml(text: str) -> GuestDefinition | None:
    """Of libvirt (https://libvirt.org/formatdomain.html); None where it is no definition of a guest."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # libvirt writes none, and entities can grow without end
        return None
    from xml.etree import ElementTree as ET  # noqa: PLC0415  no log needs it

    try:
        domain = ET.fromstring(text)  # noqa: S314 - without entities
    except ET.ParseError as error:
        raise HostError(f"no XML: {error}") from None
    name = (domain.findtext("name") or "").strip()
    if domain.tag != "domain" or not name:
        return None
    interfaces = [i for i in domain.findall("devices/interface") if i.find("backenddomain") is None]
    kind = (domain.findtext("os/type") or "").strip()
    return GuestDefinition(
        name=name,
        type={"hvm": "hvm", "xenpvh": "pvh"}.get(kind, "pv"),
        uuid=(domain.findtext("uuid") or "").strip().lower(),
        macs=tuple(mac.get("address", "").lower() for mac in domain.findall("devices/interface/mac")),
        bridges=_each_once(b for i in interfaces for s in i.findall("source") if (b := s.get("bridge"))),
        vif_scripts=_each_once(
            s.get("path", "").rpartition("/")[2] for i in interfaces for s in i.findall("script") if s.get("path")
        ),
        files=_each_once(_xml_files(domain)),
        pci=tuple(map(_pci_address, domain.findall("devices/hostdev[@type='pci']/source/address"))),
        dumps=(domain.findtext("on_crash") or "").startswith("coredump"),
        memory_bytes=_xml_memory(domain.find("memory")),
    )


_XML_UNITS = {"": 1024, "b": 1, "bytes": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def _xml_memory(memory: "Element | None") -> int | None:
    """KiB unless the element says another unit."""
    if memory is None or not (text := (memory.text or "").strip()).isdigit():
        return None
    unit = _XML_UNITS.get(memory.get("unit", "").lower().removesuffix("ib"))
    return int(text) * unit if unit else None


def _pci_address(address: "Element") -> str:
    parts = [int(address.get(key, "0"), 0) for key in ("domain", "bus", "slot", "function")]
    return "{:04x}:{:02x}:{:02x}.{:x}".format(*parts)


def _xml_files(domain: "Element") -> Iterator[str]:
    own = [disk for disk in domain.findall("devices/disk") if disk.find("backenddomain") is None]
    texts = [source.get("file") or source.get("dev") for disk in own for source in disk.findall("source")]
    if not domain.findtext("bootloader"):
        texts += [domain.findtext("os/kernel"), domain.findtext("os/initrd")]
    yield from (path for text in texts if (path := (text or "").strip()).startswith("/"))
