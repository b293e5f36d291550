"""Where things lie on a Xen host, under one movable root, so that a recorded host is read like a live one."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """Every file the program reads on a host is named from here; `root` is `/` on a live one."""

    root: Path = Path("/")

    def at(self, *parts: str) -> Path:
        """A path below the root; a leading slash in a part does not escape it."""
        return self.root.joinpath(*(part.lstrip("/") for part in parts))

    @property
    def proc(self) -> Path:
        return self.at("proc")

    @property
    def sys(self) -> Path:
        return self.at("sys")

    @property
    def etc_xen(self) -> Path:
        return self.at("etc/xen")

    @property
    def log(self) -> Path:
        return self.at("var/log")

    @property
    def dumps(self) -> tuple[Path, ...]:
        """Where toolstacks leave guests' cores: xl and xend; libvirt's libxl driver."""
        return (self.at("var/lib/xen/dump"), self.at("var/xen/dump"), self.at("var/lib/libvirt/libxl/dump"))

    @property
    def xenstored_sockets(self) -> tuple[Path, ...]:
        return (self.at("run/xenstored/socket"), self.at("var/run/xenstored/socket"))

    @property
    def xenstored_pids(self) -> tuple[Path, ...]:
        """Where either daemon writes its process id, by the versions of Xen and Debian."""
        folders = ("run/xen/xenstored.pid", "run/xenstore.pid", "run/xenstored.pid", "var/run/xenstored.pid")
        return tuple(self.at(folder) for folder in folders)

    @property
    def xenbus_devices(self) -> tuple[Path, ...]:
        """The kernel's own road to xenstored, for stub domains and hosts without the socket."""
        return (self.at("dev/xen/xenbus"), self.at("proc/xen/xenbus"))

    @property
    def xend_socket(self) -> Path:
        return self.at("var/run/xend/xmlrpc.sock")
