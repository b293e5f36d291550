"""Which metric a column of rrd_updates becomes: names and units from the sources of xcp-rrdd's plug-ins.

https://github.com/xapi-project/xen-api/tree/master/ocaml/xcp-rrdd/bin: rrdp-cpu, rrdp-netdev (a guest's rx is what the
guest receives), rrdp-iostat (latencies in microseconds), rrdp-squeezed (KiB), rrdp-dcmi (watts; no temperature),
rrdp-xenpm (MHz; the shares of C- and P-states are left out, some twenty numbers for each cpu).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from xenwatch.model.sample import Metric
from xenwatch.sampling.xapi import families as f

KIB, MICROSECONDS, MEGA = 1024.0, 1e-6, 1e6


class Column(NamedTuple):
    """What becomes of a column: a gauge is the last average times `factor`, a counter adds up averages by seconds."""

    metric: Metric
    labels: tuple[str, ...]
    factor: float = 1.0


class ColumnNames(NamedTuple):
    """How people call what xcp-rrdd calls by its uuid."""

    pool: str
    host: str
    guests: Mapping[str, str]
    """By uuid."""
    repositories: Mapping[str, str]
    """By the first eight characters of the uuid."""


_GUEST: dict[str, tuple[Metric, tuple[str, ...], float]] = {
    "memory": (f.MEMORY, (), 1.0),
    "memory_target": (f.MEMORY_TARGET, (), 1.0),
    "memory_internal_free": (f.GUEST_MEMORY, ("free",), KIB),
    "cpu_usage": (f.CPU_USAGE, (), 1.0),
    "runnable_any": (f.RUNNABLE, (), 1.0),
    **{
        f"runstate_{name}": (f.RUNSTATE, (name,), 1.0)
        for name in (
            "fullrun", "full_contention", "concurrency_hazard", "blocked", "partial_run", "partial_contention",
        )
    },
}  # fmt: skip
_HOST: dict[str, tuple[Metric, float]] = {
    "xapi_open_fds": (f.XAPI_FDS, 1.0),
    "cpu_avg": (f.HOST_CPU_USAGE, 1.0), "loadavg": (f.DOM0_LOAD, 1.0), "hostload": (f.HOST_LOAD, 1.0),
    "running_vcpus": (f.RUNNING_VCPUS, 1.0), "memory_total_kib": (f.MEMORY_TOTAL, KIB),
    "memory_free_kib": (f.MEMORY_FREE, KIB), "memory_reclaimed": (f.RECLAIMED, KIB),
    "memory_reclaimed_max": (f.RECLAIMABLE, KIB), "DCMI-power-reading": (f.POWER, 1.0),
    "Tapdisks_in_low_memory_mode": (f.LOW_TAPDISKS, 1.0),
}  # fmt: skip
_DISK: dict[str, tuple[Metric, tuple[str, ...], float]] = {
    **{name: (metric, (), 1.0) for name, metric in f.VBD_COUNTERS.items()},
    "read_latency": (f.VBD_LATENCY, ("read",), MICROSECONDS),
    "write_latency": (f.VBD_LATENCY, ("write",), MICROSECONDS),
    "latency": (f.VBD_LATENCY, ("any",), MICROSECONDS),
    "iowait": (f.VBD_IOWAIT, (), 1.0), "inflight": (f.VBD_INFLIGHT, (), 1.0), "avgqu_sz": (f.VBD_QUEUE, (), 1.0),
}  # fmt: skip
_REPOSITORY: dict[str, tuple[Metric, tuple[str, ...], float]] = {
    "read_latency": (f.SR_LATENCY, ("read",), MICROSECONDS),
    "write_latency": (f.SR_LATENCY, ("write",), MICROSECONDS),
    "latency": (f.SR_LATENCY, ("any",), MICROSECONDS),
    "iops_read": (f.SR_REQUESTS, ("read",), 1.0), "iops_write": (f.SR_REQUESTS, ("write",), 1.0),
    "io_throughput_read": (f.SR_BYTES, ("read",), 2.0**20), "io_throughput_write": (f.SR_BYTES, ("write",), 2.0**20),
    "iowait": (f.SR_IOWAIT, (), 1.0), "inflight": (f.SR_INFLIGHT, (), 1.0), "avgqu_sz": (f.SR_QUEUE, (), 1.0),
}  # fmt: skip
_FREQUENCY, _XAPI = re.compile(r"CPU(\d+)-avg-freq"), re.compile(r"xapi_(?:memory_)?(\w+?)(?:_memory)?_kib")
_CPU, _VBD = re.compile(r"cpu(\d+)"), re.compile(r"vbd_([a-z]+)_(\w+)")
_VIF, _PIF = re.compile(r"vif_(\d+)_(\w+)"), re.compile(r"pif_(.+?)_((?:rx|tx)(?:_errors)?)")
_OF_CPU, _OF_FREQUENCY = (_CPU, f.HOST_CPU, 1.0), (_FREQUENCY, f.CPU_FREQUENCY, MEGA)
_OF_XAPI = (_XAPI, f.XAPI_MEMORY, KIB)
_OF_SR = re.compile(r"(\w+)_([0-9a-f]{8})")


def column_of(entry: str, names: ColumnNames) -> Column | None:
    """What an entry of the legend such as `AVERAGE:vm:<uuid>:cpu0` becomes; None for what nobody asks for."""
    kind, _, rest = entry.partition(":")[2].partition(":")
    uuid, _, name = rest.partition(":")
    if kind == "vm":
        guest = names.guests.get(uuid)
        return None if guest is None else _of_guest(name, guest, names.pool)
    return _of_host(name, names) if kind == "host" else None


def _of_guest(name: str, guest: str, pool: str) -> Column | None:
    if (known := _GUEST.get(name)) is not None:
        return Column(known[0], (guest, *known[1], pool), known[2])
    if found := _CPU.fullmatch(name):
        return Column(f.VCPU_SECONDS, (guest, found[1], pool))
    if found := _VIF.fullmatch(name):
        metric = f.VIF_COUNTERS.get(found[2])
        return None if metric is None else Column(metric, (guest, found[1], pool))
    found = _VBD.fullmatch(name)
    disk = _DISK.get(found[2]) if found else None
    if found is None or disk is None:
        return None
    return Column(disk[0], (guest, found[1], *disk[1], pool), disk[2])


def _of_host(name: str, names: ColumnNames) -> Column | None:
    where = (names.host, names.pool)
    if name == "pool_session_count":
        return Column(f.SESSIONS, (names.pool,))
    if (known := _HOST.get(name)) is not None:
        return Column(known[0], where, known[1])
    for pattern, metric, factor in (_OF_CPU, _OF_FREQUENCY, _OF_XAPI):
        if found := pattern.fullmatch(name):
            return Column(metric, (found[1], *where), factor)
    if found := _PIF.fullmatch(name):
        return None if found[1] == "aggr" else Column(f.PIF_COUNTERS[found[2]], (found[1], *where))
    found = _OF_SR.fullmatch(name)
    known_sr = _REPOSITORY.get(found[1]) if found else None
    if found is None or known_sr is None or found[2] not in names.repositories:
        return None
    return Column(known_sr[0], (names.repositories[found[2]], *known_sr[1], *where), known_sr[2])
