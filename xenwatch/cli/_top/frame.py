"""What `top` shows, as data: the samples of one moment, and a row for each domain with its rates since the last one."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from xenwatch.model.diagnosis import SEVERITIES
from xenwatch.model.sample import Sample

Series = tuple[dict[str, str], float]


@dataclass(frozen=True, slots=True)
class TopFrame:
    """Samples by metric and open incidents. `origin`: where they come from; `error`: what could not be read."""

    samples: Mapping[str, list[Series]]
    incidents: tuple[dict[str, Any], ...] = ()
    origin: str = ""
    error: str = ""

    def value(self, name: str, **labels: str) -> float | None:
        """The value of the first series that has these labels."""
        wanted = labels.items()
        return next((value for have, value in self.samples.get(name, ()) if wanted <= have.items()), None)

    def devices(self, name: str) -> Counter[str]:
        """How many devices each domain has, by a metric with one series for each."""
        return Counter(have.get("domain", "") for have, _ in self.samples.get(name, ()))

    def by_domain(self, name: str, **labels: str) -> dict[str, float]:
        """Values by domain, summed over its devices."""
        return {domain: value for (domain,), value in self.sums(name, ("domain",), **labels).items()}

    def sums(self, name: str, keys: tuple[str, ...], **labels: str) -> dict[tuple[str, ...], float]:
        """Values by the labels in `keys`, summed over all others."""
        values: dict[tuple[str, ...], float] = defaultdict(float)
        wanted = labels.items()
        for have, value in self.samples.get(name, ()):
            if wanted <= have.items():
                values[tuple(have.get(key, "") for key in keys)] += value
        return values

    def taken(self, collector: str) -> float | None:
        """When the numbers of that collector were read."""
        return self.value("xenwatch_collector_last_success_timestamp_seconds", collector=collector)


def series(samples: Iterable[Sample]) -> dict[str, list[Series]]:
    """A snapshot's samples, by metric."""
    by_metric: dict[str, list[Series]] = defaultdict(list)
    for metric, labels, value in samples:
        if metric.type != "histogram":
            by_metric[metric.name].append((dict(zip(metric.labels, labels, strict=True)), value))
    return by_metric


@dataclass(frozen=True, slots=True)
class TopRow:
    """One domain. Rates are per second; None is unknown (yet)."""

    name: str
    domid: int | None = None
    state: str = ""
    cpu_percent: float | None = None
    cpu_seconds: float | None = None
    memory_bytes: float | None = None
    vcpus: int | None = None
    received: float | None = None
    sent: float | None = None
    read: float | None = None
    written: float | None = None
    incidents: tuple[dict[str, Any], ...] = field(default=())

    @property
    def worst(self) -> dict[str, Any] | None:
        """Its most severe open incident."""
        return max(self.incidents, key=lambda incident: _rank(incident["severity"]), default=None)


def rows(now: TopFrame, before: TopFrame | None) -> list[TopRow]:
    """A row for each domain."""
    state = {have["domain"]: have["state"] for have, value in now.samples.get("xen_domain_state", ()) if value == 1}
    domids = {have["domain"]: have["domid"] for have, _ in now.samples.get("xen_domain_info", ())}
    cpu, memory = now.by_domain("xen_domain_cpu_seconds_total"), now.by_domain("xen_domain_memory_current_bytes")
    vcpus = now.by_domain("xen_domain_vcpus", kind="online") or now.by_domain("xen_domain_vcpus", kind="current")
    paces = {
        "cpu": _by_domain("xen_domain_cpu_seconds_total", "domain", now, before),
        "received": _by_domain("xen_domain_vif_receive_bytes_total", "vif", now, before),
        "sent": _by_domain("xen_domain_vif_transmit_bytes_total", "vif", now, before),
        "read": _by_domain("xen_domain_vbd_read_bytes_total", "vbd", now, before),
        "written": _by_domain("xen_domain_vbd_written_bytes_total", "vbd", now, before),
    }
    incidents: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for incident in now.incidents:
        if incident["subject"]["kind"] == "domain":
            incidents[incident["subject"]["name"]].append(incident)
    return [
        TopRow(
            name=name,
            domid=int(domids[name]) if domids.get(name, "").isdigit() else None,
            state=state.get(name, ""),
            cpu_percent=None if (busy := paces["cpu"].get(name)) is None else 100 * busy,
            cpu_seconds=cpu.get(name),
            memory_bytes=memory.get(name),
            vcpus=int(vcpus[name]) if name in vcpus else None,
            received=paces["received"].get(name),
            sent=paces["sent"].get(name),
            read=paces["read"].get(name),
            written=paces["written"].get(name),
            incidents=tuple(incidents.get(name, ())),
        )
        for name in sorted(state.keys() | domids.keys())
    ]


def rates(
    name: str, collector: str, keys: tuple[str, ...], now: TopFrame, before: TopFrame | None
) -> dict[tuple[str, ...], float]:
    """Per second, by the labels in `keys`. A counter that fell was reset: its guest restarted."""
    if before is None:
        return {}
    start, end = before.taken(collector), now.taken(collector)
    if start is None or end is None or end <= start:
        return {}
    old = before.sums(name, keys)
    pairs = ((key, value, old.get(key)) for key, value in now.sums(name, keys).items())
    return {key: max(0.0, value - past) / (end - start) for key, value, past in pairs if past is not None}


def _by_domain(name: str, collector: str, now: TopFrame, before: TopFrame | None) -> dict[str, float]:
    return {domain: rate for (domain,), rate in rates(name, collector, ("domain",), now, before).items()}


Key = Callable[[TopRow], Any]
SORTS: dict[str, tuple[str, Key]] = {
    "c": ("cpu", lambda row: row.cpu_percent if row.cpu_percent is not None else (row.cpu_seconds or 0.0) * 1e-9),
    "m": ("memory", lambda row: row.memory_bytes or 0.0),
    "n": ("network", lambda row: (row.received or 0.0) + (row.sent or 0.0)),
    "d": ("disk", lambda row: (row.read or 0.0) + (row.written or 0.0)),
    "i": ("incidents", lambda row: (_rank(row.worst["severity"]) if row.worst else -1, len(row.incidents))),
    "a": ("name", lambda row: row.name),
}
"""By key: the column it sorts by. The largest comes first, except for names."""


def ordered(rows: Iterable[TopRow], key: str, *, backwards: bool = False) -> list[TopRow]:
    """Rows in the order of a sort key; equal ones by name."""
    by_name = sorted(rows, key=lambda row: row.name)
    return sorted(by_name, key=SORTS[key][1], reverse=(key != "a") != backwards)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1
