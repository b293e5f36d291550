import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from xenwatch.base.clock import ManualClock
from xenwatch.model.incident import Incident
from xenwatch.state.retention import EVERY, tidy
from xenwatch.state.store import Store
from xenwatch.state.writer import CaptureState, Writer


class World:
    """What the agent would hold: the captured state, and a writer on a real database."""

    def __init__(self, state_dir: Path) -> None:
        self.clock = ManualClock()
        self.store = Store(state_dir, now=self.clock.now)
        self.state = CaptureState({"a": 1}, {}, {})
        self.errors: list[Exception] = []
        self.writer = Writer(self.store, lambda: self.state, self.clock, on_error=self.errors.append)

    def know(self, *incidents: Incident) -> None:
        self.state = replace(self.state, incidents={**self.state.incidents, **{i.id: i for i in incidents}})
        self.writer.changed(incidents)


@pytest.fixture
async def world(tmp_path: Path):
    made = World(tmp_path)
    yield made
    await made.writer.close()


async def until(holds) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - the writer's thread is what is waited for
            await asyncio.sleep(0.002)


async def test_work_is_committed_and_then_not_again_before_the_pause_is_over(world: World, incident: Incident):
    running = asyncio.create_task(world.writer.run())
    world.know(incident)
    await until(lambda: world.store.load().incidents == (incident,))
    later = replace(incident, times_seen=2)
    await until(lambda: world.clock._sleepers)
    world.know(later)
    await asyncio.sleep(0)
    assert world.store.load().incidents == (incident,)
    world.clock.advance(1.0)
    await until(lambda: world.store.load().incidents == (later,))
    running.cancel()


async def test_on_a_full_disk_nothing_is_lost_and_it_is_written_when_there_is_room(world: World, incident: Incident):
    big = replace(incident, diagnosis=replace(incident.diagnosis, cause="x" * 300_000))
    world.store._connection.execute("PRAGMA max_page_count = 1")
    running = asyncio.create_task(world.writer.run())
    world.know(big)
    await until(lambda: world.errors)
    assert world.writer.waiting == 1
    assert not running.done()
    world.store._connection.execute("PRAGMA max_page_count = 100000")
    await until(lambda: world.clock._sleepers)
    world.clock.advance(5.0)
    await until(lambda: world.store.load().incidents == (big,))
    assert world.writer.waiting == 0
    running.cancel()


async def test_after_damage_every_known_incident_is_in_the_new_database(
    world: World, tmp_path: Path, incident: Incident
):
    others = [replace(incident, id=f"i{n}") for n in range(300)]
    world.know(*others)
    await world.writer.flush()
    world.store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / "state.db").open("r+b") as file:
        file.write(b"\xee" * 200_000)
    world.store._connection.execute("PRAGMA shrink_memory")
    world.know(incident)
    await world.writer.flush()
    assert world.store.moved_aside == 1
    assert len(world.errors) == 1
    assert {i.id for i in world.store.load().incidents} == {incident.id, *(i.id for i in others)}


async def test_closing_writes_what_was_still_waiting(tmp_path: Path, incident: Incident):
    world = World(tmp_path)
    world.know(incident)
    await world.writer.close()
    again = Store(tmp_path, now=world.clock.now)
    assert again.load().incidents == (incident,)
    assert again.load().cursors == {"a": 1}
    again.close()


async def test_old_incidents_are_tidied_away_every_hour(world: World, resolved: Incident):
    gone: list[str] = []
    world.know(replace(resolved, last_seen=world.clock.now() - 100))
    await world.writer.flush()
    running = asyncio.create_task(tidy(world.writer, world.clock, keep=200.0, forget=gone.extend))
    await until(lambda: world.clock._sleepers)
    assert gone == []
    world.clock.advance(EVERY)
    await until(lambda: gone)
    assert gone == [resolved.id]
    running.cancel()
