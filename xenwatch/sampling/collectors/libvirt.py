"""libvirt itself: how long its calls take, which fail, which its driver does not have, how often it went away."""

from collections.abc import Iterator, Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.doors import Doors
from xenwatch.host.rpcstats import BOUNDS, RpcStats
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector
from xenwatch.sampling.health import UNSUPPORTED

RECONNECTS = Metric(
    "xenwatch_libvirt_reconnects_total", "counter", "Connections to libvirt opened after the first was lost"
)
STUCK = Metric("xenwatch_libvirt_stuck_calls", "gauge", "Calls that outlived their deadline and still hold a thread")
DURATION = Metric("xenwatch_libvirt_rpc_duration_seconds", "histogram", "How long libvirt's calls take", ("call",))
ERRORS = Metric(
    "xenwatch_libvirt_rpc_errors_total", "counter", "Calls to libvirt that failed, by libvirt's code", ("call", "code")
)


async def _collect(doors: Doors) -> Sequence[Sample]:
    """Asks libvirt nothing: what other collectors met is told, whether it answers just now or not."""
    if doors.libvirt is None:
        raise Unsupported("libvirt is not configured")
    stats = doors.libvirt.stats
    return [
        Sample(RECONNECTS, (), float(doors.libvirt.reconnects)),
        Sample(STUCK, (), float(doors.libvirt.stuck_calls)),
        *_durations(stats),
        *(Sample(ERRORS, key, float(count)) for key, count in sorted(stats.errors.items())),
        *(Sample(UNSUPPORTED, ("libvirt", call), 1.0) for call in sorted(stats.unsupported)),
    ]


def _durations(stats: RpcStats) -> Iterator[Sample]:
    for call, (counts, seconds) in sorted(stats.histogram().items()):
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
            yield Sample(DURATION, (call, bound), float(count))
        yield Sample(DURATION, (call, "sum"), seconds)
        yield Sample(DURATION, (call, "count"), float(counts[-1]))


COLLECTOR = Collector(
    name="libvirt",
    metrics=(RECONNECTS, STUCK, DURATION, ERRORS, UNSUPPORTED),
    begin=lambda: _collect,
    interval=5.0,
    deadline=4.0,
)
