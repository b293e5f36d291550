"""Event channels of dom0, of which each device of each guest takes some: how many are used of how many."""

from collections.abc import Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.host import Doors
from xenwatch.host.kernel.eventchannels import channels_limit, channels_used
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

USED = Metric("xen_event_channels_used", "gauge", "Event channels that dom0's kernel has bound", ("domain",))
LIMIT = Metric("xen_event_channels_limit", "gauge", "Event channels that dom0 can have with its kernel", ("domain",))


async def _collect(doors: Doors) -> Sequence[Sample]:
    """At a minute's pace: the table is read whole, and has a column for each cpu."""
    if doors.xenstore is None:
        raise Unsupported("eventchannels: this is no control domain")
    inventory = await doors.domains.known(max_age=60.0)
    dom0 = inventory.by_domid.get(0)
    used = await doors.aside.run(channels_used, doors.paths)
    limit = channels_limit(doors.paths)
    labels = (dom0.name if dom0 is not None else "Domain-0",)
    return [Sample(metric, labels, float(n)) for metric, n in ((USED, used), (LIMIT, limit)) if n is not None]


COLLECTOR = Collector(name="eventchannels", metrics=(USED, LIMIT), begin=lambda: _collect, interval=60.0, deadline=10.0)
