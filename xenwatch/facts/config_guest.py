"""Facts about guests as they are configured, which need not be as they run."""

from collections.abc import Iterable, Iterator

from xenwatch.facts.definitions import FactRow
from xenwatch.host.parse.guest_config import GuestDefinition, parse_guest_config, parse_guest_xml
from xenwatch.model.subject import HOST, Subject

NOT_IN_USE = ("example", ".bak", ".old", ".orig", ".save", ".rpm", ".dpkg", ".disabled", "~")
"""Parts of the names of files that configure no guest: Xen's examples, and copies of what was before."""
PATHS_HEADING = "# files that guest configurations name"
_PRESENT, _MISSING = "there", "missing"


def guest_config(text: str) -> Iterator[FactRow]:
    """Of a file of xm or xl."""
    return guest(parse_guest_config(text))


def autostart_config(text: str) -> Iterator[FactRow]:
    """The same where /etc/xen/auto leads to it: xendomains starts this guest with the host."""
    definition = parse_guest_config(text)
    yield from guest(definition)
    if definition is not None:
        yield "guest.autostart", Subject("domain", definition.name), True


def guest_xml(text: str) -> Iterator[FactRow]:
    """Of libvirt."""
    return guest(parse_guest_xml(text))


def autostart_xml(text: str) -> Iterator[FactRow]:
    """The same where libvirt starts this guest with the host."""
    definition = parse_guest_xml(text)
    yield from guest(definition)
    if definition is not None:
        yield "guest.autostart", Subject("domain", definition.name), True


def guest(definition: GuestDefinition | None) -> Iterator[FactRow]:
    """What the configuration of one guest asks of the host. A list that is empty is told too: it may have had more."""
    if definition is None:
        return
    subject = Subject("domain", definition.name)
    yield "guest.type", subject, definition.type
    yield "guest.macs", subject, definition.macs
    yield "guest.bridges", subject, definition.bridges
    yield "guest.vif_scripts", subject, definition.vif_scripts
    yield "guest.files", subject, definition.files
    yield "guest.pci", subject, definition.pci
    yield "guest.dumps", subject, definition.dumps
    if definition.memory_bytes is not None:
        yield "guest.memory_bytes", subject, definition.memory_bytes
    if definition.uuid:
        yield "guest.uuid", subject, definition.uuid


def path_list(present: Iterable[str], missing: Iterable[str]) -> str:
    """How `collect` writes down which of the files that the configurations name are on the host."""
    rows = [*(f"{_PRESENT} {path}" for path in present), *(f"{_MISSING} {path}" for path in missing)]
    return "\n".join([PATHS_HEADING, *rows, ""])


def listed_paths(text: str) -> Iterator[FactRow]:
    """Of what `path_list` wrote."""
    rows = [line.partition(" ") for line in text.splitlines() if not line.startswith("#")]
    for word, name in ((_PRESENT, "files.present"), (_MISSING, "files.missing")):
        yield name, HOST, tuple(path for found, _, path in rows if found == word)
