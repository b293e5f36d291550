"""Facts about the bridges that the distribution configures, whether or not they are up."""

from collections.abc import Iterator

from xenwatch.base import lazy_re as re
from xenwatch.facts.definitions import FactRow
from xenwatch.model.subject import Subject

_IFACE = re.compile(r"^\s*iface\s+(?P<name>[\w.:-]+)\s")
_BRIDGED = re.compile(r"^\s*bridge[_-]ports?\s")
_ASSIGNMENT = re.compile(r"^\s*(?P<key>[A-Z]+)=[\"']?(?P<value>[^\"'\s]*)", re.MULTILINE)


def interfaces(text: str) -> Iterator[FactRow]:
    """Of Debian's /etc/network/interfaces (ifupdown and bridge-utils)."""
    name = ""
    for line in text.splitlines():
        if found := _IFACE.match(line):
            name = found["name"]
        elif name and _BRIDGED.match(line):
            yield "bridge.configured", Subject("bridge", name), True


def ifcfg(text: str) -> Iterator[FactRow]:
    """Of one /etc/sysconfig/network-scripts/ifcfg-NAME."""
    values = {found["key"]: found["value"] for found in _ASSIGNMENT.finditer(text)}
    if values.get("TYPE") == "Bridge" and values.get("DEVICE"):
        yield "bridge.configured", Subject("bridge", values["DEVICE"]), True
