"""docs/metrics.md: every metric that is exported, from its declaration."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from xenwatch.agent.incident_registry import IncidentRegistry
from xenwatch.agent.metrics import families as partmetrics
from xenwatch.agent.metrics import registry as selfmetrics
from xenwatch.agent.metrics import remediation as remediation_metrics
from xenwatch.agent.metrics.listeners import listener_families
from xenwatch.agent.metrics.notifications import notification_families
from xenwatch.logs.counters import FollowCounters
from xenwatch.model.sample import Metric
from xenwatch.sampling import health
from xenwatch.sampling.catalogue import all_collectors
from xenwatch.sampling.xapi.families import pool_metrics

ROOT = Path(__file__).resolve().parents[2]
_MANY = {
    "domain": "domain", "vcpu": "vcpu", "device": "device", "bridge": "bridge", "source": "log", "rule": "rule",
    "state": "state", "vg": "volume group", "lv": "volume", "pv": "disk", "array": "array", "cpu": "cpu",
    "collector": "collector", "port": "port", "pool": "pool", "node": "NUMA node", "mount": "mount", "target": "target",
    "vif": "device", "part": "part", "counter": "counter", "name": "incident", "daemon": "daemon", "check": "check",
    "destination": "destination",
    "host": "host", "sr": "repository", "interface": "interface", "tag": "tag",
}  # fmt: skip
_HEAD = """# Metrics

<!-- Generated from the declarations in the code by `make docs`; a test keeps it current. -->

All metrics are served at `/metrics` ([http.md](http.md)). Names begin with `xen_` for samples of the host and with
`xenwatch_` for xenwatch itself. Prometheus adds `job` and `instance`. Labels are names that outlive a
domid, so that a guest's restart makes no new series; only the `_info` metrics carry the domid. "Series" says what
the number of series grows with; a state set has one series for each state. A series ends in the cycle in which its
domain ends."""


_POOLS = """In each cycle of `[xapi.NAME] every`. Families that a host of its own has, too, mean the same and have the
label `pool` beside their others, those of hosts also `host`. A guest's series goes on when it moves to another host of
the pool ([xapi.md](xapi.md))."""


def page() -> str:
    """The whole page."""
    lines = [_HEAD, "", *_written("series.md")]
    for name, collector in sorted(all_collectors().items()):
        switch = "" if collector.default_on else f'; off unless `[sampling] enabled = ["{name}"]`'
        lines += [
            "",
            f"## Collector `{name}`",
            "",
            f"Every {collector.interval:g} s, with a deadline of {collector.deadline:g} s{switch}.",
            "",
        ]
        lines += _table(_declared(collector.metrics))
    lines += ["", "## Pools of `[xapi.NAME]`", "", _POOLS, "", *_table(_declared(pool_metrics().values()))]
    lines += ["", "## About the collectors", "", *_table(_declared(health.METRICS))]
    found = [one for one in vars(remediation_metrics).values() if isinstance(one, Metric)]
    lines += ["", "## Remediation", "", *_table(_declared(found))]
    lines += ["", "## The agent itself", "", *_table(own()), "", *_written("unsampled.md")]
    return "\n".join(lines) + "\n"


def _written(name: str) -> list[str]:
    """The lines of a part of the page that a person wrote."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()


def _declared(metrics: Iterable[Metric]) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    for one in metrics:
        yield one.name, one.type, one.help, one.labels


def own() -> list[tuple[str, str, str, tuple[str, ...]]]:
    """What the registry holds, as the golden file of the whole output has it."""
    text = (ROOT / "tests/golden/metrics-own.txt").read_text()
    labels = _labels()
    rows = []
    for name, words in re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE):
        kind = re.search(rf"^# TYPE {name} (\w+)$", text, re.MULTILINE)
        seen = re.findall(rf"^{name}(?:_bucket)?{{([^}}]*)}}", text, re.MULTILINE)
        keys = tuple(k for k in re.findall(r'(\w+)="', seen[0]) if k != "le") if seen else labels.get(name, ())
        rows.append((name, kind[1] if kind else "", words, keys))
    return rows


def _labels() -> dict[str, tuple[str, ...]]:
    """Labels of families that have no series until something goes wrong."""
    counters = selfmetrics.AgentCounters()
    families = [
        *selfmetrics.agent_families(counters),
        *partmetrics.log_families(FollowCounters(), counters),
        *partmetrics.diagnosis_families(partmetrics.DiagnosisCounts(Counter(), {}, 0, 0)),
        *partmetrics.incident_families(IncidentRegistry()),
        *partmetrics.host_check_families(()),
        *listener_families({}),
        *notification_families({}, {}, {}),
    ]
    return {f.name + ("_total" if f.type == "counter" else ""): tuple(f._labelnames) for f in families}  # noqa: SLF001 - available nowhere else


def _table(rows: Iterable[tuple[str, str, str, tuple[str, ...]]]) -> list[str]:
    lines = ["| Metric | Type | Labels | Meaning | Series |", "|---|---|---|---|---|"]
    for name, kind, words, labels in sorted(rows):
        shown = ", ".join(f"`{label}`" for label in labels)
        lines.append(
            f"| `{name}` | {kind} | {shown} | {words.replace('|', chr(92) + '|').rstrip('.')} | {_series(labels)} |"
        )
    return lines


def _series(labels: tuple[str, ...]) -> str:
    if not labels:
        return "one"
    grows = [_MANY[label] for label in labels if label in _MANY]
    return "by " + ", ".join(grows) if grows else "a few"
