"""The numbers of one snapshot, by metric and labels, as pages ask for them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from xenwatch.base.durations import format_size
from xenwatch.model.sample import Sample, Snapshot


class Readings:
    """Of no snapshot, before the first sampling cycle is over, nothing is known."""

    def __init__(self, snapshot: Snapshot | None) -> None:
        self._by_metric: dict[str, list[Sample]] = {}
        for sample in snapshot.samples if snapshot is not None else ():
            self._by_metric.setdefault(sample.metric.name, []).append(sample)
        self.at = snapshot.at if snapshot is not None else None

    def of_each(self, label: str) -> dict[str, "Readings"]:
        """The samples that have this label, by its value: one pass over all, not one for each."""
        groups: dict[str, list[Sample]] = defaultdict(list)
        for samples in self._by_metric.values():
            labels = samples[0].metric.labels
            if label in labels:
                place = labels.index(label)
                for sample in samples:
                    groups[sample.labels[place]].append(sample)
        return {value: Readings(Snapshot(self.at or 0.0, tuple(samples))) for value, samples in groups.items()}

    def rows(self, metric: str) -> Iterator[tuple[Mapping[str, str], float]]:
        """Labels and value of each sample."""
        for sample in self._by_metric.get(metric, ()):
            yield dict(zip(sample.metric.labels, sample.labels, strict=False)), sample.value

    def value(self, metric: str, **labels: str) -> float | None:
        """The first sample with these labels; None where there is none."""
        wanted = labels.items()
        return next((value for found, value in self.rows(metric) if wanted <= found.items()), None)

    def total(self, metric: str, **labels: str) -> float | None:
        """The sum over the samples with these labels; None where there is none."""
        wanted = labels.items()
        values = [value for found, value in self.rows(metric) if wanted <= found.items()]
        return sum(values) if values else None

    def state(self, metric: str, label: str, **labels: str) -> str | None:
        """Of a stateset: the state that holds."""
        wanted = labels.items()
        return next((row[label] for row, value in self.rows(metric) if value == 1 and wanted <= row.items()), None)


def value_text(metric: str, value: float) -> str:
    """A number with the unit that its metric's name says: `1.5 GiB`, `93 %`, `0.004 s`, `17`."""
    unit = metric.removesuffix("_total").rsplit("_", 1)[-1]
    if unit == "bytes":
        return format_size(value)
    if unit == "ratio":
        return f"{value * 100:.3g} %"
    return f"{value:,.6g} s" if unit == "seconds" and "timestamp" not in metric else f"{value:,.10g}"
