"""How far front and back ends of guests' devices have come: the XenbusState of each, from xenstore."""

from collections.abc import Iterator, Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.devices import Device
from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

_DEVICE = ("domain", "class", "devid")
_STATES = (
    "0 unknown, 1 initialising, 2 init wait, 3 initialised, 4 connected, 5 closing, 6 closed, 7 and 8 reconfiguring"
)
BACKEND = Metric("xen_xenbus_backend_state", "gauge", f"State of a device's backend: {_STATES}", _DEVICE)
FRONTEND = Metric(
    "xen_xenbus_frontend_state", "gauge", f"State of a device's frontend, as the guest says: {_STATES}", _DEVICE
)


async def _collect(host: Host) -> Sequence[Sample]:
    if host.xenstore is None:
        raise Unsupported("xenbus: no xenstore here")
    inventory = await host.domains.current()
    devices = [device for device in await host.devices.current() if device.domid in inventory.by_domid]
    paths = [f"{end}/state" for device in devices for end in (device.backend, device.frontend)]
    values = await host.xenstore.read_many(paths, COLLECTOR.deadline - 1)
    names = inventory.by_domid
    return [
        sample
        for n, device in enumerate(devices)
        for sample in _of(device, names[device.domid].name, values[2 * n], values[2 * n + 1])
    ]


def _of(device: Device, domain: str, back: str | None, front: str | None) -> Iterator[Sample]:
    """The frontend's state is the guest's word: a single digit, or not believed."""
    labels = (domain, device.kind, str(device.devid))
    for metric, value in ((BACKEND, back), (FRONTEND, front)):
        if value is not None and len(value) == 1 and value in "012345678":
            yield Sample(metric, labels, float(value))


COLLECTOR = Collector(name="xenbus", metrics=(BACKEND, FRONTEND), begin=lambda: _collect, interval=15.0, deadline=10.0)
