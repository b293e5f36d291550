"""Panels: a title, what to do when it looks wrong, a unit, and queries; everything else is the same everywhere."""

from collections.abc import Sequence
from string import ascii_uppercase

from grafanalib.core import GridPos, Panel, Stat, StateTimeline, Table, Target, Threshold, TimeSeries

Query = tuple[str, str]
"""A PromQL expression and the legend of its lines."""

COUNT, BYTES, SECONDS, SHARE, YES_NO = "short", "bytes", "s", "percentunit", "bool"
BYTE_RATE, EACH_SECOND, WATCH = "Bps", "ops", "dateTimeFromNow"
_GOOD, _BAD = "green", "red"
_HEIGHTS = {"Stat": 4}
_WIDTHS = {"Stat": 4, "Table": 24, "StateTimeline": 24}
_USUAL_WIDTH, _USUAL_HEIGHT, _WHOLE = 8, 8, 24


def lines(
    title: str, help_: str, unit: str, *queries: Query, stacked: bool = False, most: float | None = None
) -> Panel:
    """Lines over time. `most`: the upper end of the axis, such as 1 for a share."""
    return TimeSeries(
        title=title, description=help_, unit=unit, targets=_targets(queries), fillOpacity=40 if stacked else 10,
        stacking={"mode": "normal" if stacked else "none"}, legendDisplayMode="list", legendPlacement="bottom",
        tooltipMode="multi", tooltipSort="desc", valueMin=0, valueMax=most, showPoints="never",
        extraJson={"fieldConfig": {"defaults": {"links": _line_links(queries)}}},
    )  # fmt: skip


def number(title: str, help_: str, unit: str, query: str, *, bad_from: float | None = None) -> Panel:
    """One number; red from `bad_from` on."""
    steps = [Threshold(_GOOD, 0, 0.0)] + ([Threshold(_BAD, 1, float(bad_from))] if bad_from is not None else [])
    return Stat(
        title=title, description=help_, format=unit, targets=_targets([(query, "")], instant=True), thresholds=steps,
        reduceCalc="lastNotNull", graphMode="none", noValue="none",
        colorMode="value" if bad_from is not None else "none",
    )  # fmt: skip


def table(title: str, help_: str, unit: str, *queries: Query) -> Panel:
    """The present state as rows; labels are columns. A query's legend is its column's name."""
    hidden = dict.fromkeys(("Time", "__name__", "job"), True)
    names = {f"Value #{letter}": name for letter, (_, name) in zip(ascii_uppercase, queries, strict=False)}
    if len(queries) == 1:
        names = {"Value": queries[0][1]}
    organize = {"id": "organize", "options": {"excludeByName": hidden, "renameByName": names}}
    merge = [{"id": "merge", "options": {}}] if len(queries) > 1 else []
    return Table(
        title=title, description=help_, unit=unit, targets=_targets(queries, instant=True, table=True),
        transformations=[*merge, organize], filterable=True,
        extraJson={"fieldConfig": {"overrides": [
            _column("instance", "This host", _to_host("__value.raw")),
            _column("domain", "This guest", _to_domain("__data.fields.instance", "__value.raw")),
        ]}},
    )  # fmt: skip


def states(title: str, help_: str, *queries: Query) -> Panel:
    """Which state held when: 1 is coloured, 0 is not."""
    return StateTimeline(
        title=title, description=help_, targets=_targets(queries), showValue="never", mergeValues=True, rowHeight=0.8,
        thresholds=[Threshold("transparent", 0, 0.0), Threshold("orange", 1, 1.0)], thresholdType="absolute",
        colorMode="thresholds", extraJson={"fieldConfig": {"defaults": {"unit": YES_NO}}},
    )  # fmt: skip


def _line_links(queries: Sequence[Query]) -> list[dict[str, str]]:
    """Where a click on a line leads: to the guest it is about, or to the host."""
    instance, guest = "__field.labels.instance", "__field.labels.domain"
    if all("{{domain}}" in legend for _, legend in queries):
        return [{"title": "This guest", "url": _to_domain(instance, guest)}]
    if all("{{instance}}" in legend for _, legend in queries):
        return [{"title": "This host", "url": _to_host(instance)}]
    return []


def _to_host(instance: str) -> str:
    """The host's dashboard; `instance` is Grafana's name for where to take the host from."""
    return f"/d/xenwatch-host?var-instance=${{{instance}}}&${{__url_time_range}}"


def _to_domain(instance: str, guest: str) -> str:
    return f"/d/xenwatch-domain?var-instance=${{{instance}}}&var-domain=${{{guest}}}&${{__url_time_range}}"


def _column(name: str, title: str, url: str) -> dict[str, object]:
    links = [{"title": title, "url": url}]
    return {"matcher": {"id": "byName", "options": name}, "properties": [{"id": "links", "value": links}]}


def laid_out(panels: Sequence[Panel], top: int) -> int:
    """Place panels from left to right, row after row, from `top` on; where the next one may stand."""
    x, y, tallest = 0, top, 0
    for panel in panels:
        kind = type(panel).__name__
        width, height = _WIDTHS.get(kind, _USUAL_WIDTH), _HEIGHTS.get(kind, _USUAL_HEIGHT)
        if x + width > _WHOLE:
            x, y, tallest = 0, y + tallest, 0
        panel.gridPos = GridPos(h=height, w=width, x=x, y=y)
        x, tallest = x + width, max(tallest, height)
    return y + tallest


def _targets(queries: Sequence[Query], *, instant: bool = False, table: bool = False) -> list[Target]:
    return [
        Target(
            expr=expr,
            legendFormat=legend or "__auto",
            refId=letter,
            instant=instant,
            format="table" if table else "time_series",
        )
        for letter, (expr, legend) in zip(ascii_uppercase, queries, strict=False)
    ]
