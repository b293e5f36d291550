"""Numbers over time, as metric conditions need them: since when a check holds, and how fast a counter grows."""

from collections import OrderedDict, deque
from collections.abc import Generator, Iterable, Iterator
from typing import NamedTuple

from xenwatch.base.slices import at_once
from xenwatch.diagnosis.attribution import fill_names
from xenwatch.diagnosis.rules.expressions import number_holds
from xenwatch.diagnosis.rules.rule import MetricCondition, Rule
from xenwatch.model.sample import Sample, Snapshot
from xenwatch.model.subject import KINDS, Subject, named_by_labels

MOST_SERIES = 20_000

_IDENTITY = "xen_domain_info"
"""The metric that tells which domid a guest has."""

Series = tuple[int, str | None, tuple[str, ...]]
"""Number of a condition, the host, and the labels of a sample."""


class MetricReading(NamedTuple):
    """`value` is what `check` looks at; `since` the moment from which it has held without a break."""

    sample: Sample
    value: float
    since: float


class MetricHistory:
    """One history a condition and series; the rules' conditions are its keys."""

    def __init__(self) -> None:
        self._points: OrderedDict[Series, deque[tuple[float, float]]] = OrderedDict()
        self._since: dict[Series, float] = {}
        self._met: set[Series] = set()
        self._guests: dict[Series, str] = {}
        """Of which guest a series is."""
        self._domids: dict[str | None, dict[str, str]] = {}
        """By host: the domid of each guest in the last snapshot."""

    def take(self, conditions: list[MetricCondition], snapshot: Snapshot) -> dict[int, list[MetricReading]]:
        """What each condition reads in the snapshot, by its position in the list.

        A series that a snapshot does not have starts over when it comes back, as does that of a guest which has a new
        domid: what lasted was that of another.
        """
        return at_once(self.slices(conditions, snapshot))

    def slices(
        self, conditions: list[MetricCondition], snapshot: Snapshot, size: int = 1000
    ) -> Generator[None, None, dict[int, list[MetricReading]]]:
        """The same, with a pause after so many readings."""
        by_name: dict[str, list[Sample]] = {_IDENTITY: [], **{condition.metric: [] for condition in conditions}}
        for sample in snapshot.samples:
            of_name = by_name.get(sample.metric.name)
            if of_name is not None:
                of_name.append(sample)
        yield
        self._end_lives(by_name[_IDENTITY], snapshot.host)
        self._met = set()
        taken: dict[int, list[MetricReading]] = {}
        for index, condition in enumerate(conditions):
            taken[index], samples = [], by_name[condition.metric]
            for begin in range(0, len(samples), size):
                yield
                taken[index] += self._condition(index, condition, samples[begin : begin + size], snapshot)
        yield
        self._drop(series for series in self._known() if series[1] == snapshot.host and series not in self._met)
        return taken

    def _end_lives(self, identities: Iterable[Sample], host: str | None) -> None:
        """Guests that are not the ones of the last snapshot, though they are called the same."""
        now = {labels["domain"]: labels["domid"] for labels in map(_labels, identities)}
        before = self._domids.get(host, {})
        self._domids[host] = now
        reborn = {name for name, domid in now.items() if before.get(name, domid) != domid}
        if reborn:
            self._drop(s for s in self._known() if s[1] == host and self._guests.get(s) in reborn)

    def _known(self) -> list[Series]:
        return [*dict.fromkeys((*self._points, *self._since))]

    def _drop(self, gone: Iterable[Series]) -> None:
        for series in gone:
            self._points.pop(series, None)
            self._since.pop(series, None)
            self._guests.pop(series, None)

    def _condition(
        self, index: int, condition: MetricCondition, samples: list[Sample], snapshot: Snapshot
    ) -> Iterator[MetricReading]:
        at = snapshot.at
        for sample in samples:
            labels = _labels(sample)
            if any(labels.get(name) != value for name, value in condition.labels.items()):
                continue
            series = (index, snapshot.host, sample.labels)
            value = sample.value if condition.rate is None else self._rate(series, sample.value, at, condition.rate)
            if value is None:
                self._met.add(series)
                self._guests[series] = labels.get("domain", "")
                continue
            since = at
            if number_holds(condition.check, value, labels):
                since = self._since.setdefault(series, at)
            else:
                self._since.pop(series, None)
            if series in self._since or series in self._points:
                self._met.add(series)
                self._guests[series] = labels.get("domain", "")
            yield MetricReading(sample, value, since)

    def _rate(self, series: Series, value: float, at: float, span: float) -> float | None:
        """Increase a second over `span`; None until two points are there. A counter that went back starts over."""
        points = self._points.setdefault(series, deque())
        self._points.move_to_end(series)
        if points and value < points[-1][1]:
            points.clear()
        points.append((at, value))
        while len(points) > 2 and points[1][0] <= at - span:  # noqa: PLR2004  one point before the span stays
            points.popleft()
        if len(self._points) > MOST_SERIES:
            dropped, _ = self._points.popitem(last=False)
            self._since.pop(dropped, None)
        first_at, first = points[0]
        return (value - first) / (at - first_at) if at > first_at else None


def _labels(sample: Sample) -> dict[str, str]:
    return dict(zip(sample.metric.labels, sample.labels, strict=False))


def sample_subject(sample: Sample, rule: Rule) -> Subject:
    """The subject of a number: by its labels, or as the rule names its subject where they name another thing."""
    labels = _labels(sample)
    subject = named_by_labels(labels, rule.subject)
    if subject.kind != rule.subject and rule.subject_name:
        name = fill_names(rule.subject_name, labels)
        return Subject(rule.subject, KINDS[rule.subject].plain(name)) if name else subject
    return subject
