"""Bridges: ports against the kernel's limit, what they have learnt, duplicate MACs, spanning tree, MTU."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from xenwatch.host.devices import Device
from xenwatch.host.host import Host
from xenwatch.host.kernel.bridges import Bridge, read_bridges
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

PORTS_LIMIT_COUNT = 1023
"""BR_MAX_PORTS - 1, linux: net/bridge/br_private.h (1 << BR_PORT_BITS, BR_PORT_BITS 10)."""

INFO = Metric("xen_bridge_info", "info", "A bridge", ("bridge", "bridge_id", "stp", "vlan_filtering"))
PORTS = Metric("xen_bridge_ports", "gauge", "Interfaces on a bridge", ("bridge",))
PORTS_LIMIT = Metric(
    "xen_bridge_ports_limit", "gauge", "Most interfaces that this kernel allows on a bridge", ("bridge",)
)
UPLINKS = Metric("xen_bridge_uplinks", "gauge", "Ports of a bridge that are not a guest's: its uplinks", ("bridge",))
FDB = Metric(
    "xen_bridge_fdb_entries", "gauge", "MAC addresses in a bridge's table, by how they were added", ("bridge", "kind")
)
DUPLICATES = Metric(
    "xen_bridge_duplicate_macs",
    "gauge",
    "MAC addresses that more than one guest on a bridge is configured with",
    ("bridge",),
)
MOVES = Metric(
    "xen_bridge_mac_moves_total",
    "counter",
    "Addresses that moved from one port of a bridge to another between two readings",
    ("bridge",),
)
PORT_STATE = Metric(
    "xen_bridge_port_stp_state",
    "stateset",
    "Spanning tree state of a bridge's port; a guest's port is under the guest's name",
    ("bridge", "port_kind", "port", "state"),
)
TOPOLOGY = Metric(
    "xen_bridge_topology_change_detected", "gauge", "Whether spanning tree sees a change of topology", ("bridge",)
)
MTU = Metric("xen_bridge_mtu_bytes", "gauge", "MTU of a bridge", ("bridge",))
MISMATCH = Metric(
    "xen_network_mtu_mismatch",
    "gauge",
    "Ports with a larger MTU than their bridge: such frames are dropped",
    ("bridge",),
)
STP_STATES = ("disabled", "listening", "learning", "forwarding", "blocking")
"""By their numbers in sysfs, linux: include/uapi/linux/if_bridge.h."""


class _Reader:
    def __init__(self) -> None:
        self._moves = _Moves()

    async def __call__(self, host: Host) -> Sequence[Sample]:
        bridges = await host.aside.run(read_bridges, host.paths.sys)
        inventory = await host.domains.known(max_age=30.0)
        vifs = [device for device in await host.devices.current(max_age=15.0) if device.kind == "vif"]
        guests = {
            f"vif{vif.domid}.{vif.devid}": (inventory.by_domid[vif.domid].name, vif.name)
            for vif in vifs
            if vif.domid in inventory.by_domid
        }
        samples = [Sample(MOVES, (name,), float(count)) for name, count in self._moves.counted(bridges).items()]
        return samples + [sample for bridge in bridges for sample in _of(bridge, guests, vifs)]


class _Moves:
    """Counts addresses that changed their port from one reading to the next.

    A restart or a migration moves a guest's once; two machines with one address, or a loop, move it again and again.
    """

    def __init__(self) -> None:
        self._seen_at: dict[str, Mapping[bytes, frozenset[int]]] = {}
        self._counts: dict[str, int] = {}

    def counted(self, bridges: Sequence[Bridge]) -> dict[str, int]:
        counts = {bridge.name: self._counts.get(bridge.name, 0) + self._moved(bridge) for bridge in bridges}
        self._seen_at = {bridge.name: bridge.seen_at for bridge in bridges}
        self._counts = counts
        return counts

    def _moved(self, bridge: Bridge) -> int:
        before = self._seen_at.get(bridge.name, {})
        return sum(mac in before and before[mac].isdisjoint(ports) for mac, ports in bridge.seen_at.items())


def _of(bridge: Bridge, guests: dict[str, tuple[str, str]], vifs: Sequence[Device]) -> Iterator[Sample]:
    name = (bridge.name,)
    yield Sample(INFO, (bridge.name, bridge.bridge_id, bridge.stp, bridge.vlan_filtering), 1.0)
    yield Sample(PORTS, name, float(len(bridge.ports)))
    yield Sample(PORTS_LIMIT, name, float(PORTS_LIMIT_COUNT))
    yield Sample(UPLINKS, name, float(sum(not _is_guests(port.name) for port in bridge.ports)))
    yield Sample(FDB, (bridge.name, "learned"), float(bridge.learned))
    yield Sample(FDB, (bridge.name, "local"), float(bridge.local))
    macs = Counter(
        vif.about["mac"].lower() for vif in vifs if vif.about.get("bridge") == bridge.name and "mac" in vif.about
    )
    yield Sample(DUPLICATES, name, float(sum(count > 1 for count in macs.values())))
    if bridge.topology_change is not None:
        yield Sample(TOPOLOGY, name, float(bridge.topology_change))
    if bridge.mtu is not None:
        yield Sample(MTU, name, float(bridge.mtu))
        yield Sample(MISMATCH, name, float(sum((port.mtu or 0) > bridge.mtu for port in bridge.ports)))
    yield from _ports(bridge, guests)


def _ports(bridge: Bridge, guests: dict[str, tuple[str, str]]) -> Iterator[Sample]:
    """A vif is named by its guest, for its own name has the domid in it; one without a living guest is an orphan."""
    for port in bridge.ports:
        if port.name in guests:
            kind, name = "guest", "/".join(guests[port.name])
        elif not _is_guests(port.name):
            kind, name = "host", port.name
        else:
            continue
        if port.state is not None and port.state < len(STP_STATES):
            for number, state in enumerate(STP_STATES):
                yield Sample(PORT_STATE, (bridge.name, kind, name, state), float(number == port.state))


def _is_guests(port: str) -> bool:
    return port.startswith(("vif", "tap", "emu"))


COLLECTOR = Collector(
    name="bridge",
    metrics=(INFO, PORTS, PORTS_LIMIT, UPLINKS, FDB, DUPLICATES, MOVES, PORT_STATE, TOPOLOGY, MTU, MISMATCH),
    begin=_Reader,
    interval=15.0,
    deadline=10.0,
)
