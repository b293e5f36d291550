"""Whether an address is of this machine alone; apart from the server: a command needs none of its libraries."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
