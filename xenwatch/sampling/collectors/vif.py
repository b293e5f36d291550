"""Network interfaces of guests: bytes and packets as the guest sees them, and whether each hangs on its bridge."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from xenwatch.host.devices import Device
from xenwatch.host.files import link_name, names_in, read_bytes, read_line
from xenwatch.host.host import Host
from xenwatch.host.inventory import DomainInventory
from xenwatch.host.kernel.netdev import NetCounters, parse_net_dev
from xenwatch.host.paths import Paths
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector
from xenwatch.sampling.counters import Counters
from xenwatch.sampling.rows import KeptRows, row

_VIF = ("domain", "vif")
_VIEW = "; the guest's view, so dom0's own counters with their directions swapped"
INFO = Metric(
    "xen_domain_vif_info", "info", "A guest's network interface", (*_VIF, "ifname", "mac", "bridge", "script", "type")
)
UP = Metric("xen_domain_vif_up", "gauge", "Whether dom0's end of a guest's interface is up", _VIF)
ATTACHED = Metric(
    "xen_domain_vif_bridge_attached",
    "gauge",
    "Whether dom0's end is on the bridge that the guest's configuration names",
    _VIF,
)
RATE = Metric("xen_domain_vif_rate_limit_bytes_per_second", "gauge", "Rate a guest's interface is limited to", _VIF)

_COUNTED = {
    (guest_way, what): Metric(
        f"xen_domain_vif_{guest_way}_{what}_total",
        "counter",
        f"{what.capitalize()} of a guest's interface, {direction}{_VIEW}",
        _VIF,
    )
    for guest_way, direction in (("receive", "towards the guest"), ("transmit", "from the guest"))
    for what in ("bytes", "packets", "errors", "dropped")
}

_TOLD = ("mac", "bridge", "script", "type", "rate")


class _Reader:
    def __init__(self) -> None:
        self._counters = Counters()
        self._kept = KeptRows()

    async def __call__(self, host: Host) -> Sequence[Sample]:
        inventory = await host.domains.current()
        vifs = [device for device in await host.devices.current() if device.kind == "vif"]
        return await host.aside.run(self._read, host.paths, inventory, vifs)

    def _read(self, paths: Paths, inventory: DomainInventory, vifs: Sequence[Device]) -> list[Sample]:
        counted = parse_net_dev(read_bytes(paths.at("proc/net/dev")) or b"")
        ports = _Ports(f"{paths.sys}/class/net")
        samples: list[Sample] = []
        for vif in vifs:
            domain = inventory.by_domid.get(vif.domid)
            if domain is not None:
                labels, ifname = (domain.name, vif.name), f"vif{vif.domid}.{vif.devid}"
                samples += self._traffic(vif, labels, ifname, counted)
                samples += self._placed(ports, vif, labels, ifname)
        self._counters.forget_unread()
        self._kept.forget_unused()
        return samples

    def _placed(self, ports: "_Ports", vif: Device, labels: tuple[str, str], ifname: str) -> Iterable[Sample]:
        state, wanted = read_line(f"{ports.net}/{ifname}/operstate"), vif.about.get("bridge")
        up = None if state is None else state.strip() in (b"up", b"unknown")
        attached = ports.holds(wanted, ifname) if wanted and state is not None else None
        key = (labels, ifname, tuple(map(vif.about.get, _TOLD)), up, attached)
        return self._kept.of(key, lambda: _described(*key))

    def _traffic(
        self, vif: Device, labels: tuple[str, str], ifname: str, counted: Mapping[str, NetCounters]
    ) -> Iterable[Sample]:
        """A guest without PV drivers speaks through qemu's tap beside the vif, `<vif>-emu`: both are one."""
        ends = [
            self._counters.unwrapped((vif.domid, vif.devid, name), numbers)
            for name in (ifname, f"{ifname}-emu")
            if (numbers := counted.get(name)) is not None
        ]
        if not ends:
            return ()
        return row(_COLUMNS, labels, ends[0] if len(ends) == 1 else map(sum, zip(*ends, strict=True)))


_COLUMNS = [
    _COUNTED[way, what] for way in ("transmit", "receive") for what in ("bytes", "packets", "errors", "dropped")
]
"""In the order of a NetCounters: dom0 receives what the guest transmits."""


class _Ports:
    """Which interfaces hang where, each bridge's folder listed once a reading."""

    def __init__(self, net: str) -> None:
        self.net = net
        self._on: dict[str, frozenset[str]] = {}

    def holds(self, bridge: str, ifname: str) -> bool:
        """Open vSwitch has no such folder: there the interface's own link to its master says so."""
        if bridge not in self._on:
            self._on[bridge] = frozenset(names_in(f"{self.net}/{bridge}/brif"))
        return ifname in self._on[bridge] or link_name(f"{self.net}/{ifname}/master") in (bridge, "ovs-system")


def _described(
    labels: tuple[str, str], ifname: str, details: tuple[str | None, ...], up: bool | None, attached: bool | None
) -> Iterator[Sample]:
    """`told`: what the toolstack wrote under the names of _TOLD."""
    if any(details):
        yield Sample(INFO, (*labels, ifname, *(word or "" for word in details[:-1])), 1.0)
    if up is not None:
        yield Sample(UP, labels, float(up))
    if attached is not None:
        yield Sample(ATTACHED, labels, float(attached))
    if (limit := rate_limit(details[-1] or "")) is not None:
        yield Sample(RATE, labels, limit)


def rate_limit(text: str) -> float | None:
    """`rate` is `<bytes>,<microseconds>`: so many bytes in each such interval (xen: docs/misc/xenstore-paths)."""
    size, _, interval = text.partition(",")
    if size.isdigit() and interval.isdigit() and int(interval) > 0:
        return int(size) * 1e6 / int(interval)
    return None


COLLECTOR = Collector(
    name="vif",
    metrics=(INFO, UP, ATTACHED, RATE, *_COUNTED.values()),
    begin=_Reader,
    interval=10.0,
    deadline=8.0,
)
