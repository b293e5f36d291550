"""Multipath: how many paths of each map work."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.files import names_in, read_text
from xenwatch.host.host import Host
from xenwatch.host.kernel.devmapper import multipath_status
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

PATHS = Metric("xen_multipath_paths", "gauge", "Paths of a multipath device", ("device", "state"))
_PATH = re.compile(r"\b\d+:\d+ ([AF])\b")
_MAP = re.compile(r"^(?P<name>[^:]+): \d+ \d+ multipath (?P<rest>.*)$", re.MULTILINE)


async def _collect(host: Host) -> Sequence[Sample]:
    blocks = host.paths.at("sys/block")
    if not any((read_text(blocks / name / "dm/uuid") or "").startswith("mpath-") for name in names_in(blocks)):
        raise Unsupported("multipath: no multipath device here")
    return list(from_status(await multipath_status(host.runner)))


def from_status(text: str) -> Iterator[Sample]:
    """A path's `A` is active, its `F` failed (linux: Documentation/admin-guide/device-mapper)."""
    for match in _MAP.finditer(text):
        states = Counter(_PATH.findall(match["rest"]))
        for letter, state in (("A", "active"), ("F", "failed")):
            yield Sample(PATHS, (match["name"], state), float(states[letter]))


COLLECTOR = Collector(name="multipath", metrics=(PATHS,), begin=lambda: _collect, interval=60.0, deadline=20.0)
