"""Bonds, often the way out of a bridge: how many of their interfaces there are, and how many carry traffic."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xenwatch.base.errors import Unsupported
from xenwatch.host.files import read_text
from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

SLAVES = Metric("xen_bond_slaves", "gauge", "Interfaces of a bond", ("bond",))
ACTIVE = Metric("xen_bond_slaves_active", "gauge", "Interfaces of a bond that have a link", ("bond",))


async def _collect(host: Host) -> Sequence[Sample]:
    net = host.paths.sys / "class/net"
    bonds = (read_text(net / "bonding_masters") or "").split()
    if not bonds:
        raise Unsupported("bond: no bond here")
    return await host.aside.run(lambda: [sample for bond in bonds for sample in _of(net, bond)])


def _of(net: Path, bond: str) -> Iterator[Sample]:
    """linux: Documentation/networking/bonding.rst; `mii_status` is `up`, `down` or on its way."""
    slaves = (read_text(net / bond / "bonding/slaves") or "").split()
    states = [(read_text(net / slave / "bonding_slave/mii_status") or "").strip() for slave in slaves]
    yield Sample(SLAVES, (bond,), float(len(slaves)))
    yield Sample(ACTIVE, (bond,), float(states.count("up")))


COLLECTOR = Collector(
    name="bond", metrics=(SLAVES, ACTIVE), begin=lambda: _collect, interval=15.0, deadline=10.0, follows_domains=False
)
