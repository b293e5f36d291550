"""A short memory of numbers: what each guest used, minute by minute for a day, in bounded memory."""

import math
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xenwatch.model.sample import Snapshot

MINUTE = 60.0
MOST_POINTS = 1440
"""A day. A guest needs 23 KiB for it."""
MOST_GUESTS = 500
"""Further guests have no memory."""
_LABEL = "domain"
_COUNTERS = {
    "xen_domain_cpu_seconds_total": "cpu_seconds",
    "xen_domain_vbd_read_bytes_total": "disk_bytes",
    "xen_domain_vbd_written_bytes_total": "disk_bytes",
    "xen_domain_vif_receive_bytes_total": "network_bytes",
    "xen_domain_vif_transmit_bytes_total": "network_bytes",
}
_GAUGES = {"xen_domain_memory_current_bytes": "memory_bytes"}
SERIES = ("cpu_seconds", "memory_bytes", "disk_bytes", "network_bytes")
_NOTHING = float("nan")


@dataclass(frozen=True, slots=True)
class Trend:
    """One series, oldest first; NaN where nothing was known. The last value is of `at`."""

    name: str
    values: Sequence[float]
    at: float


class Trends:
    """Takes in snapshots, at most one a minute."""

    def __init__(self) -> None:
        self._guests: dict[str, dict[str, array[float]]] = {}
        self._counted: Mapping[str, Mapping[str, float]] = {}
        self._at: float | None = None

    def note(self, snapshot: Snapshot) -> None:
        """Take in what was sampled; a snapshot that comes within the minute is left out."""
        passed = None if self._at is None else snapshot.at - self._at
        if passed is not None and 0 <= passed < MINUTE:
            return
        counted, levels = _sums(snapshot, _COUNTERS), _sums(snapshot, _GAUGES)
        for guest in [*self._guests, *(name for name in {**counted, **levels} if name not in self._guests)]:
            now = dict(levels.get(guest, {}))
            if passed is not None and passed > 0:
                now |= _rates(self._counted.get(guest, {}), counted.get(guest, {}), passed)
            self._append(guest, now)
        self._counted, self._at = counted, snapshot.at

    def of(self, guest: str) -> list[Trend]:
        """What is remembered of a guest; nothing before there are two points."""
        kept = self._guests.get(guest, {})
        known = ((name, kept[name]) for name in SERIES if name in kept)
        return [
            Trend(name, values, self._at or 0.0)
            for name, values in known
            if sum(not math.isnan(value) for value in values) > 1
        ]

    def _append(self, guest: str, now: Mapping[str, float]) -> None:
        if guest not in self._guests:
            if len(self._guests) >= MOST_GUESTS:
                return
            self._guests[guest] = {name: array("f") for name in SERIES}
        for name, values in self._guests[guest].items():
            values.append(now.get(name, _NOTHING))
            del values[:-MOST_POINTS]
        if all(math.isnan(value) for values in self._guests[guest].values() for value in values):
            del self._guests[guest]


def _sums(snapshot: Snapshot, metrics: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """By guest and series, over all of its disks and interfaces."""
    sums: dict[str, dict[str, float]] = defaultdict(dict)
    for sample in snapshot.samples:
        series = metrics.get(sample.metric.name)
        if series is not None and _LABEL in sample.metric.labels:
            own = sums[sample.labels[sample.metric.labels.index(_LABEL)]]
            own[series] = own.get(series, 0.0) + sample.value
    return sums


def _rates(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> dict[str, float]:
    """Per second; a counter that began again says nothing."""
    return {
        name: (value - before[name]) / seconds
        for name, value in after.items()
        if name in before and value >= before[name]
    }
