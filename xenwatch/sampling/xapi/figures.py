"""The numbers of one host: averages of five seconds become gauges, and add up to counters that only grow."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError, InvalidValue
from xenwatch.host.xapi.client import XapiClient
from xenwatch.host.xapi.rrd import RrdUpdates, parse_rrd_updates
from xenwatch.model.sample import Sample
from xenwatch.sampling.rows import told
from xenwatch.sampling.xapi.columns import Column, ColumnNames, column_of
from xenwatch.sampling.xapi.families import CPU_SECONDS, VCPU_SECONDS

log = logging.getLogger(__name__)

FIGURES_SECONDS = 8.0
"""Longest wait for the numbers of one host."""
_FIRST_SECONDS = 15
"""How far back the first question goes: one row is enough."""
_KEPT_SECONDS = 600
"""xcp-rrdd keeps rows of five seconds for ten minutes; what was missed before is lost."""
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 60.0


class _Plan:
    """What becomes of the columns of one legend, under the names of that moment."""

    def __init__(self, legend: tuple[str, ...], names: ColumnNames, totals: Mapping[str, float]) -> None:
        self.legend, self.names = legend, names
        columns = [(place, column) for place, entry in enumerate(legend) if (column := column_of(entry, names))]
        gauges = [(place, column) for place, column in columns if column.metric.type == "gauge"]
        counters = [(place, column) for place, column in columns if column.metric.type == "counter"]
        self.gauge_places, self.gauges = _divided(gauges)
        self.counter_places, self.counters = _divided(counters)
        self.totals = [totals.get(legend[place], 0.0) for place in self.counter_places]
        self._gauge_families = [column.metric for column in self.gauges]
        self._gauge_labels = [column.labels for column in self.gauges]
        self._counter_families = [column.metric for column in self.counters]
        self._counter_labels = [column.labels for column in self.counters]
        self._factors = [column.factor for column in self.counters]
        self.guests = _cpus_of(self.counters)

    def kept(self) -> dict[str, float]:
        """Totals by the entry of the legend, for the plan that follows."""
        return {self.legend[place]: total for place, total in zip(self.counter_places, self.totals, strict=True)}

    def add(self, updates: RrdUpdates, after: int) -> int:
        """Add up the rows behind that moment; the moment of the last."""
        for row in updates.rows:
            if row.at > after:
                values, seconds = row.values, updates.step
                self.totals = [
                    total + value * factor * seconds if (value := values[place]) >= 0.0 else total  # NaN is not
                    for total, place, factor in zip(self.totals, self.counter_places, self._factors, strict=True)
                ]
                after = row.at
        return after

    def samples(self, last: Sequence[float]) -> Iterable[Sample]:
        """Of the last row. What has no number has no sample."""
        gauges = [last[place] * column.factor for place, column in zip(self.gauge_places, self.gauges, strict=True)]
        yield from compress(told(self._gauge_families, self._gauge_labels, gauges), map(math.isfinite, gauges))
        yield from told(self._counter_families, self._counter_labels, self.totals)
        for labels, places in self.guests:
            yield Sample(CPU_SECONDS, labels, sum([self.totals[place] for place in places]))


def _divided(columns: Sequence[tuple[int, Column]]) -> tuple[list[int], list[Column]]:
    return [place for place, _ in columns], [column for _, column in columns]


def _cpus_of(counters: Sequence[Column]) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    """By the labels of a guest: where the totals of its vcpus are."""
    places: dict[tuple[str, ...], tuple[int, ...]] = {}
    for place, column in enumerate(counters):
        if column.metric is VCPU_SECONDS:
            guest = (column.labels[0], column.labels[2])
            places[guest] = (*places.get(guest, ()), place)
    return list(places.items())


class HostFigures:
    """One host's; `read()` once a cycle. A host that does not answer is asked again after a growing pause."""

    def __init__(self, client: XapiClient, address: str, clock: Clock) -> None:
        self._client, self._address, self._clock = client, address, clock
        self._plan: _Plan | None = None
        self._last = 0
        self._pause, self._not_before = _FIRST_PAUSE, 0.0
        self.up = False

    async def read(self, names: ColumnNames) -> list[Sample]:
        """Nothing where the host does not answer."""
        if self._clock.monotonic() < self._not_before:
            return []
        try:
            body = await self._client.download(self._address, self._path(), FIGURES_SECONDS)
            updates = parse_rrd_updates(body)
        except (HostError, InvalidValue) as error:
            self._failed(error)
            return []
        self.up, self._pause = True, _FIRST_PAUSE
        return self._taken(updates, names)

    def _path(self) -> str:
        """Averages alone, of the host and its guests, from behind the last row that was read."""
        now = int(self._clock.now())
        start = max(self._last + 1, now - _KEPT_SECONDS) if self._last else now - _FIRST_SECONDS
        return f"/rrd_updates?start={start}&cf=AVERAGE&interval=5&host=true&json=true"

    def _failed(self, error: Exception) -> None:
        log.log(logging.WARNING if self.up or not self._last else logging.DEBUG, "%s", error)
        self.up = False
        self._not_before = self._clock.monotonic() + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def _taken(self, updates: RrdUpdates, names: ColumnNames) -> list[Sample]:
        plan = self._plan
        if plan is None or plan.legend != updates.legend or plan.names != names:
            self._plan = plan = _Plan(updates.legend, names, plan.kept() if plan else {})
        if not updates.rows:
            return []
        # Of the first answer only the last row counts: a counter starts when the agent does.
        self._last = plan.add(updates, self._last or updates.rows[-1].at)
        return list(plan.samples(updates.rows[-1].values))
