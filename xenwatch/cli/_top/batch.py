"""`xenwatch top --batch`: the columns of `xentop -b`, and the same rows as JSON, for scripts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from xenwatch.base.printed_text import one_line
from xenwatch.cli._top.frame import TopFrame, TopRow
from xenwatch.host.parse.xl_list import STATE_LETTERS
from xenwatch.sampling.collectors.vbd import SECTOR

_WIDTHS = {
    "NAME": 10, "STATE": 6, "CPU(sec)": 10, "CPU(%)": 6, "MEM(k)": 10, "MEM(%)": 6, "MAXMEM(k)": 10, "MAXMEM(%)": 9,
    "VCPUS": 5, "NETS": 4, "NETTX(k)": 8, "NETRX(k)": 8, "VBDS": 4, "VBD_OO": 8, "VBD_RD": 8, "VBD_WR": 8,
    "VBD_RSECT": 10, "VBD_WSECT": 10, "SSID": 4,
}  # fmt: skip
"""Headings and least widths of xentop's batch mode (xen: tools/xentop/xentop.c)."""
_LETTERS = {state: letter for letter, state in STATE_LETTERS} | {"building": "p", "crashed": "sc"}
"""A guest that is built is paused, and one that crashed is also shut down."""
_VIF, _VBD = "xen_domain_vif_receive_bytes_total", "xen_domain_vbd_read_requests_total"
_TRAFFIC = (
    ("xen_domain_vif_transmit_bytes_total", 1024), (_VIF, 1024), ("xen_domain_vbd_out_of_requests_total", 1),
    (_VBD, 1), ("xen_domain_vbd_write_requests_total", 1), ("xen_domain_vbd_read_bytes_total", SECTOR),
    ("xen_domain_vbd_written_bytes_total", SECTOR),
)  # fmt: skip
"""What is counted of a domain's devices, and in which unit, in xentop's order."""


def batch_lines(now: TopFrame, rows: list[TopRow], *, full_names: bool = False) -> list[str]:
    """A heading and a line for each domain that runs, in the order of domids, as `xentop -b` prints them."""
    running = sorted((row for row in rows if row.domid is not None), key=lambda row: row.domid or 0)
    totals = _Totals.of(now)
    cells = [_cells(totals, row, full_names=full_names) for row in running]
    widths = [max([least, *(len(line[i]) for line in cells)]) for i, least in enumerate(_WIDTHS.values())]
    return [
        " ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in (list(_WIDTHS), *cells)
    ]


def batch_json(now: TopFrame, rows: list[TopRow]) -> dict[str, Any]:
    """The rows as they are: rates are per second, None (null) is what is not known (yet)."""
    domains = [{**asdict(row), "incidents": [incident["id"] for incident in row.incidents]} for row in rows]
    return {
        "version": 1,
        "taken": now.taken("domain"),
        "origin": now.origin,
        "error": now.error or None,
        "domains": domains,
        "incidents": list(now.incidents),
    }


@dataclass(frozen=True, slots=True)
class _Totals:
    """What is not in a row: of the host, and by domain; summed once for all lines."""

    memory: float | None
    maximum: Mapping[str, float]
    networks: Counter[str]
    disks: Counter[str]
    traffic: tuple[tuple[Mapping[str, float], int], ...]

    @classmethod
    def of(cls, now: TopFrame) -> "_Totals":
        return cls(
            now.value("xen_hypervisor_memory_total_bytes"),
            now.by_domain("xen_domain_memory_maximum_bytes"),
            now.devices(_VIF),
            now.devices(_VBD),
            tuple((now.by_domain(metric), unit) for metric, unit in _TRAFFIC),
        )


def _cells(totals: _Totals, row: TopRow, *, full_names: bool) -> list[str]:
    most, name = totals.maximum.get(row.name), one_line(row.name)
    sent, received, *disks = (f"{values.get(row.name, 0) / unit:.0f}" for values, unit in totals.traffic)
    return [
        name if full_names else name[:10],
        _state(row.state),
        f"{row.cpu_seconds or 0:.0f}",
        f"{row.cpu_percent or 0:.1f}",
        f"{(row.memory_bytes or 0) / 1024:.0f}",
        _share(row.memory_bytes or 0, totals.memory),
        "no limit" if most is None else f"{most / 1024:.0f}",
        "n/a" if most is None else _share(most, totals.memory),
        str(row.vcpus or 0),
        str(totals.networks[row.name]), sent, received,
        str(totals.disks[row.name]), *disks,
        "0",
    ]  # fmt: skip


def _state(state: str) -> str:
    """Xentop's six letters, each in its place."""
    letters = _LETTERS.get(state, "")
    return "".join(letter if letter in letters else "-" for letter in "dsbcpr")


def _share(part: float, total: float | None) -> str:
    return f"{100 * part / total:.1f}" if total else "0.0"
