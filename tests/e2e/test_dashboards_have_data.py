"""Every query of every dashboard, asked of a real Prometheus that watched the demo host and a recorded one."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from hosts.recorded import recorded_snapshot
from monitoring.names import ROOT, named_in
from monitoring.policy import TELL_SOMEBODY
from monitoring.scripts import load
from monitoring.stack import free_port, process, prometheus, query, until

from xenwatch.agent.metrics import remediation as remediation_metrics
from xenwatch.agent.metrics.remediation import samples
from xenwatch.model.action import Alert
from xenwatch.model.sample import Metric, Sample
from xenwatch.remediation.open import open_service, read_policy
from xenwatch.sampling.catalogue import all_metrics
from xenwatch.web.renderer import Renderer

VARIABLES = {
    "$__rate_interval": "30s",
    "$__interval": "10s",
    "$__range": "10s",
    "$job": ".*",
    "$instance": ".*",
    "$domain": ".*",
}


PATIENCE = 40
"""Times that the queries are asked, three seconds apart."""


async def remediation(folder: Path) -> list[Sample]:
    """Figures of a journal in which a proposal was refused by a person, and an alert no rule is for."""
    (folder / "policy.toml").write_text(TELL_SOMEBODY)
    desk = open_service(read_policy(folder / "policy.toml"), folder)
    try:
        at = "2026-01-01T00:00:00Z"
        alerts = [Alert(name, at, True, {"alertname": name}) for name in ("XenIncidentCritical", "Unheard")]
        await desk.take_alerts(alerts)
        await desk.tick()
        for run in await desk.runs():
            await desk.reject(run.id, "human:ann", "not now")
        return list(samples(await desk.statistics()))
    finally:
        desk.close()


@asynccontextmanager
async def recorded(folder: Path) -> AsyncIterator[str]:
    """The recorded host behind /metrics, and remediation's figures beside it; its address."""
    kept = [*(await recorded_snapshot()).samples, *await remediation(folder)]
    async with served(lambda _scrape: kept) as address:
        yield address


@asynccontextmanager
async def in_trouble(_folder: Path) -> AsyncIterator[str]:
    """A host on which everything goes wrong, a little more with each scrape; its address."""
    known = all_metrics() | {one.name: one for one in vars(remediation_metrics).values() if isinstance(one, Metric)}
    story = yaml.safe_load((ROOT / "tests/e2e/trouble.yaml").read_text())

    def now(scrape: int) -> Iterator[Sample]:
        for one in story:
            metric, labels = known[one["metric"]], one.get("labels", {})
            values = tuple(labels.get(name, "") for name in metric.labels)
            assert labels.keys() <= set(metric.labels), one
            yield Sample(metric, values, one["value"] + one.get("each", 0) * scrape)

    async with served(now) as address:
        yield address


@asynccontextmanager
async def served(at: Callable[[int], Iterable[Sample]]) -> AsyncIterator[str]:
    """Samples behind /metrics, by the number of the scrape; the address."""
    scrapes = count()

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=Renderer("text").render(at(next(scrapes))), content_type="text/plain")

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[str]:
    """`xenwatch agent --demo`, on which things go wrong; its address."""
    address = f"127.0.0.1:{free_port()}"
    argv = (sys.executable, "-m", "xenwatch.cli.main", "agent", "--demo-dir", str(folder / "demo"), "--listen", address)
    async with process(folder / "agent", f"http://{address}/readyz", *argv):
        yield address


def asked() -> list[str]:
    """Every query of every dashboard, with the variables filled in as Grafana does."""
    boards = load(ROOT / "dashboards/build.py").boards().values()
    found = {target["expr"] for board in boards for panel in board["panels"] for target in panel.get("targets", ())}
    found |= {one["expr"] for board in boards for one in board["annotations"]["list"] if "expr" in one}
    return sorted(found)


def filled(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


@pytest.mark.timeout(200)
async def test_every_query_returns_data_or_stands_on_the_list_with_its_reason(tmp_path: Path):
    reasons: dict[str, str] = yaml.safe_load((ROOT / "tests/e2e/no_data.yaml").read_text())
    async with AsyncExitStack() as stack:
        targets = [await stack.enter_async_context(make(tmp_path)) for make in (demo, recorded, in_trouble)]
        url = await stack.enter_async_context(prometheus(tmp_path, {"xenwatch": targets}, rules=ROOT / "alerts"))

        async def story_is_told() -> list[Any]:
            return await query(
                url, 'xenwatch_incident_open{rule="dom0-oom"} == 1 and xenwatch_incident_open offset 12s'
            )

        async def all_were_heard() -> list[Any]:
            return await query(url, f"count(min_over_time(up[10s]) == 1) == {len(targets)}")

        await until(story_is_told, seconds=120, every=1)
        await until(all_were_heard, seconds=60, every=1)
        for _ in range(PATIENCE):  # on a busy machine some collectors come later than the story
            answers = await asyncio.gather(*(query(url, filled(one)) for one in asked()))
            empty = [one for one, answer in zip(asked(), answers, strict=True) if not answer]
            unexplained = [one for one in empty if not named_in(one) & reasons.keys()]
            if not unexplained:
                break
            await asyncio.sleep(3)
    assert not unexplained, "\n".join(unexplained)
    stale = {name for name in reasons if not any(name in named_in(one) for one in empty)}
    assert stale == set(), "these have data now: take them off the list"
