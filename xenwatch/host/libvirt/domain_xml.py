"""A domain's definition in libvirt's words, cut into the parts that a person sets, to compare two of them."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

PARTS = ("memory", "current_memory", "vcpus", "boot", "on_event", "disks", "interfaces", "passthrough")
_KIB = {"b": 1 / 1024, "k": 1, "m": 1024, "g": 1024**2, "t": 1024**3}
_BOOT = ("kernel", "initrd", "cmdline", "loader")
_TARGETS = {"bridge": "bridge", "network": "network", "direct": "dev"}
_DISKS = ("disk", "lun")
"""A CD that was put in or taken out is no change of the configuration that anybody would miss."""

Config = dict[str, object]


def parse_config(text: str) -> Config:
    """By part: what stands there, in a form that can be compared. Names that libvirt makes at each start are not.

    https://libvirt.org/formatdomain.html
    """
    domain = ET.fromstring(text)  # noqa: S314 - written by libvirt itself
    return {
        "memory": _kib(domain.find("memory")),
        "current_memory": _kib(domain.find("currentMemory")),
        "vcpus": _vcpus(domain),
        "boot": _boot(domain),
        "on_event": [domain.findtext(f"on_{event}") for event in ("poweroff", "reboot", "crash")],
        "disks": dict(_disks(domain)),
        "interfaces": dict(_interfaces(domain)),
        "passthrough": sorted(_passthrough(domain)),
    }


def drifted(live: str, kept: str) -> dict[str, bool]:
    """Of each part, whether the next start will bring something else than what runs now."""
    now, then = parse_config(live), parse_config(kept)
    return {part: now[part] != then[part] for part in PARTS}


def _kib(size: ET.Element | None) -> int | None:
    """`<memory unit='GiB'>1</memory>`; KiB where no unit is given."""
    if size is None or not (size.text or "").strip().isdigit():
        return None
    return round(int(size.text or "") * _KIB.get(size.get("unit", "KiB")[0].lower(), 1))


def _vcpus(domain: ET.Element) -> tuple[str, str, str | None]:
    """How many there are now, how many there may be, and where they may run."""
    vcpu = domain.find("vcpu")
    if vcpu is None:
        return "1", "1", None
    most = (vcpu.text or "1").strip()
    return vcpu.get("current", most), most, vcpu.get("cpuset")


def _boot(domain: ET.Element) -> list[str | None]:
    words = [domain.findtext(f"os/{name}") for name in _BOOT]
    words += [domain.findtext("bootloader"), domain.findtext("bootloader_args")]
    words += [boot.get("dev") for boot in domain.findall("os/boot")]
    return [None if word is None else word.strip() for word in words]


def _disks(domain: ET.Element) -> Iterator[tuple[str, tuple[str, bool]]]:
    for disk in domain.findall("devices/disk"):
        source, target = disk.find("source"), disk.find("target")
        if disk.get("device", "disk") in _DISKS and target is not None:
            where = "" if source is None else next((source.get(key, "") for key in _SOURCES if source.get(key)), "")
            yield target.get("dev", ""), (where, disk.find("readonly") is not None)


_SOURCES = ("dev", "file", "dir", "volume", "name")


def _interfaces(domain: ET.Element) -> Iterator[tuple[str, tuple[str, str]]]:
    """By MAC: how it is connected, and to what. An interface of a network tells its bridge only while it runs."""
    for interface in domain.findall("devices/interface"):
        kind, mac, source = interface.get("type", ""), interface.find("mac"), interface.find("source")
        where = "" if source is None else source.get(_TARGETS.get(kind, "dev"), "")
        yield "" if mac is None else mac.get("address", "").lower(), (kind, where)


def _passthrough(domain: ET.Element) -> Iterator[str]:
    for address in domain.findall("devices/hostdev/source/address"):
        yield ":".join(address.get(part, "") for part in ("domain", "bus", "slot", "function", "device"))
