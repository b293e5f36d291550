"""Which metrics there are: what collectors declare, what the agent says of itself, what is recorded."""

import re
from collections.abc import Iterable
from pathlib import Path

import yaml

from xenwatch.agent.metrics import remediation as remediation_metrics
from xenwatch.fleet import hub_metrics
from xenwatch.model.sample import Metric
from xenwatch.sampling.catalogue import all_metrics
from xenwatch.sampling.xapi.families import pool_metrics

ROOT = Path(__file__).parents[2]
_NAME = re.compile(r"(?<![\w:.\"])(?:\w+:)?(?:xen|xenwatch|libvirt|process)_\w+(?::\w+)?|(?<![\w:.\"])up(?=[{ ]|$)")
_HISTOGRAM = ("_bucket", "_sum", "_count")


def declared() -> frozenset[str]:
    """The agent's own names are those of its golden file, which a test holds to the code."""
    own = (ROOT / "tests/golden/metrics-own.txt").read_text()
    names = {line.split()[2] for line in own.splitlines() if line.startswith("# TYPE")}
    histograms = {line.split()[2] for line in own.splitlines() if line.endswith(" histogram")}
    for module in (remediation_metrics, hub_metrics):
        names |= {metric.name for metric in vars(module).values() if isinstance(metric, Metric)}
    names |= set(all_metrics()) | set(pool_metrics())
    histograms |= {metric.name for metric in all_metrics().values() if metric.type == "histogram"}
    return frozenset(names | {name + end for name in histograms for end in _HISTOGRAM} | recorded() | {"up"})


def recorded() -> frozenset[str]:
    """Names that recording rules give."""
    groups = [
        group for path in (ROOT / "alerts").glob("*.yaml") for group in yaml.safe_load(path.read_text())["groups"]
    ]
    return frozenset(rule["record"] for group in groups for rule in group["rules"] if "record" in rule)


def named_in(expression: str) -> frozenset[str]:
    """Metrics that a PromQL expression asks for."""
    return frozenset(_NAME.findall(re.sub(r'"[^"]*"', '""', expression)))


def undeclared(expressions: Iterable[str]) -> set[str]:
    """Names in them that nothing would ever emit."""
    return {name for expression in expressions for name in named_in(expression)} - declared()
