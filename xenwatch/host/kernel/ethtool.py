"""Drivers' own counters of network interfaces, as `ethtool -S` shows them, asked of the kernel without a program."""

import array
import contextlib
import fcntl
import socket
import struct
from collections.abc import Iterator

_SIOCETHTOOL, _STRINGS, _STATS, _INFO = 0x8946, 0x1B, 0x1D, 0x37
"""linux: include/uapi/linux/sockios.h and ethtool.h: ETHTOOL_GSTRINGS, ETHTOOL_GSTATS, ETHTOOL_GSSET_INFO."""
_SET_OF_STATS = 1
_NAME_BYTES, _LONGEST_IFNAME = 32, 15
_MOST = 1024


@contextlib.contextmanager
def control_socket() -> Iterator[socket.socket]:
    """Any socket will do to ask about interfaces."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        yield control


def driver_counters(control: socket.socket, ifname: str) -> dict[str, int]:
    """Counters by the driver's names for them; empty where the interface is gone or its driver has none."""
    try:
        count = _how_many(control, ifname)
        if not 0 < count <= _MOST:
            return {}
        names = _ask(control, ifname, struct.pack("=III", _STRINGS, _SET_OF_STATS, count) + bytes(count * _NAME_BYTES))
        values = _ask(control, ifname, struct.pack("=II", _STATS, count) + bytes(count * 8))
    except OSError:
        return {}
    return dict(zip(_words(names[12:]), struct.unpack(f"={count}Q", values[8:]), strict=True))


def _how_many(control: socket.socket, ifname: str) -> int:
    answer = _ask(control, ifname, struct.pack("=IIQI", _INFO, 0, 1 << _SET_OF_STATS, 0))
    _, _, mask, count = struct.unpack("=IIQI", answer)
    return int(count) if mask else 0


def _words(data: bytes) -> list[str]:
    starts = range(0, len(data), _NAME_BYTES)
    return [data[at : at + _NAME_BYTES].partition(b"\0")[0].decode("ascii", "replace") for at in starts]


def _ask(control: socket.socket, ifname: str, request: bytes) -> bytes:
    """The kernel writes its answer over the request: `struct ifreq` holds the name and where the request lies."""
    data = array.array("B", request)
    address, _ = data.buffer_info()
    fcntl.ioctl(control, _SIOCETHTOOL, struct.pack("16sP16x", ifname.encode()[:_LONGEST_IFNAME], address))
    return data.tobytes()
