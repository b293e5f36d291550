"""Which files of a host hold configuration, and what each is read by, for a running host and for `collect` alike."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from xenwatch.facts import config_network
from xenwatch.facts.config_boot import boot_entries, kernel_command_line
from xenwatch.facts.config_guest import NOT_IN_USE, autostart_config, autostart_xml, guest_config, guest_xml
from xenwatch.facts.config_system import SYSCTLS, exports, fstab
from xenwatch.facts.config_xen import xend_config, xl_conf
from xenwatch.facts.definitions import FactRow
from xenwatch.host.files import names_in, read_bytes, read_text
from xenwatch.host.parse.mounts import NETWORK_TYPES, parse_mounts
from xenwatch.host.paths import Paths

MOST_FILES = 2000
"""Of one folder: a host has some hundred guests, not more."""
LARGEST_FILE = 256 * 1024


@dataclass(frozen=True, slots=True)
class ConfigurationFile:
    """Files of one kind: `place` is a path, or a folder with a slash at its end that holds only files of the kind."""

    place: str
    definition: Callable[[str], Iterator[FactRow]]
    without: tuple[str, ...] = ()
    """Parts of names that are of another kind."""


CONFIGURATION = (
    ConfigurationFile("/etc/xen/xend-config.sxp", xend_config),
    ConfigurationFile("/etc/xen/xl.conf", xl_conf),
    ConfigurationFile("/etc/xen/", guest_config, (*NOT_IN_USE, "xl.conf", ".sxp", "oxenstored", ".xml")),
    ConfigurationFile("/etc/xen/auto/", autostart_config),
    ConfigurationFile("/etc/libvirt/libxl/", guest_xml),
    ConfigurationFile("/etc/libvirt/libxl/autostart/", autostart_xml),
    ConfigurationFile("/etc/network/interfaces", config_network.interfaces),
    ConfigurationFile("/etc/sysconfig/network-scripts/", config_network.ifcfg, ("ifup", "ifdown", "~", ".bak")),
    ConfigurationFile("/boot/grub/grub.cfg", boot_entries),
    ConfigurationFile("/boot/grub2/grub.cfg", boot_entries),
    ConfigurationFile("/boot/grub/menu.lst", boot_entries),
    ConfigurationFile("/boot/grub/grub.conf", boot_entries),
    ConfigurationFile("/proc/cmdline", kernel_command_line),
    ConfigurationFile("/etc/fstab", fstab),
    ConfigurationFile("/etc/exports", exports),
)

CONFIGURATION_TELLS = (
    "guest.", "xend.", "xl.", "boot.", "bridge.configured", "kernel.command_line", "fstab.", "nfs.", "autostart.",
    "files.",
)  # fmt: skip
"""The facts that are known once all of these files were looked for: one that is not there configures nothing."""


def configuration_texts(paths: Paths) -> Iterator[tuple[str, ConfigurationFile, str]]:
    """Path, kind and text of every such file that is there."""
    for kind in CONFIGURATION:
        for path in _files(paths, kind):
            place = paths.at(path)
            if place.is_file() and (data := read_bytes(place, LARGEST_FILE)):
                yield path, kind, data.decode("utf-8", "replace")


def _files(paths: Paths, kind: ConfigurationFile) -> list[str]:
    if not kind.place.endswith("/"):
        return [kind.place]
    names = names_in(paths.at(kind.place))[:MOST_FILES]
    return [kind.place + name for name in names if not any(part in name for part in kind.without)]


def link_list(paths: Paths) -> str:
    """/etc/xen/auto as `ls -l` lists it, as far as that matters; empty where there is no such folder."""
    folder = paths.at("/etc/xen/auto")
    return "".join(f"{name} -> {_target(folder / name)}\n" for name in names_in(folder))


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return str(path)


def sysctl_text(paths: Paths) -> str:
    """The switches that rules ask for, as `sysctl` prints them."""
    values = {key: read_text(paths.proc / "sys" / key.replace(".", "/")) for key in SYSCTLS}
    interfaces = paths.proc / "sys/net/ipv4/conf"
    for name in names_in(interfaces):
        values[f"net.ipv4.conf.{name}.proxy_arp"] = read_text(interfaces / name / "proxy_arp")
    return "".join(f"{key} = {value}\n" for key, value in values.items() if value)


def present_and_missing(paths: Paths, files: Iterable[str], mounts: str) -> tuple[list[str], list[str]]:
    """Those that are on the host, and those that are not. What lies on a server is not asked for: it may not answer."""
    servers = [m.point.rstrip("/") + "/" for m in parse_mounts(mounts) if m.type in NETWORK_TYPES | {"autofs", "fuse"}]
    present: list[str] = []
    missing: list[str] = []
    for path in dict.fromkeys(files):
        if not path.startswith(tuple(servers)):
            (present if os.path.lexists(paths.at(path)) else missing).append(path)
    return present, missing
