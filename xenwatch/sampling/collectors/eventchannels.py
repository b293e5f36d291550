"""Event channels of dom0, of which each device of each guest takes some: how many are used of how many."""

from collections.abc import Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.host import Host
from xenwatch.host.kernel.eventchannels import channels_limit, channels_used
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

USED = Metric("xen_event_channels_used", "gauge", "Event channels that dom0's kernel has bound", ("domain",))
LIMIT = Metric("xen_event_channels_limit", "gauge", "Most event channels that dom0's kernel can have", ("domain",))


async def _collect(host: Host) -> Sequence[Sample]:
    """At a minute's pace: the table is read whole, and has a column for each cpu."""
    if host.xenstore is None:
        raise Unsupported("eventchannels: this is not a control domain")
    inventory = await host.domains.known(max_age=60.0)
    dom0 = inventory.by_domid.get(0)
    used = await host.aside.run(channels_used, host.paths)
    limit = channels_limit(host.paths)
    labels = (dom0.name if dom0 is not None else "Domain-0",)
    return [Sample(metric, labels, float(n)) for metric, n in ((USED, used), (LIMIT, limit)) if n is not None]


COLLECTOR = Collector(name="eventchannels", metrics=(USED, LIMIT), begin=lambda: _collect, interval=60.0, deadline=10.0)
