"""The demo's story through the real agent: each cause is found, the good steps tell nothing, and what heals is over."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from xenwatch.agent.agent import Agent, ExternalAccess
from xenwatch.base.clock import ManualClock, SystemClock
from xenwatch.config.loader import load_config
from xenwatch.demo.host import DemoHost
from xenwatch.demo.shell import Shell
from xenwatch.demo.story import Story, StoryStep, play, read_story, take
from xenwatch.demo.world import World, appended_to
from xenwatch.model.incident import Incident

CACHE = Path(tempfile.gettempdir()) / "xw-demo-rules"


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[tuple[Agent, Shell, World]]:
    """An agent on a demo without a story of its own."""
    host, clock = DemoHost(folder), SystemClock()
    host.prepare()
    overrides = {**host.defaults(), **host.settings(), "web.listen": ("127.0.0.1", 0), "sampling.facts_every": 2.0}
    overrides["diagnosis.cache_dir"] = CACHE
    load = lambda: load_config(None, {}, overrides, default_file=None)  # noqa: E731 - as the agent is given it
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with host.running(clock, story=False) as shell:
        agent = Agent(load(), ExternalAccess(clock, load, {}, port.set_result))
        task = asyncio.create_task(agent.run())
        await asyncio.wait_for(port, 60)
        yield agent, shell, shell.world
        agent.stop()
        await asyncio.wait_for(task, 60)


async def until(agent: Agent, step: str, holds: Callable[[set[str]], bool]) -> None:
    """Wait for the agent's own threads and tasks; the deadline only ends a test that has failed."""
    deadline = asyncio.get_running_loop().time() + 200  # the first run compiles all rules
    while not holds(found := open_classes(agent.registry.incidents.values())):
        assert asyncio.get_running_loop().time() < deadline, f"{step}: open are {sorted(found)}"
        await asyncio.sleep(0.05)


def open_classes(incidents: Iterable[Incident]) -> set[str]:
    return {i.diagnosis.class_ for i in incidents if i.state == "open"}


@pytest.mark.timeout(400)
async def test_the_agent_tells_the_story() -> None:
    with tempfile.TemporaryDirectory(prefix="xw-") as folder:
        async with watched(Path(folder)) as (agent, shell, world):
            await until(agent, "start", lambda _: agent.progress.has_started("sampling"))
            for step in read_story().steps:
                take(step, world, shell)
                wanted = {step.expected_class} - {None, "domain-paused"}  # that takes 90 s
                await until(agent, step.title, lambda found, wanted=wanted: wanted <= found)
                over = set(step.over) - {"raid-degraded"}  # and that ten quiet minutes
                await until(agent, step.title, lambda found, over=over: not over & found)
        assert not agent.counters.task_failures


def test_the_story_breaks_and_heals_and_its_steps_are_in_order() -> None:
    story = read_story()
    assert [step.at for step in story.steps] == sorted(step.at for step in story.steps)
    assert story.steps[-1].at < story.round
    assert sum(step.expected_class is not None for step in story.steps) >= 8
    assert {class_ for step in story.steps for class_ in step.over} >= {"vif-bridge-missing", "vbd-device-mounted"}


async def test_the_story_goes_on_round_after_round(tmp_path: Path) -> None:
    clock = ManualClock()
    world = World(clock, appended_to(tmp_path))
    steps = (
        StoryStep("first", 0.0, lines={"a.log": ("up",)}, once=True),
        StoryStep("second", 5.0, lines={"a.log": ("one {now:%Y}",)}),
    )
    playing = asyncio.create_task(play(Story(steps, 60.0), world, Shell(world)))
    for seconds in (0, 5, 60, 60):
        clock.advance(seconds)
        for _ in range(5):
            await asyncio.sleep(0)
    playing.cancel()
    assert (tmp_path / "a.log").read_text().splitlines() == ["up", "one 2023", "one 2023", "one 2023"]


def test_after_a_round_every_guest_is_where_it_was(tmp_path: Path) -> None:
    """So that the next round can begin; nobody has repaired anything meanwhile."""
    world = World(ManualClock(), appended_to(tmp_path))
    shell = Shell(world)
    before = {domain.name: domain.mib for domain in world.here.domains}
    for _ in range(2):
        for step in read_story().steps:
            take(step, world, shell)
        shell.run(["xl", "unpause", "build"])
        shell.run(["ip", "link", "set", "dev", "vif2.0", "master", "xenbr0"])
        assert {domain.name: domain.mib for domain in world.here.domains} == before
        assert (world.here.bridges, world.here.mounted, world.here.failed_member) == ({"xenbr0", "xenbr1"}, {}, None)
