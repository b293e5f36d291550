"""Grant tables: how much of its own each guest uses; one that is full can connect no further device."""

import re
from collections.abc import Sequence

from xenwatch.base.errors import CommandFailed, Unsupported
from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

FRAMES = Metric("xen_domain_grant_frames", "gauge", "Pages that a domain's grant table has", ("domain",))
LIMIT = Metric("xen_domain_grant_frames_limit", "gauge", "Pages that a domain's grant table may have", ("domain",))
_ANSWER = re.compile(r"domid=(\d+): nr_frames=(\d+), max_nr_frames=(\d+)")
_MOST = 200
"""Guests that are asked in one run: a program each."""


async def _collect(host: Host) -> Sequence[Sample]:
    """`xen-diag` is there since Xen 4.11; a domain that went away meanwhile is passed over."""
    if host.xenstore is None:
        raise Unsupported("grants: this is not a control domain")
    inventory = await host.domains.known(max_age=60.0)
    samples: list[Sample] = []
    for domid, domain in sorted(inventory.by_domid.items())[:_MOST]:
        found = _ANSWER.search(await _asked(host, domid))
        if found is not None:
            samples += (
                Sample(FRAMES, (domain.name,), float(found[2])),
                Sample(LIMIT, (domain.name,), float(found[3])),
            )
    return samples


async def _asked(host: Host, domid: int) -> str:
    try:
        return (await host.runner.run(("xen-diag", "gnttab_query_size", str(domid)), 2.0)).text
    except CommandFailed as error:
        if error.returncode is None:
            raise Unsupported("grants: xen-diag is not here") from None
        raise


COLLECTOR = Collector(
    name="grants",
    metrics=(FRAMES, LIMIT),
    begin=lambda: _collect,
    interval=60.0,
    deadline=40.0,
    default_on=False,
)
