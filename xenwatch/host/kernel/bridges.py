"""Bridges and what hangs on them, from sysfs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xenwatch.host.files import names_in, read_bytes, read_number, read_text

_FDB_ENTRY, _MAC, _PORT, _IS_LOCAL, _PORT_HIGH = 16, 6, 6, 7, 12
"""struct __fdb_entry, linux: include/uapi/linux/if_bridge.h: mac 6, port 1, local 1, ageing 4, port's high byte."""


@dataclass(frozen=True, slots=True)
class Port:
    """`state` is spanning tree's number: 0 disabled … 3 forwarding, 4 blocking."""

    name: str
    state: int | None
    mtu: int | None


@dataclass(frozen=True, slots=True)
class Bridge:
    """One bridge of the kernel; `learned` and `local` count entries of its forwarding table.

    `seen_at` tells by which ports each address was learnt: several, where VLANs have it at different ones.
    """

    name: str
    bridge_id: str
    stp: str
    vlan_filtering: str
    topology_change: int | None
    mtu: int | None
    ports: tuple[Port, ...]
    learned: int
    local: int
    seen_at: Mapping[bytes, frozenset[int]]


_GUESTS = ("vif", "tap")
"""Ends of guests' interfaces are no bridges, and there may be thousands."""


def read_bridges(sys: Path) -> list[Bridge]:
    """All bridges, by name. `sys` is where sysfs is mounted."""
    net = sys / "class/net"
    return [
        _bridge(net, name)
        for name in names_in(net)
        if not name.startswith(_GUESTS) and (net / name / "bridge").is_dir()
    ]


def _bridge(net: Path, name: str) -> Bridge:
    folder = net / name / "bridge"
    table = read_bytes(net / name / "brforward") or b""
    local = sum(table[at + _IS_LOCAL] for at in range(0, len(table) - _IS_LOCAL, _FDB_ENTRY))
    return Bridge(
        name=name,
        bridge_id=read_text(folder / "bridge_id") or "",
        stp=read_text(folder / "stp_state") or "",
        vlan_filtering=read_text(folder / "vlan_filtering") or "",
        topology_change=read_number(f"{folder}/topology_change_detected"),
        mtu=read_number(f"{net}/{name}/mtu"),
        ports=tuple(_port(f"{net}/{port}", port) for port in names_in(net / name / "brif")),
        learned=len(table) // _FDB_ENTRY - local,
        local=local,
        seen_at=_seen_at(table),
    )


def _seen_at(table: bytes) -> dict[bytes, frozenset[int]]:
    found: dict[bytes, frozenset[int]] = {}
    for at in range(0, len(table) - _FDB_ENTRY + 1, _FDB_ENTRY):
        if not table[at + _IS_LOCAL]:
            mac, port = table[at : at + _MAC], table[at + _PORT] | table[at + _PORT_HIGH] << 8
            found[mac] = found.get(mac, frozenset()) | {port}
    return found


def _port(folder: str, name: str) -> Port:
    return Port(name, read_number(f"{folder}/brport/state"), read_number(f"{folder}/mtu"))
