"""The clocks of a pool's hosts, asked one after the other."""

from xapi.pools import StandInPool

from xenwatch.base.clock import SystemClock
from xenwatch.host.xapi.client import XapiClient
from xenwatch.host.xapi.clocks import clock_offsets
from xenwatch.host.xapi.feed import PoolFeed


async def test_one_of_three_that_is_off_is_named_and_the_others_are_not(pool: StandInPool, client: XapiClient) -> None:
    db = pool.database
    metrics = db.add("host_metrics", live=True)
    third = db.add("host", name_label="xcp3", address="127.0.0.3", metrics=metrics)
    pool.operations.ahead[pool.hosts[1].ref] = 60.0
    feed = PoolFeed(client)
    await feed.update()
    found = await clock_offsets(client, feed.records, SystemClock())
    assert 55 < found[pool.hosts[1].ref] < 65
    assert abs(found[pool.hosts[0].ref]) < 5
    assert abs(found[third]) < 5


async def test_a_host_that_is_lost_is_not_asked(pool: StandInPool, client: XapiClient) -> None:
    db = pool.database
    db.change("host_metrics", db.record("host", pool.hosts[1].ref)["metrics"], live=False)
    feed = PoolFeed(client)
    await feed.update()
    assert set(await clock_offsets(client, feed.records, SystemClock())) <= {pool.hosts[0].ref}
