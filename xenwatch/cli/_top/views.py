"""The views of single vcpus, disks and network interfaces, as xentop's V, B and N show them."""

from collections.abc import Callable
from dataclasses import dataclass

from rich.text import Text

from xenwatch.base.durations import format_size
from xenwatch.base.printed_text import one_line
from xenwatch.cli._top.frame import TopFrame, rates

_LONGEST = 40
Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TopView:
    """A table with a row for each part of a domain. `rows` gives the domain, a key of the row, and its cells."""

    title: str
    columns: tuple[str, ...]
    rows: Callable[[TopFrame, TopFrame | None], list[tuple[str, list[Text]]]]


def _vcpus(now: TopFrame, before: TopFrame | None) -> list[tuple[str, list[Text]]]:
    keys = ("domain", "vcpu")
    busy = rates("xen_domain_vcpu_seconds_total", "vcpu", keys, now, before)
    states = _labelled(now, "xen_domain_vcpu_state", keys, "state")
    return [
        (
            domain,
            [
                _name(domain),
                _number(vcpu),
                Text(states.get((domain, vcpu), "-")),
                _number(_whole(now.value("xen_domain_vcpu_cpu", domain=domain, vcpu=vcpu))),
                _number("-" if (share := busy.get((domain, vcpu))) is None else f"{100 * share:.1f}"),
                _number(f"{seconds:.0f}"),
            ],
        )
        for (domain, vcpu), seconds in sorted(now.sums("xen_domain_vcpu_seconds_total", keys).items())
    ]


def _disks(now: TopFrame, before: TopFrame | None) -> list[tuple[str, list[Text]]]:
    keys = ("domain", "device")
    paces = [
        rates(f"xen_domain_vbd_{what}_total", "vbd", keys, now, before)
        for what in ("read_requests", "write_requests", "read_bytes", "written_bytes")
    ]
    sources = _labelled(now, "xen_domain_vbd_info", keys, "source")
    devices = sorted(sources.keys() | now.sums("xen_domain_vbd_read_requests_total", keys).keys())
    return [
        (
            disk[0],
            [
                _name(disk[0]),
                _name(disk[1]),
                *(_number(_pace(pace.get(disk))) for pace in paces[:2]),
                *(_number(_size(pace.get(disk))) for pace in paces[2:]),
                _name(sources.get(disk, "-")),
            ],
        )
        for disk in devices
    ]


def _networks(now: TopFrame, before: TopFrame | None) -> list[tuple[str, list[Text]]]:
    keys = ("domain", "vif")
    received, sent, lost, failed = (
        rates(f"xen_domain_vif_{what}_total", "vif", keys, now, before)
        for what in ("receive_bytes", "transmit_bytes", "transmit_dropped", "receive_errors")
    )
    names = _labelled(now, "xen_domain_vif_info", keys, "ifname")
    bridges = _labelled(now, "xen_domain_vif_info", keys, "bridge")
    devices = sorted(names.keys() | now.sums("xen_domain_vif_receive_bytes_total", keys).keys())
    return [
        (
            vif[0],
            [
                _name(vif[0]),
                _name(names.get(vif) or vif[1]),
                *(_number(_size(pace.get(vif))) for pace in (received, sent)),
                *(_number(_pace(pace.get(vif))) for pace in (lost, failed)),
                _name(bridges.get(vif) or "-"),
            ],
        )
        for vif in devices
    ]


VIEWS: dict[str, TopView] = {
    "V": TopView("vcpus", ("NAME", "VCPU", "STATE", "ON CPU", "CPU %", "CPU s"), _vcpus),
    "B": TopView("disks", ("NAME", "DISK", "RD req/s", "WR req/s", "RD/s", "WR/s", "SOURCE"), _disks),
    "N": TopView("networks", ("NAME", "VIF", "RX/s", "TX/s", "DROPS/s", "ERRORS/s", "BRIDGE"), _networks),
}
"""By key: what is shown instead of the domains. The same key again, or escape, goes back to them."""


def _labelled(now: TopFrame, metric: str, keys: Labels, label: str) -> dict[Labels, str]:
    """The value of a label of the series that holds (is not zero), by the labels in `keys`."""
    return {
        tuple(have.get(key, "") for key in keys): have.get(label, "")
        for have, value in now.samples.get(metric, ())
        if value
    }


def _name(text: str) -> Text:
    text = one_line(text)
    return Text(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def _number(text: str) -> Text:
    return Text(text, justify="right")


def _whole(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _pace(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _size(value: float | None) -> str:
    return "-" if value is None else format_size(value)
