"""A short memory of numbers: what each guest used, by the minute for a day, by ten for a week, in bounded memory."""

import math
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xenwatch.model.sample import Snapshot

MINUTE = 60.0
SPANS = {"day": (1, 1440), "week": (10, 1008)}
"""Minutes from one point to the next, and how many points are kept. A guest needs 39 KiB for both."""
MOST_GUESTS = 500
"""For a further one that which was not seen for longest is forgotten."""
FORGOTTEN_AFTER = 7 * 24 * 60
"""Minutes without a number of a guest."""
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
_HOUR = 60
"""Minutes."""


@dataclass(frozen=True, slots=True)
class Trend:
    """One series, oldest first; NaN where nothing was known, `step` seconds between two values. The last is of `at`."""

    name: str
    values: Sequence[float]
    at: float
    step: float = MINUTE


Kept = dict[tuple[str, str], "array[float]"]
"""Of one guest: the values by span and series."""


class Trends:
    """Takes in snapshots, at most one a minute."""

    def __init__(self, guests: Mapping[str, Kept] | None = None, at: float | None = None) -> None:
        """`guests`: what was kept until the moment `at`, by an agent before this one."""
        self._guests: dict[str, Kept] = {name: _whole(kept) for name, kept in (guests or {}).items()}
        self._seen: dict[str, int] = dict.fromkeys(self._guests, 0)
        self._counted: Mapping[str, Mapping[str, float]] = {}
        self._at, self._minute = at, 0

    def note(self, snapshot: Snapshot) -> None:
        """Take in what was sampled; a snapshot that comes within the minute is left out."""
        passed = None if self._at is None else snapshot.at - self._at
        if passed is not None and 0 <= passed < MINUTE:
            return
        if passed is not None and passed > 0:
            self._leave_gap(int(passed // MINUTE) - 1)
        counted, levels = _sums(snapshot, _COUNTERS), _sums(snapshot, _GAUGES)
        self._minute += 1
        for guest in [*self._guests, *(name for name in {**counted, **levels} if name not in self._guests)]:
            now = dict(levels.get(guest, {}))
            if passed is not None and passed > 0:
                now |= _rates(self._counted.get(guest, {}), counted.get(guest, {}), passed)
            self._append(guest, now)
        self._counted, self._at = counted, snapshot.at

    def of(self, guest: str, span: str = "day") -> list[Trend]:
        """What is remembered of a guest; nothing before there are two points. `span`: one of SPANS."""
        kept, step = self._guests.get(guest, {}), SPANS[span][0] * MINUTE
        known = ((name, kept[span, name]) for name in SERIES if (span, name) in kept)
        return [
            Trend(name, values, self._at or 0.0, step)
            for name, values in known
            if sum(not math.isnan(value) for value in values) > 1
        ]

    def lately(self, series: str) -> dict[str, Sequence[float]]:
        """One of SERIES over the last hour, by guest; NaN where nothing was known."""
        return {guest: kept["day", series][-_HOUR:] for guest, kept in self._guests.items()}

    def kept(self) -> tuple[float | None, dict[str, Kept]]:
        """Everything, copied, and the moment of the last values: what another agent can begin with."""
        return self._at, {
            guest: {key: values[:] for key, values in kept.items()} for guest, kept in self._guests.items()
        }

    def _append(self, guest: str, now: Mapping[str, float]) -> None:
        if guest not in self._guests:
            if not now:
                return
            self._make_room()
            self._guests[guest] = _whole({})
        if now:
            self._seen[guest] = self._minute
        kept, (every, _) = self._guests[guest], SPANS["week"]
        for name in SERIES:
            _push(kept["day", name], [now.get(name, _NOTHING)], "day")
            if self._minute % every == 0:
                _push(kept["week", name], [_mean(kept["day", name][-every:])], "week")
        if self._minute - self._seen.get(guest, 0) > FORGOTTEN_AFTER:
            self._forget(guest)

    def _leave_gap(self, minutes: int) -> None:
        """Nothing was sampled for so long: the agent was down, or its host stood still."""
        if minutes <= 0:
            return
        for kept in self._guests.values():
            for (span, _), values in kept.items():
                every, most = SPANS[span]
                _push(values, [_NOTHING] * min(most, minutes // every), span)

    def _make_room(self) -> None:
        if len(self._guests) >= MOST_GUESTS:
            self._forget(min(self._guests, key=lambda guest: self._seen.get(guest, 0)))

    def _forget(self, guest: str) -> None:
        del self._guests[guest]
        self._seen.pop(guest, None)


def _whole(kept: Kept) -> Kept:
    """With a place for each span and series."""
    return {(span, name): kept.get((span, name), array("f")) for span in SPANS for name in SERIES}


def _push(values: "array[float]", new: Sequence[float], span: str) -> None:
    values.extend(new)
    del values[: -SPANS[span][1]]


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else _NOTHING


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
