"""A small line of numbers as SVG, drawn by the server: it needs no script and reads as text too."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xenwatch.base.durations import format_size
from xenwatch.web.trends import Trend

WIDTH, HEIGHT = 240, 40
_MOST_DRAWN = 240


@dataclass(frozen=True, slots=True)
class Sparkline:
    """`paths`: SVG path data, one for each stretch without a gap. `label` says it in words."""

    title: str
    label: str
    now: str
    highest: str
    paths: tuple[str, ...]


_TITLES: dict[str, tuple[str, Callable[[float], str]]] = {
    "cpu_seconds": ("CPU", lambda value: f"{value * 100:.0f} %"),
    "memory_bytes": ("Memory", format_size),
    "disk_bytes": ("Disks", lambda value: f"{format_size(value)}/s"),
    "network_bytes": ("Network", lambda value: f"{format_size(value)}/s"),
}


def sparkline(trend: Trend) -> Sparkline:
    """The line of a trend, from zero to its highest value."""
    title, words = _TITLES[trend.name]
    known = [value for value in trend.values if not math.isnan(value)]
    highest, hours = max(known), len(trend.values) * trend.step / 3600
    last = trend.values[-1]
    now = "not known" if math.isnan(last) else words(last)
    label = f"{title} over the last {_span(hours)}: now {now}, at most {words(highest)}, at least {words(min(known))}"
    return Sparkline(title, label, now, words(highest), tuple(_paths(_thinned(trend.values), highest or 1.0)))


def tiny(guest: str, cpus: Sequence[float]) -> Sparkline | None:
    """The cpu of a guest over the last hour, for a line of a table; None where it is not known yet."""
    known = [value for value in cpus if not math.isnan(value)]
    if len(known) < 2:  # noqa: PLR2004 - two points make a line
        return None
    highest = max(known)
    now = "" if math.isnan(cpus[-1]) else f"{cpus[-1] * 100:.0f} %"
    label = f"CPU of {guest} over the last hour, at most {highest * 100:.0f} %"
    return Sparkline("CPU", label, now, f"{highest * 100:.0f} %", tuple(_paths(cpus, max(highest, 0.05))))


def _span(hours: float) -> str:
    return f"{hours / 24:.1f} days" if hours > 24 else f"{hours:.1f} hours"  # noqa: PLR2004 - of a day


def _thinned(values: Sequence[float]) -> list[float]:
    """No more points than pixels; of several the highest, so that a peak stays."""
    every = math.ceil(len(values) / _MOST_DRAWN)
    groups = [[v for v in values[i : i + every] if not math.isnan(v)] for i in range(0, len(values), every)]
    return [max(group) if group else math.nan for group in groups]


def _paths(values: Sequence[float], highest: float) -> list[str]:
    step = WIDTH / max(1, len(values) - 1)
    stretches: list[list[str]] = [[]]
    for number, value in enumerate(values):
        if math.isnan(value):
            stretches.append([])
        else:
            stretches[-1].append(f"{number * step:.1f} {HEIGHT - 2 - value / highest * (HEIGHT - 4):.1f}")
    return [f"M{' L'.join(points)}" for points in stretches if len(points) > 1]
