"""Which host a bundle is of: the record that `xenwatch collect` writes, and the names of sosreports."""

import json

from xenwatch.base import lazy_re as re

FILE = "xenwatch-host.json"
"""What the record is called; it comes first, so that a reader knows the host of all that follows."""
_START = b'{"xenwatch_host": '
_SOSREPORT = re.compile(r"(?:^|/)sosreport-(?P<host>[A-Za-z0-9][\w.-]*?)(?:[.-]\d{4,}[^/]*)?(?:\.tar(?:\.\w+)?)?/")


def write_host_record(host: str) -> bytes:
    """The record of a bundle from that host."""
    return json.dumps({"xenwatch_host": host}).encode() + b"\n"


def is_host_record(head: bytes) -> bool:
    """Whether a file that starts so is one."""
    return head.startswith(_START)


def read_host_record(data: bytes) -> str:
    """The host's name. ValueError where it is damaged."""
    try:
        host = json.loads(data)["xenwatch_host"]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(host, str) or not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,254}", host):
        raise ValueError("it names no host")
    return host


def host_of_sosreport(path: str) -> str | None:
    """The host that the folder or archive of a sosreport is called after: `sosreport-xen1-2024-05-01-abcdefg/…`."""
    found = _SOSREPORT.search(path)
    return found["host"] if found else None
