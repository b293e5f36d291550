"""The binding of libvirt; where it is not installed, a stand-in on which every connection fails with the reason.

A dom0 with xl alone, XCP-ng and Qubes have no libvirt, and must not get a second toolstack for being watched.
"""

from types import ModuleType
from typing import Any

from xenwatch.base.errors import XenwatchError

__all__ = ["MissingLibvirt", "NoLibvirtError", "libvirt"]


class NoLibvirtError(XenwatchError):
    """What `libvirt.libvirtError` is where there is no libvirt."""

    def get_error_code(self) -> int:
        return -1


class MissingLibvirt(ModuleType):
    """Has the constants and types that are named at import, without a meaning; whatever is called fails."""

    libvirtError = NoLibvirtError  # noqa: N815 - libvirt's name
    virConnect = virDomain = object  # noqa: N815 - libvirt's names

    def __getattr__(self, name: str) -> Any:
        if name.startswith("VIR_"):
            return -1

        def refuse(*_arguments: Any) -> Any:
            raise NoLibvirtError("python3-libvirt is not installed; it is needed only where libvirt manages the guests")

        return refuse


try:
    import libvirt
except ImportError:
    libvirt = MissingLibvirt("libvirt")
