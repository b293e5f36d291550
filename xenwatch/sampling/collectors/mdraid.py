"""Software RAID: state of arrays, members missing and failed, how far a rebuild is, what a scrub found."""

from collections.abc import Iterator, Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.files import read_number, read_text
from xenwatch.host.host import Host
from xenwatch.host.parse.mdstat import Array, parse_mdstat
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

STATE = Metric(
    "xen_md_array_state",
    "stateset",
    "State of an array; degraded can be 1 together with another state",
    ("array", "state"),
)
DISKS = Metric("xen_md_disks", "gauge", "Members of an array: present, failed, and missing", ("array", "state"))
SYNC = Metric("xen_md_sync_ratio", "gauge", "Progress of a rebuild, resync or check of an array", ("array",))
MISMATCHES = Metric("xen_md_mismatch_count", "gauge", "Sectors that the last check found to differ", ("array",))
STATES = ("active", "inactive", "degraded", "recovering")


async def _collect(host: Host) -> Sequence[Sample]:
    text = read_text(host.paths.at("proc/mdstat"))
    if text is None:  # the file appears when md is loaded
        raise Unsupported("mdraid: the kernel has no md")
    return [sample for array in parse_mdstat(text) for sample in _of(host, array)]


def _of(host: Host, array: Array) -> Iterator[Sample]:
    holds = {
        "active": array.active,
        "inactive": not array.active,
        "degraded": array.missing > 0,
        "recovering": array.work in ("recovery", "resync", "reshape"),
    }
    for state in STATES:
        yield Sample(STATE, (array.name, state), float(holds[state]))
    good = len(array.members) - len(array.failed)
    for state, count in (("active", good), ("failed", len(array.failed)), ("missing", array.missing)):
        yield Sample(DISKS, (array.name, state), float(count))
    if array.percent is not None:
        yield Sample(SYNC, (array.name,), array.percent / 100)
    mismatches = read_number(str(host.paths.at("sys/block", array.name, "md/mismatch_cnt")))
    if mismatches is not None:
        yield Sample(MISMATCHES, (array.name,), float(mismatches))


COLLECTOR = Collector(
    name="mdraid", metrics=(STATE, DISKS, SYNC, MISMATCHES), begin=lambda: _collect, interval=30.0, deadline=10.0
)
