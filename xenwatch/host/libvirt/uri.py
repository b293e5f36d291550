"""Which libvirt: the URI of this host's, and of another host's."""

LOCAL = "xen:///system"
"""What is used where the configuration names no other."""


def is_local(uri: str) -> bool:
    """Whether it is the libvirt of Xen on this host."""
    return uri.startswith("xen:///")


def of_host(address: str) -> str:
    """The libvirt of another host, reached through ssh."""
    return f"xen+ssh://{address}/system"
