"""What xen-netback counts of each guest's interface beside its traffic: packets it had to repair, copy or refuse."""

from collections.abc import Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.host import Host
from xenwatch.host.kernel.ethtool import control_socket, driver_counters
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

EVENTS = Metric(
    "xen_domain_vif_netback_events_total",
    "counter",
    "Counters of dom0's driver for a guest's interface, by the driver's names, as `ethtool -S` shows them",
    ("domain", "vif", "counter"),
)


async def _collect(host: Host) -> Sequence[Sample]:
    """Asked of this machine's kernel, so only where the host's files are this machine's own."""
    if str(host.paths.root) != "/" or host.xenstore is None:
        raise Unsupported("netback: not on this host itself")
    inventory = await host.domains.current(max_age=15.0)
    vifs = [vif for vif in await host.devices.current() if vif.kind == "vif" and vif.domid in inventory.by_domid]
    names = {f"vif{vif.domid}.{vif.devid}": (inventory.by_domid[vif.domid].name, vif.name) for vif in vifs}
    return await host.aside.run(samples_of, names)


def samples_of(names: dict[str, tuple[str, str]]) -> list[Sample]:
    """`names`: guest and its number of the interface, by dom0's name of it."""
    with control_socket() as control:
        return [
            Sample(EVENTS, (*labels, counter), float(count))
            for ifname, labels in names.items()
            for counter, count in driver_counters(control, ifname).items()
        ]


COLLECTOR = Collector(
    name="netback", metrics=(EVENTS,), begin=lambda: _collect, interval=30.0, deadline=10.0, default_on=False
)
