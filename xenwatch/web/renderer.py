"""Samples as text: Prometheus' format 0.0.4 and OpenMetrics 1.0, with the part before each number kept ready."""

import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from xenwatch.model.sample import Metric, MetricType, Sample

Format = Literal["text", "openmetrics"]

_TYPES: dict[Format, dict[MetricType, str]] = {
    "text": {"counter": "counter", "gauge": "gauge", "histogram": "histogram", "info": "gauge", "stateset": "gauge"},
    # A state set of OpenMetrics must carry its state in a label named like the metric, which nobody queries; ours is
    # called `state`, so it is a gauge there too. Otherwise series would be named differently in the two formats.
    "openmetrics": {
        "counter": "counter", "gauge": "gauge", "histogram": "histogram", "info": "info", "stateset": "gauge",
    },
}  # fmt: skip
_SUFFIX: dict[MetricType, str] = {"counter": "_total", "info": "_info"}
_LABEL_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_HELP_ESCAPES: dict[Format, dict[int, str]] = {
    "text": str.maketrans({"\\": "\\\\", "\n": "\\n"}),
    "openmetrics": _LABEL_ESCAPES,
}
_LARGEST_EXACT = 2**53


@dataclass(slots=True)
class _MetricFamily:
    """A metric as it was last written: its samples, the part of each line before its number, and the lines."""

    metric: Metric
    samples: list[Sample]
    prefixes: dict[tuple[str, ...], str]
    lines: bytes


class Renderer:
    """Renders cycle after cycle. A family that did not change costs nothing, a series seen before only its number.

    The two formats differ in the heads of families alone, so lines are made once for both. A histogram's samples carry
    one label value more than the metric declares: the upper bound of a bucket (`0.5`, `+Inf`), or `sum` or `count`.
    """

    def __init__(self, format_: Format = "text") -> None:
        self._format = format_
        self._heads: dict[tuple[str, Format], bytes] = {}
        self._families: dict[str, _MetricFamily] = {}

    def render(self, samples: Iterable[Sample]) -> bytes:
        """The families in the order of their first samples; OpenMetrics' closing `# EOF` is left to the caller."""
        self.take(samples)
        return self.body(self._format)

    def take(self, samples: Iterable[Sample]) -> None:
        """Another cycle; `body` then gives it in either format."""
        families, previous = {}, self._families
        for name, (metric, family) in _families(samples).items():
            last = previous.get(name)
            # lists of the same sample objects, as most are, compare by address alone
            families[name] = last if last and last.samples == family else _written(metric, family, last)
        self._families = families

    def body(self, format_: Format, only: Container[str] | None = None) -> bytes:
        """The last cycle as text; `only` these metrics."""
        parts: list[bytes] = []
        for family in self._families.values():
            if only is None or family.metric.name in only:
                parts += (self._head(family.metric, format_), family.lines)
        return b"".join(parts)

    def _head(self, metric: Metric, format_: Format) -> bytes:
        head = self._heads.get((metric.name, format_))
        if head is None:
            name = metric.name
            if format_ == "openmetrics":
                name = name.removesuffix(_SUFFIX.get(metric.type, ""))
            words = metric.help.translate(_HELP_ESCAPES[format_])
            head = f"# HELP {name} {words}\n# TYPE {name} {_TYPES[format_][metric.type]}\n".encode("utf-8", "replace")
            self._heads[metric.name, format_] = head
        return head


def _written(metric: Metric, samples: list[Sample], last: _MetricFamily | None) -> _MetricFamily:
    """The same series twice would cost the whole scrape, so only the first is kept.

    A guest of a pool has more labels than one of this host, in the same family.
    """
    known_prefixes = last.prefixes if last else {}
    prefixes = {labels: known_prefixes.get(labels) or _prefix(own, labels) for own, labels, _ in samples}
    distinct = samples if len(prefixes) == len(samples) else _first_of_each(samples)
    lines = [f"{prefix}{_number(sample[2])}\n" for prefix, sample in zip(prefixes.values(), distinct, strict=True)]
    # A guest's name can hold what is no Unicode; one odd byte must not cost the others their numbers.
    return _MetricFamily(metric, samples, prefixes, "".join(lines).encode("utf-8", "replace"))


def _first_of_each(samples: Iterable[Sample]) -> list[Sample]:
    first: dict[tuple[str, ...], Sample] = {}
    for sample in samples:
        first.setdefault(sample.labels, sample)
    return list(first.values())


def _families(samples: Iterable[Sample]) -> Mapping[str, tuple[Metric, list[Sample]]]:
    """By metric: the samples of a family must be together, whatever collector they come from."""
    families: dict[str, tuple[Metric, list[Sample]]] = {}
    for sample in samples:
        metric = sample.metric
        family = families.get(metric.name)
        if family is None:
            families[metric.name] = family = (metric, [])
        family[1].append(sample)
    return families


def _prefix(metric: Metric, labels: tuple[str, ...]) -> str:
    names, suffix = metric.labels, ""
    if metric.type == "histogram":
        bound = labels[-1]
        names, labels, suffix = (
            (names, labels[:-1], f"_{bound}") if bound in {"sum", "count"} else ((*names, "le"), labels, "_bucket")
        )
    if len(names) != len(labels):
        raise ValueError(f"{metric.name} declares labels {metric.labels} and was given {labels}")
    pairs = ",".join(f'{name}="{text.translate(_LABEL_ESCAPES)}"' for name, text in zip(names, labels, strict=True))
    return f"{metric.name}{suffix}{{{pairs}}} " if pairs else f"{metric.name}{suffix} "


def _number(value: float) -> str:
    if math.isfinite(value):
        integer = int(value)
        return str(integer) if integer == value and -_LARGEST_EXACT < integer < _LARGEST_EXACT else repr(float(value))
    return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
