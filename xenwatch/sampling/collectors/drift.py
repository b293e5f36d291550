"""Whether guests run as they are configured: what libvirt keeps for the next start beside what runs now."""

from collections.abc import Sequence
from xml.etree.ElementTree import ParseError

from xenwatch.base.errors import Unsupported
from xenwatch.host.host import Host
from xenwatch.host.libvirt.binding import libvirt
from xenwatch.host.libvirt.connection import Session
from xenwatch.host.libvirt.domain_xml import drifted
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

DRIFT = Metric(
    "xen_domain_config_drift",
    "gauge",
    "Whether a guest's next start uses another configuration than it runs with; guests of xl have no stored one",
    ("domain", "part"),
)
_AT_ONCE = 20
"""Domains in one visit: libvirt takes one call at a time from us, and the list of domains must not wait long."""
_RUN_AND_KEPT = libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE | libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT


async def _collect(host: Host) -> Sequence[Sample]:
    if host.libvirt is None:
        raise Unsupported("drift: libvirt is not configured")
    inventory = await host.domains.known(max_age=60.0)
    uuids = await host.libvirt.run("configurations", _run_and_kept, 10.0)
    samples: list[Sample] = []
    for start in range(0, len(uuids), _AT_ONCE):
        some = uuids[start : start + _AT_ONCE]
        samples += await host.libvirt.run("configurations", lambda session, some=some: _ask(session, some), 20.0)  # type: ignore[misc]
    return [sample for sample in samples if sample.labels[0] in inventory.names]


def _run_and_kept(session: Session) -> list[str]:
    """In libvirt's thread. dom0 has no configuration that it was started from."""
    domains = session.call("connectListAllDomains", session.connection.listAllDomains, _RUN_AND_KEPT)
    return [domain.UUIDString() for domain in domains if domain.ID() != 0]


def _ask(session: Session, uuids: list[str]) -> list[Sample]:
    samples: list[Sample] = []
    for uuid in uuids:
        try:
            domain = session.call("domainLookupByUUID", session.connection.lookupByUUIDString, uuid)
            name = domain.name()
            live = session.call("domainGetXMLDesc", domain.XMLDesc, 0)
            kept = session.call("domainGetXMLDesc", domain.XMLDesc, libvirt.VIR_DOMAIN_XML_INACTIVE)
            parts = drifted(live, kept)
        except (libvirt.libvirtError, ParseError):
            continue  # it went away meanwhile
        samples += [Sample(DRIFT, (name, part), float(differs)) for part, differs in parts.items()]
    return samples


COLLECTOR = Collector(name="drift", metrics=(DRIFT,), begin=lambda: _collect, interval=300.0, deadline=90.0)
