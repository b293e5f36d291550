"""Pages and `top` ask for numbers by name: each name and each label of theirs is one that is sampled."""

import re
from pathlib import Path

import aiohttp
import pytest
from hosts.recorded import recorded_snapshot
from hosts.served import Served

import xenwatch
from xenwatch.model.sample import Metric
from xenwatch.sampling.catalogue import all_collectors
from xenwatch.sampling.xapi import families

ROOT = Path(xenwatch.__file__).parent
ASKED = re.compile(r'"(xen_[a-z0-9_]+)"(?:((?:, [a-z]+=[^,()]+)+)\))?')


def sampled() -> dict[str, tuple[str, ...]]:
    """By name, the labels of every metric that a collector of this host or of a pool declares."""
    of_host = [metric for collector in all_collectors().values() for metric in collector.metrics]
    of_pool = [one for one in vars(families).values() if isinstance(one, Metric)]
    return {metric.name: metric.labels for metric in [*of_pool, *of_host]}


@pytest.mark.parametrize("folder", ["web/site", "web", "cli/_top"])
def test_every_metric_that_is_asked_for_is_sampled_with_these_labels(folder: str):
    known, unknown = sampled() | {"xen_version": ()}, []  # that one is a label
    for file in sorted((ROOT / folder).glob("*.py")):
        for name, labels in ASKED.findall(file.read_text()):
            asked = set(re.findall(r", ([a-z]+)=", labels))
            if name not in known or not asked <= {*known[name], "pool", "host"}:  # the labels of a pool's hosts
                unknown.append((file.name, name, sorted(asked)))
    assert unknown == []


async def test_a_recorded_host_is_at_a_glance_with_its_cpus(served: Served, client: aiohttp.ClientSession):
    served.snapshot = await recorded_snapshot()
    for at in range(3):
        served.trends.note(served.snapshot.__class__(at * 60.0, served.snapshot.samples))
    first = " ".join(re.sub("<[^>]*>", " ", await (await client.get("/")).text()).split())
    for words in ("Domains running", "Free for guests", "Cpus busy", "dom0 memory", "Volume group"):
        assert words in first, words
    hypervisor = " ".join(re.sub("<[^>]*>", " ", await (await client.get("/hypervisor")).text()).split())
    assert re.search(r"\d+ vcpus run on \d+ cpus", hypervisor)
