"""Whether guests run as they are configured: what libvirt keeps for the next start beside what runs now."""

from collections.abc import Sequence
from xml.etree.ElementTree import ParseError

import libvirt

from xenwatch.base.errors import Unsupported
from xenwatch.host.doors import Doors
from xenwatch.host.libvirtconn import Session
from xenwatch.host.virconfig import drifted
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

DRIFT = Metric(
    "xen_domain_config_drift",
    "gauge",
    "Whether the next start of a guest brings another configuration than it runs with; guests made by xl keep none",
    ("domain", "part"),
)
_RUN_AND_KEPT = libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE | libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT


async def _collect(doors: Doors) -> Sequence[Sample]:
    if doors.libvirt is None:
        raise Unsupported("drift: libvirt is not configured")
    inventory = await doors.domains.known(max_age=60.0)
    return await doors.libvirt.run("configurations", lambda session: _ask(session, inventory.names), 60.0)


def _ask(session: Session, names: frozenset[str]) -> list[Sample]:
    """In libvirt's thread. dom0 has no configuration that it was started from."""
    samples: list[Sample] = []
    for domain in session.call("connectListAllDomains", session.connection.listAllDomains, _RUN_AND_KEPT):
        name = domain.name()
        if domain.ID() == 0 or name not in names:
            continue
        try:
            live = session.call("domainGetXMLDesc", domain.XMLDesc, 0)
            kept = session.call("domainGetXMLDesc", domain.XMLDesc, libvirt.VIR_DOMAIN_XML_INACTIVE)
            parts = drifted(live, kept)
        except (libvirt.libvirtError, ParseError):
            continue  # it went away meanwhile
        samples += [Sample(DRIFT, (name, part), float(differs)) for part, differs in parts.items()]
    return samples


COLLECTOR = Collector(name="drift", metrics=(DRIFT,), begin=lambda: _collect, interval=300.0, deadline=90.0)
