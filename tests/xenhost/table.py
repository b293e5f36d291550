"""Two scrapes of the installed agent with the tools' answers between them, joined into a table."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from machine import Machine
from prometheus_client.parser import text_string_to_metric_families
from tools import SCRIPT, Told, told

METRICS = "http://127.0.0.1:10197/metrics"
SLOWEST_SECONDS = 62
"""The longest pace of a collector: after so long the second scrape is younger than what the tools said."""

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass(frozen=True)
class Row:
    """One number of a tool beside xenwatch's before and after it; None where xenwatch exports no such series."""

    told: Told
    before: float | None
    after: float | None

    @property
    def agrees(self) -> bool:
        known = [number for number in (self.before, self.after) if number is not None]  # nodes are counted by and by
        if self.after is None:
            return False
        return min(known) - self.told.slack <= self.told.value <= max(known) + self.told.slack


def compare(machine: Machine) -> tuple[list[Row], str]:
    """The table, and the text of the second scrape."""
    first, output = scrape(machine), machine.run(SCRIPT, timeout=400, check=False).stdout
    time.sleep(SLOWEST_SECONDS)
    second = scrape(machine)
    before, after = series(first), series(second)
    return [Row(one, _find(before, one), _find(after, one)) for one in told(output)], second


def scrape(machine: Machine) -> str:
    return machine.run(f"curl -sf -m 20 {METRICS}", timeout=40).stdout


def series(text: str) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def families(text: str) -> set[str]:
    """Names as they are exported, of what speaks of the host."""
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE xen_")}


def by_domain(text: str) -> Iterator[tuple[str, int]]:
    """How many series speak of each domain."""
    counts: dict[str, int] = {}
    for _, labels in series(text):
        if domain := dict(labels).get("domain"):
            counts[domain] = counts.get(domain, 0) + 1
    yield from sorted(counts.items())


def _find(known: Series, wanted: Told) -> float | None:
    """The series with exactly these labels; else one that has them among others, as `_info` families do."""
    labels = frozenset(wanted.labels.items())
    if (wanted.family, labels) in known:
        return known[wanted.family, labels]
    return next((v for (name, has), v in known.items() if name == wanted.family and labels <= has), None)
