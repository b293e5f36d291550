"""The numbers of one host: averages of five seconds become gauges, and add up to counters that only grow."""

import logging
import math
from collections.abc import Mapping, Sequence
from operator import itemgetter, mul

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError, InvalidValue
from xenwatch.base.growing_pause import GrowingPause
from xenwatch.host.xapi.client import XapiClient
from xenwatch.host.xapi.rrd import RrdUpdates, parse_rrd_updates
from xenwatch.model.sample import Sample
from xenwatch.sampling.rows import told
from xenwatch.sampling.xapi.columns import Column, ColumnNames, column_of
from xenwatch.sampling.xapi.families import CPU_SECONDS, VCPU_SECONDS

log = logging.getLogger(__name__)

FIGURES_SECONDS = 8.0
"""Longest wait for the numbers of one host."""
_FIRST_SECONDS, _FURTHER = 15, 4
"""How far back the first question goes, since one row is enough; and how often that where none came: clocks differ."""
_KEPT_SECONDS = 600
"""xcp-rrdd keeps rows of five seconds for ten minutes; what was missed before is lost."""
_LONGEST_BACK, _STALE_SECONDS = 86400, 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 60.0


Values = Sequence[str | float]


class _Columns:
    """Those columns of a legend that become one kind of metric, and the labels of each."""

    def __init__(self, found: Sequence[tuple[int, Column]], legend: Sequence[str]) -> None:
        self.entries = [legend[place] for place, _ in found]
        self.families, self.labels = [c.metric for _, c in found], [c.labels for _, c in found]
        self._factors = [column.factor for _, column in found]
        self._picked = itemgetter(*(place for place, _ in found), *_TWO)

    def values(self, row: Values) -> list[float]:
        """What a row says of them, in units of the metric; NaN where it says nothing. `map` ends with the shorter."""
        return list(map(mul, map(float, self._picked(row)), self._factors))


_TWO = (0, 0)
"""Behind the columns that are wanted: itemgetter gives a tuple only for two and more."""


class _Plan:
    """What becomes of the columns of one legend, under the names of that moment."""

    def __init__(self, legend: tuple[str, ...], names: ColumnNames, totals: Mapping[str, float]) -> None:
        self.legend, self.names = legend, names
        columns = [(place, column) for place, entry in enumerate(legend) if (column := column_of(entry, names))]
        self._gauges = _Columns([found for found in columns if found[1].metric.type == "gauge"], legend)
        self._counters = _Columns([found for found in columns if found[1].metric.type == "counter"], legend)
        self._totals = [totals.get(entry, 0.0) for entry in self._counters.entries]
        self._guests = _cpus_of(self._counters)

    def totals(self) -> dict[str, float]:
        """By the entry of the legend, for the plan that follows."""
        return dict(zip(self._counters.entries, self._totals, strict=True))

    def add(self, updates: RrdUpdates, after: int) -> int:
        """Add up the rows behind that moment; the moment of the last."""
        for row in updates.rows:
            if row.at > after:
                rates, seconds = self._counters.values(row.values), updates.step
                self._totals = [
                    total + rate * seconds if rate > 0.0 else total  # NaN is not
                    for total, rate in zip(self._totals, rates, strict=True)
                ]
                after = row.at
        return after

    def samples(self, last: Values) -> list[Sample]:
        """Of the last row. What has no number has no sample."""
        gauges, totals = self._gauges.values(last), self._totals
        samples = list(told(self._gauges.families, self._gauges.labels, gauges))
        if not math.isfinite(sum(gauges)):
            samples = [sample for sample in samples if math.isfinite(sample.value)]
        samples += told(self._counters.families, self._counters.labels, totals)
        samples += [
            Sample(CPU_SECONDS, labels, sum([totals[place] for place in places])) for labels, places in self._guests
        ]
        return samples


def _cpus_of(counters: _Columns) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    """By the labels of a guest: where the totals of its vcpus are."""
    places: dict[tuple[str, ...], tuple[int, ...]] = {}
    for place, (metric, labels) in enumerate(zip(counters.families, counters.labels, strict=True)):
        if metric is VCPU_SECONDS:
            guest = (labels[0], labels[2])
            places[guest] = (*places.get(guest, ()), place)
    return list(places.items())


class HostFigures:
    """One host's; `read()` once a cycle. A host that does not answer is asked again after a growing pause."""

    def __init__(self, client: XapiClient, address: str, clock: Clock) -> None:
        self._client, self._address, self._clock = client, address, clock
        self._plan: _Plan | None = None
        self._last, self._read_at, self._back = 0, 0.0, _FIRST_SECONDS
        self._samples: list[Sample] = []
        self._pause = GrowingPause(clock, _FIRST_PAUSE, _LONGEST_PAUSE)
        self.up = False

    async def read(self, names: ColumnNames) -> list[Sample]:
        """Nothing where the host does not answer."""
        if self._pause.lasts:
            return []
        try:
            body = await self._client.download(self._address, self._path(), FIGURES_SECONDS)
            updates = parse_rrd_updates(body)
        except (HostError, InvalidValue) as error:
            self._failed(error)
            return []
        self.up = True
        self._pause.succeeded()
        return self._taken(updates, names)

    def _path(self) -> str:
        """Averages alone, of the host and its guests, from behind the last row that was read."""
        missed = int(self._clock.monotonic() - self._read_at)  # by the host's clock: the two may differ
        again = self._last + 1 + max(0, missed - _KEPT_SECONDS)
        start = again if self._last else int(self._clock.now()) - self._back
        return f"/rrd_updates?start={start}&cf=AVERAGE&interval=5&host=true&json=true"

    def _failed(self, error: Exception) -> None:
        log.log(logging.WARNING if self.up or not self._last else logging.DEBUG, "%s", error)
        self.up = False
        self._pause.failed()

    def _taken(self, updates: RrdUpdates, names: ColumnNames) -> list[Sample]:
        plan = self._plan
        if plan is None or plan.legend != updates.legend or plan.names != names:
            self._plan = plan = _Plan(updates.legend, names, plan.totals() if plan else {})
        now = self._clock.monotonic()
        if not updates.rows:
            self._back = min(self._back * _FURTHER, _LONGEST_BACK)
            return self._samples if now - self._read_at < _STALE_SECONDS else []
        # Of the first answer only the last row counts: a counter starts when the agent does.
        self._last, self._read_at = plan.add(updates, self._last or updates.rows[-1].at), now
        self._samples = plan.samples(updates.rows[-1].values)
        return self._samples
