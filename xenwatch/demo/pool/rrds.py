"""Numbers of hosts and guests as xcp-rrdd keeps them: names and units from the plug-ins' sources, one row in 5 s.

ocaml/xcp-rrdd/bin/rrdp-cpu, rrdp-netdev, rrdp-iostat, rrdp-squeezed, rrdp-dcmi, rrdd/xcp_rrdd.ml, lib/rrd_updates.ml.
"""

import json
import math
from collections.abc import Callable
from typing import Any

STEP = 5
ROWS_KEPT = 120
"""Ten minutes of rows of five seconds."""

Source = Callable[[int], float]


def guest_sources(vcpus: int, disks: list[str], vifs: list[str], memory: int) -> dict[str, Source]:
    """Of a guest that runs steadily, so that a test can say what comes out."""
    sources: dict[str, Source] = {
        "memory": lambda _t: float(memory),
        "memory_target": lambda _t: float(memory),
        "memory_internal_free": lambda _t: 262144.0,
        "cpu_usage": lambda _t: 0.25,
        "runstate_fullrun": lambda _t: 0.1,
        "runstate_full_contention": lambda _t: 0.0,
        "runstate_concurrency_hazard": lambda _t: 0.05,
        "runstate_blocked": lambda _t: 0.7,
        "runstate_partial_run": lambda _t: 0.15,
        "runstate_partial_contention": lambda _t: 0.0,
        "runnable_any": lambda _t: 0.05,
    }
    sources |= {f"cpu{n}": lambda _t: 0.25 for n in range(vcpus)}
    for disk in disks:
        sources |= {f"vbd_{disk}_{name}": _steady(value) for name, value in _DISK.items()}
    for vif in vifs:
        sources |= {f"vif_{vif}_{name}": _steady(value) for name, value in _VIF.items()}
    return sources


def host_sources(cpus: int, pifs: list[str], srs: list[str], *, master: bool) -> dict[str, Source]:
    """Of a host; an SR is called by the first eight characters of its uuid.

    The master alone counts sessions and tasks: ocaml/xapi/xapi_stats.ml.
    """
    sources = {name: _steady(value) for name, value in _HOST.items() if master or not name.startswith("pool_")}
    sources |= {f"cpu{n}": _steady(0.5) for n in range(cpus)}
    sources |= {f"CPU{n}-avg-freq": _steady(2400.0) for n in range(cpus)}
    for pif in pifs:
        sources |= {f"pif_{pif}_rx": _steady(1000.0), f"pif_{pif}_tx": _steady(2000.0)}
    for sr in srs:
        sources |= {
            f"{name}_{sr[:8]}": _steady(value) for name, value in _DISK.items() if name not in ("read", "write")
        }
    return sources


def _steady(value: float) -> Source:
    return lambda _t: value


_DISK = {
    "read": 4096.0, "write": 8192.0, "read_latency": 500.0, "write_latency": 1500.0, "io_throughput_read": 4096 / 2**20,
    "io_throughput_write": 8192 / 2**20, "io_throughput_total": 12288 / 2**20, "iops_read": 1.0, "iops_write": 2.0,
    "iops_total": 3.0, "iowait": 0.01, "inflight": 1.0, "latency": 1000.0, "avgqu_sz": 0.5,
}  # fmt: skip
_VIF = {"rx": 100.0, "tx": 200.0, "rx_errors": 0.0, "tx_errors": 0.2}
_HOST = {
    "cpu_avg": 0.5, "loadavg": 0.3, "hostload": 0.2, "running_vcpus": 5.0, "running_domains": 3.0,
    "memory_total_kib": 67108864.0, "memory_free_kib": 33554432.0, "memory_reclaimed": 0.0, "memory_reclaimed_max": 0.0,
    "pif_aggr_rx": 1000.0, "pif_aggr_tx": 2000.0, "DCMI-power-reading": 210.0, "Tapdisks_in_low_memory_mode": 0.0,
    "pool_session_count": 4.0, "pool_task_count": 2.0, "pool_session_creation_rate": 0.1, "xapi_open_fds": 70.0,
    "xapi_memory_usage_kib": 150000.0, "xapi_free_memory_kib": 9000.0, "xapi_allocation_kib": 90000.0,
    "xapi_live_memory_kib": 81000.0,
}  # fmt: skip


def updates(
    owners: dict[str, dict[str, Source]], start: int, now: int, *, cf: str = "AVERAGE", not_yet: Any = ()
) -> tuple[list[str], list[tuple[int, list[float]]]]:
    """Legend and rows, the newest first. `owners` are `vm:<uuid>` and `host:<uuid>`; `not_yet`: NaN for these."""
    last = now - now % STEP
    times = [t for n in range(ROWS_KEPT) if (t := last - n * STEP) >= max(start, 1)]
    legend = [f"{cf}:{owner}:{name}" for owner, sources in owners.items() for name in sources]
    made = [(owner, name, source) for owner, sources in owners.items() for name, source in sources.items()]
    rows = [(t, [math.nan if (owner, name) in not_yet else source(t) for owner, name, source in made]) for t in times]
    return legend, rows


def number(value: float) -> str:
    """OCaml's `f_to_s`: `%0.4f` without what is not needed, or NaN."""
    if math.isnan(value):
        return "NaN"
    return f"{value:.0f}" if value == int(value) else f"{value:.4e}"


def as_json(legend: list[str], rows: list[tuple[int, list[float]]], *, old: bool = False) -> bytes:
    """Numbers are texts since 23.31. `old`: keys without quotes and numbers as they are, NaN among them."""
    meta = {
        "start": rows[-1][0] if rows else 0, "step": STEP, "end": rows[0][0] if rows else 0, "rows": len(rows),
        "columns": len(legend), "legend": legend,
    }  # fmt: skip
    if not old:
        data: list[Any] = [{"t": t, "values": [number(v) for v in values]} for t, values in rows]
        return json.dumps({"meta": meta, "data": data}, separators=(",", ":")).encode()
    head = ",".join(f"{key}: {json.dumps(value)}" for key, value in meta.items())
    body = ",".join(f"{{t:{t},values:[{','.join(map(number, values))}]}}" for t, values in rows)
    return f"{{meta: {{{head}}},data:[{body}]}}".encode()


def as_xml(legend: list[str], rows: list[tuple[int, list[float]]]) -> bytes:
    """`rrdtool xport`'s form."""
    start, end = (rows[-1][0], rows[0][0]) if rows else (0, 0)
    entries = "".join(f"<entry>{one}</entry>" for one in legend)
    data = "".join(f"<row><t>{t}</t>{''.join(f'<v>{number(v)}</v>' for v in values)}</row>" for t, values in rows)
    return (
        f'<?xml version="1.0"?><xport><meta><start>{start}</start><step>{STEP}</step><end>{end}</end>'
        f"<rows>{len(rows)}</rows><columns>{len(legend)}</columns><legend>{entries}</legend></meta>"
        f"<data>{data}</data></xport>"
    ).encode()
