"""Events of domains that libvirt reported: started, stopped, crashed, migrated."""

from collections.abc import Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

EVENTS = Metric(
    "xen_domain_lifecycle_events_total",
    "counter",
    "Lifecycle events of a domain that libvirt reported since the agent started; guests of xl have none",
    ("domain", "event", "detail"),
)
MIGRATIONS = Metric(
    "xen_domain_migrations_total",
    "counter",
    "Migrations of a domain from and to this host that libvirt reported",
    ("domain", "direction", "result"),
)
_DIRECTIONS = {("started", "migrated"): "in", ("stopped", "migrated"): "out"}


async def _collect(host: Host) -> Sequence[Sample]:
    if host.libvirt is None:
        raise Unsupported("events: libvirt is not configured")
    samples = []
    for (domain, event, detail), count in sorted(host.lifecycle.counts.items()):
        samples.append(Sample(EVENTS, (domain, event, detail), float(count)))
        if (direction := _DIRECTIONS.get((event, detail))) is not None:
            samples.append(Sample(MIGRATIONS, (domain, direction, "success"), float(count)))
    return samples


COLLECTOR = Collector(
    name="events",
    metrics=(EVENTS, MIGRATIONS),
    begin=lambda: _collect,
    interval=5.0,
    deadline=4.0,
    follows_domains=False,
)
