"""Guests that xendomains starts with the host: the links of /etc/xen/auto, and whether they lead anywhere."""

import re
from collections.abc import Sequence
from pathlib import Path

from xenwatch.base.errors import Unsupported
from xenwatch.host.files import names_in, read_bytes
from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.autostart import AUTOSTART
from xenwatch.sampling.collector import Collector

LINKS = Metric("xen_autostart_links", "gauge", "Links in /etc/xen/auto, and those with a missing target", ("state",))
_NAME = re.compile(rb"""^\s*name\s*=\s*["']([^"'\n]+)["']|\(name ['"]?([^'"()\n]+)['"]?\)""", re.MULTILINE)
"""In a file of xl or xm, `name = "web"`; in one of xend's, `(name web)`."""


async def _collect(host: Host) -> Sequence[Sample]:
    folder = host.paths.etc_xen / "auto"
    if not folder.is_dir():
        raise Unsupported("autostart: there is no /etc/xen/auto")
    inventory = await host.domains.known(max_age=60.0)
    from_libvirt = {domain.name for domain in inventory.domains if domain.autostart is not None}
    files = {name: _guest(folder / name) for name in names_in(folder)}
    guests = sorted({guest for guest in files.values() if guest is not None} - from_libvirt)
    broken = sum(guest is None for guest in files.values())
    return [
        Sample(LINKS, ("ok",), float(len(files) - broken)),
        Sample(LINKS, ("broken",), float(broken)),
        *(Sample(AUTOSTART, (guest,), 1.0) for guest in guests),
    ]


def _guest(path: Path) -> str | None:
    """The guest that this configures, by the name inside, else by its file; None where nothing is there to read."""
    text = read_bytes(path, 256 * 1024)
    if text is None:
        return None
    match = _NAME.search(text)
    return (match[1] or match[2]).decode("utf-8", "replace").strip() if match else path.stem


COLLECTOR = Collector(
    name="autostart",
    metrics=(LINKS, AUTOSTART),
    begin=lambda: _collect,
    interval=60.0,
    deadline=10.0,
    follows_domains=False,
)
