"""libvirt itself: how long its calls take, which fail, which its driver does not have, how often it went away."""

import re
from collections.abc import Iterator, Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.files import read_text
from xenwatch.host.host import Host
from xenwatch.host.kernel.unixsockets import clients
from xenwatch.host.libvirt.rpc_stats import BOUNDS, RpcStats
from xenwatch.host.paths import Paths
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector
from xenwatch.sampling.health import UNSUPPORTED

RECONNECTS = Metric(
    "xenwatch_libvirt_reconnects_total", "counter", "Connections to libvirt opened after the first was lost"
)
STUCK = Metric(
    "xenwatch_libvirt_stuck_calls", "gauge", "Calls to libvirt that passed their deadline and still hold a thread"
)
DURATION = Metric("xenwatch_libvirt_rpc_duration_seconds", "histogram", "How long libvirt's calls take", ("call",))
ERRORS = Metric(
    "xenwatch_libvirt_rpc_errors_total", "counter", "Calls to libvirt that failed, by libvirt's code", ("call", "code")
)
CLIENTS = Metric("xen_libvirtd_clients", "gauge", "Programs that are connected to libvirt's daemon")
CLIENTS_LIMIT = Metric(
    "xen_libvirtd_clients_limit", "gauge", "Most programs that can connect to libvirt's daemon at once"
)
_SOCKETS = frozenset(
    f"/run/libvirt/{name}" for daemon in ("libvirt", "virtxend") for name in (f"{daemon}-sock", f"{daemon}-sock-ro")
)
_LIMIT = re.compile(r"^\s*max_clients\s*=\s*(\d+)", re.MULTILINE)
_USUAL_LIMIT = 5000
"""libvirt: src/remote/libvirtd.conf.in."""


async def _collect(host: Host) -> Sequence[Sample]:
    """Asks libvirt nothing: reports the calls of other collectors, whether it answers now or not."""
    if host.libvirt is None:
        raise Unsupported("libvirt is not configured")
    stats = host.libvirt.stats
    return [
        Sample(RECONNECTS, (), float(host.libvirt.reconnects)),
        Sample(STUCK, (), float(host.libvirt.stuck_calls)),
        *_clients(host.paths),
        *_durations(stats),
        *(Sample(ERRORS, key, float(count)) for key, count in sorted(stats.errors.items())),
        *(Sample(UNSUPPORTED, ("libvirt", call), 1.0) for call in sorted(stats.unsupported)),
    ]


def _clients(paths: Paths) -> Iterator[Sample]:
    count = clients(paths.proc, _SOCKETS)
    if count is None:
        return
    yield Sample(CLIENTS, (), float(count))
    match = _LIMIT.search(read_text(paths.at("etc/libvirt/libvirtd.conf")) or "")
    yield Sample(CLIENTS_LIMIT, (), float(match[1]) if match else float(_USUAL_LIMIT))


def _durations(stats: RpcStats) -> Iterator[Sample]:
    for call, (counts, seconds) in sorted(stats.histogram().items()):
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
            yield Sample(DURATION, (call, bound), float(count))
        yield Sample(DURATION, (call, "sum"), seconds)
        yield Sample(DURATION, (call, "count"), float(counts[-1]))


COLLECTOR = Collector(
    name="libvirt",
    metrics=(RECONNECTS, STUCK, CLIENTS, CLIENTS_LIMIT, DURATION, ERRORS, UNSUPPORTED),
    begin=lambda: _collect,
    interval=5.0,
    deadline=4.0,
)
