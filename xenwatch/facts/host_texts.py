"""Small texts about a host that no single command prints: made the same for one look, for `collect`, and read back."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xenwatch.base.errors import HostError
from xenwatch.facts import config_system, standing
from xenwatch.facts.configuration import configuration_texts, present_and_missing
from xenwatch.facts.definitions import FactRow
from xenwatch.host.files import names_in, read_text
from xenwatch.host.paths import Paths

_LEVELS = "2345"
_RUNLEVEL_LINK = re.compile(r"^S\d\d(?P<service>.+)$")
_RUNLEVEL_FOLDERS = ("/etc/rc{}.d", "/etc/rc.d/rc{}.d", "/etc/init.d/rc{}.d")
"""Of Debian, Red Hat and SUSE."""
_LONGEST_ROTATION = 64 * 1024


@dataclass(frozen=True, slots=True)
class HostText:
    """`file` is its name in a bundle and `heading` its first line, which no other text has."""

    file: str
    heading: str
    read: Callable[[Paths], str]
    """The lines below the heading; no line is an answer, too."""
    definition: Callable[[str], Iterator[FactRow]]
    tells: tuple[str, ...]
    """The facts that are known once it was read."""

    def text(self, paths: Paths) -> str:
        """As it is written into a bundle."""
        return f"{self.heading}\n{self.read(paths)}"


def _bonds(paths: Paths) -> str:
    net = paths.sys / "class/net"
    return "".join(
        f"{bond} {port} {(read_text(net / port / 'bonding_slave/mii_status') or 'unknown').replace(' ', '-')}\n"
        for bond in (read_text(net / "bonding_masters") or "").split()
        for port in (read_text(net / bond / "bonding/slaves") or "").split()
    )


def _crash_kernel(paths: Paths) -> str:
    loaded = read_text(paths.sys / "kernel/kexec_crash_loaded")
    return "" if loaded is None else f"kexec_crash_loaded = {loaded}\n"


def _runlevels(paths: Paths) -> str:
    """As `chkconfig --list` prints them; nothing on a host with systemd, which tells more itself."""
    if paths.at("/run/systemd/system").is_dir():
        return ""
    on = {level: _started(paths, level) for level in _LEVELS}
    rows = (f"{s}\t0:off\t1:off\t" + "".join(f"{n}:{'on' if s in on[n] else 'off'}\t" for n in _LEVELS) + "6:off\n"
            for s in names_in(paths.at("/etc/init.d")) if paths.at("/etc/init.d", s).is_file())  # fmt: skip
    return "".join(rows)


def _started(paths: Paths, level: str) -> set[str]:
    links = (name for folder in _RUNLEVEL_FOLDERS for name in names_in(paths.at(folder.format(level))))
    return {found["service"] for name in links if (found := _RUNLEVEL_LINK.match(name))}


def _rotation(paths: Paths) -> str:
    files = ["/etc/logrotate.conf", *(f"/etc/logrotate.d/{name}" for name in names_in(paths.at("/etc/logrotate.d")))]
    texts = (read_text(paths.at(file)) for file in files)
    return "".join(f"{text[:_LONGEST_ROTATION]}\n" for text in texts if text)


def _contexts(paths: Paths) -> str:
    """SELinux's mode, and the type of each image and kernel that a guest's configuration names."""
    mode = next((m for folder in ("fs/selinux", "selinux") if (m := read_text(_selinux(paths, folder)))), None)
    if mode is None:
        return "mode disabled\n"
    lines = [f"mode {'enforcing' if mode == '1' else 'permissive'}\n"]
    return "".join([*lines, *(f"{type_} {file}\n" for file in _named_files(paths) if (type_ := _type(paths, file)))])


def _selinux(paths: Paths, folder: str) -> str:
    place = paths.sys / folder if folder.startswith("fs/") else paths.at(f"/{folder}")
    return str(place / "enforce")


def _named_files(paths: Paths) -> list[str]:
    """Those on disks of this host."""
    files: list[str] = []
    for _, kind, text in configuration_texts(paths):
        try:
            rows = list(kind.definition(text))
        except HostError:
            continue
        files += [f for name, _, value in rows if name == "guest.files" and isinstance(value, tuple) for f in value]
    return present_and_missing(paths, files, read_text(paths.proc / "mounts") or "")[0]


def _type(paths: Paths, file: str) -> str | None:
    """`virt_image_t` of `system_u:object_r:virt_image_t:s0`; None for what is no plain file."""
    place = paths.at(file)
    try:
        context = os.getxattr(place, "security.selinux").decode("ascii", "replace") if place.is_file() else ""
    except OSError:
        return None
    return context.split(":")[2] if context.count(":") >= 2 else None  # noqa: PLR2004  user, role, type


HOST_TEXTS = (
    HostText("bonds.txt", "# bonds and their interfaces", _bonds, standing.bonds, ("bond.",)),
    HostText("kexec.txt", "# crash kernel", _crash_kernel, standing.crash_kernel, ("kernel.crash_loaded",)),
    HostText("runlevels.txt", "# services by runlevel", _runlevels, config_system.runlevels, ()),
    HostText("logrotate.txt", "# rotation of logs", _rotation, standing.rotation, ("logrotate.patterns",)),
    HostText("selinux.txt", "# SELinux and the files of guests", _contexts, standing.contexts, ("selinux.",)),
)
