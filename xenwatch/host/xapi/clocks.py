"""How far the clocks of a pool's hosts are apart, by what each of them answers to the question for its time."""

from collections.abc import Mapping
from statistics import median

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError
from xenwatch.host.xapi.client import XapiClient
from xenwatch.host.xapi.records import PoolRecords, moment

_SLOWEST_SECONDS = 2.0
"""An answer that took longer says too little: nobody knows when in between the host looked at its clock."""


async def clock_offsets(client: XapiClient, records: PoolRecords, clock: Clock) -> dict[str, float]:
    """Seconds by which each live host is ahead of the middle of all, by reference; exact to two seconds.

    The master passes the question on (host.get_servertime). A host that does not answer is left out.
    """
    ahead: dict[str, float] = {}
    for ref, host in records.of("host").items():
        metrics = records.get("host_metrics", host["metrics"])
        if metrics is None or not metrics["live"]:
            continue
        asked = clock.now()
        try:
            told = moment(await client.call("host.get_servertime", ref))
        except HostError:
            continue
        took = clock.now() - asked
        if told is not None and took <= _SLOWEST_SECONDS:
            ahead[ref] = told + 0.5 - (asked + took / 2)  # the answer has no parts of a second
    return _from_the_middle(ahead)


def _from_the_middle(ahead: Mapping[str, float]) -> dict[str, float]:
    """Of two hosts nobody can say which one is wrong: both are off by half of what they differ."""
    middle = median(ahead.values()) if ahead else 0.0
    return {ref: value - middle for ref, value in ahead.items()}
