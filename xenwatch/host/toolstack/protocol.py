"""What a toolstack tells of all domains at once, and which one this host has."""

import shutil
from collections.abc import Callable
from typing import Protocol

from xenwatch.host.exec.runner import Runner
from xenwatch.host.parse.xl_list import XlDomain
from xenwatch.host.paths import Paths
from xenwatch.host.toolstack.xl import Xl, XlVcpu


class Toolstack(Protocol):
    """Xen's own list of domains, however it is come by. Every call may raise HostError."""

    up: bool

    @property
    def name(self) -> str: ...

    async def domains(self, deadline: float = 5.0) -> list[XlDomain]:
        """All active domains."""

    async def vcpus(self, deadline: float = 5.0) -> list[XlVcpu]:
        """All vcpus of active domains."""

    async def info(self, deadline: float = 5.0) -> dict[str, str]:
        """The hypervisor by the keys of `xl info`; memory in MiB."""


def find_toolstack(paths: Paths, runner: Runner, which: Callable[[str], str | None] = shutil.which) -> Toolstack | None:
    """Xend where it runs, for xl does not work beside it; else xl; else xm: its xend may be started later."""
    legacy = paths.xend_socket.exists()
    if not legacy and which("xl"):
        return Xl(runner)
    if not legacy and not which("xm"):
        return None
    from xenwatch.host.toolstack.xend import Xend  # noqa: PLC0415 - HTTP and XML-RPC, for old hosts alone

    return Xend(paths, runner)
