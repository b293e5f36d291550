"""Labels that the administrator gives to guests, to join with their metrics: the owner, how much it matters.

From `/etc/xenwatch/labels.toml`. A guest cannot add one, and the file itself says which labels there may be.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from xenwatch.base.errors import ConfigError, Unavailable
from xenwatch.base.toml_file import read_toml
from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

LABEL = Metric(
    "xen_domain_label_info", "info", "A label that the configuration gives to a guest", ("domain", "label", "value")
)
_FILE = "etc/xenwatch/labels.toml"
_MOST_LABELS = 8
_LONGEST = 64


async def _collect(host: Host) -> Sequence[Sample]:
    """Of the guests that run now; nothing where there is no such file."""
    path = host.paths.at(_FILE)
    if not path.exists():
        return ()
    try:
        allowed, guests = _read(path)
    except (ConfigError, ValueError) as error:
        raise Unavailable(f"labels: {error}") from None
    inventory = await host.domains.known(max_age=60.0)
    running = sorted(domain.name for domain in inventory.by_domid.values())
    return [sample for name in running for sample in _of(name, guests.get(name, {}), allowed)]


def _read(path: Path) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """The labels that may be, and those of each guest. ValueError says what is wrong."""
    said = read_toml(path)[1]
    allowed, guests = said.get("labels", []), said.get("guests", {})
    if not isinstance(allowed, list) or not all(isinstance(label, str) and label.isidentifier() for label in allowed):
        raise ValueError(f"{path}: labels must be a list of names")
    if len(allowed) > _MOST_LABELS:
        raise ValueError(f"{path}: at most {_MOST_LABELS} labels; each makes a series for each guest")
    for name, labels in guests.items():
        if not isinstance(labels, dict) or labels.keys() - set(allowed):
            raise ValueError(f"{path}: [guests.{name}] may have the labels {', '.join(allowed)}")
    return allowed, guests


def _of(name: str, labels: dict[str, Any], allowed: list[str]) -> Iterator[Sample]:
    for label in allowed:
        if label in labels:
            yield Sample(LABEL, (name, label, str(labels[label])[:_LONGEST]), 1.0)


COLLECTOR = Collector(name="labels", metrics=(LABEL,), begin=lambda: _collect, interval=60.0, deadline=10.0)
