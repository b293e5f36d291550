"""`xenwatch top --batch`: the columns of `xentop -b`, and the same rows as JSON, for scripts."""

from dataclasses import asdict
from typing import Any

from xenwatch.cli._top.frame import TopFrame, TopRow
from xenwatch.cli.report.format import one_line

_WIDTHS = {
    "NAME": 10, "STATE": 6, "CPU(sec)": 10, "CPU(%)": 6, "MEM(k)": 10, "MEM(%)": 6, "MAXMEM(k)": 10, "MAXMEM(%)": 9,
    "VCPUS": 5, "NETS": 4, "NETTX(k)": 8, "NETRX(k)": 8, "VBDS": 4, "VBD_OO": 8, "VBD_RD": 8, "VBD_WR": 8,
    "VBD_RSECT": 10, "VBD_WSECT": 10, "SSID": 4,
}  # fmt: skip
"""Headings and least widths of xentop's batch mode (xen: tools/xentop/xentop.c)."""
_LETTERS = {"dying": 0, "shutdown": 1, "blocked": 2, "crashed": 3, "paused": 4, "building": 4, "running": 5}
_SECTOR = 512


def batch_lines(now: TopFrame, rows: list[TopRow], *, full_names: bool = False) -> list[str]:
    """A heading and a line for each domain that runs, in the order of domids, as `xentop -b` prints them."""
    running = sorted((row for row in rows if row.domid is not None), key=lambda row: row.domid or 0)
    cells = [_cells(now, row, full_names=full_names) for row in running]
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


def _cells(now: TopFrame, row: TopRow, *, full_names: bool) -> list[str]:
    total = now.value("xen_hypervisor_memory_total_bytes")
    most = now.value("xen_domain_memory_maximum_bytes", domain=row.name)
    name = one_line(row.name)
    return [
        name if full_names else name[:10],
        _state(row.state),
        f"{row.cpu_seconds or 0:.0f}",
        f"{row.cpu_percent or 0:.1f}",
        f"{(row.memory_bytes or 0) / 1024:.0f}",
        _share(row.memory_bytes or 0, total),
        "no limit" if most is None else f"{most / 1024:.0f}",
        "n/a" if most is None else _share(most, total),
        str(row.vcpus or 0),
        *_traffic(now, row.name),
        "0",
    ]


def _traffic(now: TopFrame, domain: str) -> list[str]:
    """Networks and what they sent and received in KiB, disks with their requests and sectors."""

    def whole(metric: str, unit: int = 1) -> str:
        return f"{now.by_domain(metric).get(domain, 0) / unit:.0f}"

    return [
        str(now.count("xen_domain_vif_receive_bytes_total", domain=domain)),
        whole("xen_domain_vif_transmit_bytes_total", 1024),
        whole("xen_domain_vif_receive_bytes_total", 1024),
        str(now.count("xen_domain_vbd_read_requests_total", domain=domain)),
        whole("xen_domain_vbd_out_of_requests_total"),
        whole("xen_domain_vbd_read_requests_total"),
        whole("xen_domain_vbd_write_requests_total"),
        whole("xen_domain_vbd_read_bytes_total", _SECTOR),
        whole("xen_domain_vbd_written_bytes_total", _SECTOR),
    ]


def _state(state: str) -> str:
    """Xentop's six letters; a domain that crashed is also shut down there."""
    places = {_LETTERS[state]} if state in _LETTERS else set()
    if state == "crashed":
        places.add(_LETTERS["shutdown"])
    return "".join(letter if place in places else "-" for place, letter in enumerate("dsbcpr"))


def _share(part: float, total: float | None) -> str:
    return f"{100 * part / total:.1f}" if total else "0.0"
