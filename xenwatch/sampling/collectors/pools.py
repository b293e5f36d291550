"""libvirt's storage pools: state and space, as it last knew them; nothing is refreshed, for that may hang."""

import contextlib
from collections.abc import Iterator, Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.host import Host
from xenwatch.host.libvirt.binding import libvirt
from xenwatch.host.libvirt.connection import Session
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

STATE = Metric("xen_storage_pool_state", "stateset", "State of one of libvirt's storage pools", ("pool", "state"))
CAPACITY = Metric("xen_storage_pool_capacity_bytes", "gauge", "Size of a storage pool", ("pool",))
ALLOCATION = Metric("xen_storage_pool_allocation_bytes", "gauge", "Space of a storage pool in use", ("pool",))
AVAILABLE = Metric("xen_storage_pool_available_bytes", "gauge", "Space of a storage pool that is free", ("pool",))
STATES = ("inactive", "building", "running", "degraded", "inaccessible")
"""By their numbers: virStoragePoolState."""


async def _collect(host: Host) -> Sequence[Sample]:
    if host.libvirt is None:
        raise Unsupported("pools: libvirt is not configured")
    return await host.libvirt.run("storage pools", _ask, COLLECTOR.deadline - 2)


def _ask(session: Session) -> list[Sample]:
    samples: list[Sample] = []
    for pool in session.call("connectListAllStoragePools", session.connection.listAllStoragePools):
        with contextlib.suppress(libvirt.libvirtError):  # it went away meanwhile
            samples += _of(pool.name(), *session.call("storagePoolGetInfo", pool.info))
    return samples


def _of(name: str, state: int, capacity: int, allocation: int, available: int) -> Iterator[Sample]:
    for number, word in enumerate(STATES):
        yield Sample(STATE, (name, word), float(number == state))
    for metric, value in ((CAPACITY, capacity), (ALLOCATION, allocation), (AVAILABLE, available)):
        yield Sample(metric, (name,), float(value))


COLLECTOR = Collector(
    name="pools", metrics=(STATE, CAPACITY, ALLOCATION, AVAILABLE), begin=lambda: _collect, interval=60.0, deadline=20.0
)
