"""The whole exposition against tests/golden/: what Prometheus gets changes only on purpose.

After a change that is meant: XENWATCH_REWRITE_GOLDEN=1 pytest tests/unit/agent/test_golden_metrics.py
"""

import os
import re
from pathlib import Path
from typing import Any

from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.catalogue import all_metrics
from xenwatch.web.renderer import Renderer

GOLDEN = Path(__file__).parents[2] / "golden"
Bench = Any  # conftest's, which cannot be imported in this import mode

BRIDGE = (
    "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"
)


def example(metric: Metric) -> list[Sample]:
    """One series of a metric, each label's value its name; of a histogram one of each kind."""
    if metric.type == "histogram":
        return [Sample(metric, (*metric.labels, kind), 1.0) for kind in ("0.1", "+Inf", "sum", "count")]
    return [Sample(metric, metric.labels, 1.0)]


def compare(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("XENWATCH_REWRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text(), f"{name} has changed; see the top of this file"


def test_every_metric_a_collector_declares_is_rendered_as_in_the_golden_file():
    samples = [sample for metric in all_metrics().values() for sample in example(metric)]
    samples.sort(key=lambda sample: sample.metric.name)
    compare("metrics-sampled.txt", Renderer("text").render(samples).decode())
    compare("metrics-sampled.openmetrics.txt", Renderer("openmetrics").render(samples).decode() + "# EOF\n")


async def test_what_the_agent_says_of_itself_is_as_in_the_golden_file(bench: Bench):
    async with bench.running() as run:
        await run.ready()
        bench.write("xl-web.log", BRIDGE)
        await run.until(lambda: bool(run.causes()) and run.agent._writer.commits > 0)
        text = run.agent.server.metrics.render("text").decode()
    compare("metrics-own.txt", masked(text, str(bench.host.logs)))


def masked(text: str, folder: str) -> str:
    """Names, help, types and labels stay; numbers, and what rules or another Python would change, are taken out."""
    lines = [re.sub(r" [^ ]+$", " …", line) if line[:1] != "#" else line for line in text.splitlines()]
    whole = "\n".join(lines).replace(folder, "/log")
    whole = re.sub(r'\b(python|version|rule|class|id|title|cause)="[^"]*"', r'\1="…"', whole)
    return "\n".join(dict.fromkeys(whole.splitlines())) + "\n"
