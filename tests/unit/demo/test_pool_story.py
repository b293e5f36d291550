"""The story of the demo's pool through the real agent: what breaks is found, and what may be repaired is repaired."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from xenwatch.agent.agent import Agent, ExternalAccess
from xenwatch.base.clock import ManualClock, SystemClock
from xenwatch.config.loader import load_config
from xenwatch.demo.host import DemoHost
from xenwatch.demo.pool.demo import NAME, DemoPool
from xenwatch.demo.pool.pools import guest
from xenwatch.demo.pool.story import play, read_scenes, take

CACHE = Path(tempfile.gettempdir()) / "xw-demo-rules"


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[tuple[Agent, DemoPool]]:
    """An agent on a demo with a pool, without a story of its own."""
    demo, clock = DemoPool(folder), SystemClock()
    host = DemoHost(folder, demo)
    host.prepare()
    overrides = {**host.defaults(), **host.settings(), "web.listen": ("127.0.0.1", 0), "sampling.facts_every": 2.0}
    overrides["diagnosis.cache_dir"] = CACHE
    load = lambda: load_config(None, {}, overrides, default_file=None)  # noqa: E731 - as the agent is given it
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with host.running(clock, story=False):
        loaded = load()
        host.describe(loaded, 1)
        agent = Agent(loaded, ExternalAccess(clock, load, {}, port.set_result))
        task = asyncio.create_task(agent.run())
        await asyncio.wait_for(port, 60)
        yield agent, demo
        agent.stop()
        await asyncio.wait_for(task, 60)


async def until(what: str, holds: Callable[[], bool]) -> None:
    deadline = asyncio.get_running_loop().time() + 200
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, what
        await asyncio.sleep(0.05)


@pytest.mark.timeout(500)
async def test_the_agent_tells_the_story_of_the_pool_and_starts_the_guest_that_crashed() -> None:
    with tempfile.TemporaryDirectory(prefix="xw-") as folder:
        async with watched(Path(folder)) as (agent, demo):
            database = demo.pool.database

            def classes() -> set[str]:
                found = agent.registry.incidents.values()
                return {i.diagnosis.class_ for i in found if i.diagnosis.subject.host == NAME and i.state != "resolved"}

            await until("the pool is read", lambda: bool(agent._pools.samples()))
            for scene in read_scenes():
                take(scene, demo.pool)
                wanted = {scene.expected_class} - {None}
                await until(scene.title, lambda wanted=wanted: wanted <= classes())
            git = guest(demo.pool, "git")
            await until("git runs", lambda: database.record("VM", git)["power_state"] == "Running")
        # what the other commands read
        named = load_config(Path(folder) / "xenwatch.toml", {}, default_file=None).config.xapi
        assert named[NAME].repair_user == "repairs"


def test_the_scenes_are_in_the_order_of_time_and_a_round_leaves_the_pool_as_it_was(tmp_path: Path) -> None:
    demo, scenes = DemoPool(tmp_path), read_scenes()
    assert [scene.at for scene in scenes] == sorted(scene.at for scene in scenes)
    database = demo.pool.database

    def seen() -> object:
        return (
            [pbd["currently_attached"] for pbd in database.records("PBD").values()],
            [metrics["live"] for metrics in database.records("host_metrics").values()],
        )

    before = seen()
    for scene in scenes:
        take(scene, demo.pool)
    assert seen() == before


async def test_nothing_happens_before_somebody_watches(tmp_path: Path) -> None:
    demo, clock = DemoPool(tmp_path), ManualClock()
    playing = asyncio.create_task(play(read_scenes(), demo.pool, clock))
    for _ in range(30):
        clock.advance(10.0)
        await asyncio.sleep(0)
    assert not demo.pool.database.records("message")
    demo.pool.sessions.opened = 1
    for _ in range(30):
        clock.advance(1.0)
        await asyncio.sleep(0)
    playing.cancel()
    assert len(demo.pool.database.records("message")) == 1
