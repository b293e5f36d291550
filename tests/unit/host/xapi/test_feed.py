"""The objects of a pool, kept current by its events."""

import pytest
from xapi.pools import StandInPool, guest, halt

from xenwatch.base.errors import TimedOut
from xenwatch.demo.pool.database import Database
from xenwatch.host.xapi.client import XapiClient
from xenwatch.host.xapi.feed import PoolFeed, RecordChange
from xenwatch.host.xapi.records import moment, whole_number


@pytest.fixture
def feed(client: XapiClient) -> PoolFeed:
    return PoolFeed(client)


def names(feed: PoolFeed) -> set[str]:
    return {str(vm["name_label"]) for vm in feed.records.of("vm").values()}


async def test_the_first_reading_knows_every_object(pool: StandInPool, feed: PoolFeed) -> None:
    assert await feed.update() == ()
    assert names(feed) == {"web0", "web1", "web2", "Control domain on host: xcp1", "Control domain on host: xcp2"}
    assert len(feed.records.of("vdi")) == 6
    assert feed.counts.read_whole == 1


async def test_then_only_what_changed_is_told(pool: StandInPool, feed: PoolFeed) -> None:
    await feed.update()
    assert not await feed.update()
    halt(pool, guest(pool, "web1"))
    made = pool.database.add("VM", name_label="new")
    gone = pool.database.add("task", name_label="came and went")
    pool.database.delete("task", gone)
    changes = {change.ref: change for change in await feed.update()}
    assert changes[made].operation == "add"
    changed = changes[guest(pool, "web1")]
    assert (changed.operation, changed.record["power_state"]) == ("mod", "Halted")
    assert changed.before is not None
    assert changed.before["power_state"] == "Running"
    assert gone not in changes
    assert feed.counts.read_whole == 1


async def test_what_is_deleted_is_forgotten(pool: StandInPool, feed: PoolFeed) -> None:
    await feed.update()
    ref = guest(pool, "web2")
    pool.database.delete("VM", ref)
    (change,) = await feed.update()
    assert isinstance(change, RecordChange)
    assert (change.operation, change.record["name_label"]) == ("del", "web2")
    assert "web2" not in names(feed)


async def test_lost_events_cost_one_reading_of_everything(pool: StandInPool, feed: PoolFeed) -> None:
    await feed.update()
    pool.database.most_deleted = 2
    for _ in range(5):
        pool.database.delete("task", pool.database.add("task"))
    pool.database.delete("VM", guest(pool, "web2"))
    assert await feed.update() == ()
    assert (feed.counts.lost, feed.counts.read_whole) == (1, 2)
    assert "web2" not in names(feed)


async def test_deletions_of_which_nobody_tells_are_seen_by_the_counts(pool: StandInPool, feed: PoolFeed) -> None:
    """A restarted toolstack ends all tasks without an event."""
    pool.database.add("task", name_label="backup")
    await feed.update()
    pool.database.objects["task"].clear()
    pool.database.change("pool", pool.ref, name_description="touched")
    await feed.update()
    assert feed.records.of("task") == {}
    assert feed.counts.read_whole == 2


async def test_after_a_change_of_master_everything_is_read_again(pool: StandInPool, feed: PoolFeed) -> None:
    await feed.update()
    pool.make_master(pool.hosts[1])
    pool.database.add("VM", name_label="new")
    await feed.update()
    assert "new" in names(feed)
    assert "event.from" in pool.hosts[1].asked


async def test_after_a_lost_session_nothing_is_missed(pool: StandInPool, feed: PoolFeed) -> None:
    await feed.update()
    pool.sessions.expire()
    pool.database.add("VM", name_label="new")
    await feed.update()
    assert "new" in names(feed)


async def test_a_master_that_hangs_leaves_what_was_known(pool: StandInPool, feed: PoolFeed) -> None:
    await feed.update()
    pool.hosts[0].hangs = True
    known = names(feed)
    with pytest.raises(TimedOut):
        await feed.client.call("event.from", ["vm"], "", 0.0, seconds=0.2)
    assert names(feed) == known


async def test_a_record_keeps_only_what_is_asked_for(feed: PoolFeed) -> None:
    await feed.update()
    vm = next(iter(feed.records.of("vm").values()))
    assert "recommendations" not in vm
    assert "power_state" in vm


def test_numbers_and_times_of_xapi() -> None:
    assert [whole_number(v) for v in ("5", 5, "-1", "", None, "1.5")] == [5, 5, None, None, None, None]
    assert moment("20261130T09:08:58Z") == moment("2026-11-30T09:08:58Z") == 1796029738.0
    assert moment("19700101T00:00:00Z") is moment("soon") is None


def test_the_stand_in_makes_the_same_names_each_time() -> None:
    assert Database().new_uuid() == Database().new_uuid()
