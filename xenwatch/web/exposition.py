"""Samples as text: Prometheus' format 0.0.4 and OpenMetrics 1.0, with the part before each number kept ready."""

import math
from collections.abc import Iterable, Mapping
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
_LARGEST_EXACT = 2.0**53


class Renderer:
    """Renders cycle after cycle in one format; a series seen in the last cycle costs only its number.

    A histogram's samples carry one label value more than the metric declares: the upper bound of a bucket (`0.5`,
    `+Inf`), or `sum` or `count`.
    """

    def __init__(self, format_: Format) -> None:
        self._format = format_
        self._heads: dict[str, str] = {}
        self._prefixes: dict[str, dict[tuple[str, ...], str]] = {}

    def render(self, samples: Iterable[Sample]) -> bytes:
        """The families in the order of their first samples; OpenMetrics' closing `# EOF` is left to the caller."""
        lines: list[str] = []
        fresh: dict[str, dict[tuple[str, ...], str]] = {}
        for metric, family in _families(samples).values():
            lines.append(self._head(metric))
            known, used = self._prefixes.get(metric.name, {}), fresh.setdefault(metric.name, {})
            for _, labels, value in family:
                prefix = known.get(labels) or _prefix(metric, labels)
                if labels not in used:  # the same series twice would cost the whole scrape
                    used[labels] = prefix
                    lines.append(f"{prefix}{_number(value)}\n")
        self._prefixes = fresh
        # A guest's name can hold what is no Unicode; one odd byte must not cost the others their numbers.
        return "".join(lines).encode("utf-8", "replace")

    def _head(self, metric: Metric) -> str:
        head = self._heads.get(metric.name)
        if head is None:
            name = metric.name
            if self._format == "openmetrics":
                name = name.removesuffix(_SUFFIX.get(metric.type, ""))
            words = metric.help.translate(_HELP_ESCAPES[self._format])
            head = f"# HELP {name} {words}\n# TYPE {name} {_TYPES[self._format][metric.type]}\n"
            self._heads[metric.name] = head
        return head


def _families(samples: Iterable[Sample]) -> Mapping[str, tuple[Metric, list[Sample]]]:
    """By metric, for a family's samples must stand together whatever collector they come from."""
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
    if value == int(value) if math.isfinite(value) else False:
        return str(int(value)) if abs(value) < _LARGEST_EXACT else repr(float(value))
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
