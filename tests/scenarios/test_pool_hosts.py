"""Stories of the hosts and repositories of a pool: emptied, attached again, scanned, and where that is refused."""

import pytest
from pool_story import PoolStory, rule
from xapi.pools import StandInPool, guest

from xenwatch.base.errors import InputError
from xenwatch.model.subject import Subject


async def test_a_host_is_emptied_with_the_names_of_its_guests_in_the_plan(pool: StandInPool) -> None:
    story = PoolStory(pool)
    run = await story.service.request("pool_host_evacuate", Subject("host", "xcp1", host="prod"), {}, "human:ann")
    assert run.proposal.plan[-1] == "moves web0, web2"
    await story.approve("human:bob")
    assert await story.ends() == [("pool_host_evacuate", "succeeded")]
    assert not pool.database.record("host", pool.hosts[0].ref)["enabled"]


async def test_a_host_is_not_emptied_where_a_guest_cannot_leave_or_ha_is_armed(pool: StandInPool) -> None:
    story = PoolStory(pool)
    xcp1 = Subject("host", "xcp1", host="prod")
    pool.operations.unfit = {(guest(pool, "web0"), pool.hosts[1].ref)}
    with pytest.raises(InputError, match=r"web0 \(HOST_NOT_ENOUGH_FREE_MEMORY"):
        await story.service.request("pool_host_evacuate", xcp1, {}, "human:ann")
    pool.operations.unfit = set()
    pool.database.change("pool", pool.ref, ha_enabled=True)
    with pytest.raises(InputError, match="high availability is armed, and decides"):
        await story.service.request("pool_host_evacuate", xcp1, {}, "human:ann")


async def test_a_guest_that_stays_behind_makes_the_evacuation_fail(pool: StandInPool) -> None:
    story = PoolStory(pool)
    pool.operations.errors["host.evacuate"] = ("CANNOT_EVACUATE_HOST", "VM_MIGRATE_FAILED")
    await story.service.request("pool_host_evacuate", Subject("host", "xcp1", host="prod"), {}, "human:ann")
    await story.approve("human:bob")
    assert await story.ends() == [("pool_host_evacuate", "failed")]
    assert "2 guest(s) left on xcp1" in await story.reasons()


def detach(pool: StandInPool, host: int = 1) -> str:
    pbds = pool.database.records("PBD")
    pbd = next(ref for ref, one in pbds.items() if one["host"] == pool.hosts[host].ref)
    pool.database.change("PBD", pbd, currently_attached=False)
    return pbd


async def test_a_repository_is_attached_again_by_itself(pool: StandInPool) -> None:
    story = PoolStory(pool, rule("plug", "sr-detached", "sr:prod/*", "pool_pbd_plug", max_risk="L1"))
    pbd = detach(pool)
    await story.incident("sr-detached", Subject("sr", "shared", host="prod"))
    assert await story.ends() == [("pool_pbd_plug", "succeeded")]
    assert pool.database.record("PBD", pbd)["currently_attached"]


async def test_a_repository_of_a_host_that_is_down_is_not_plugged_there(pool: StandInPool) -> None:
    story = PoolStory(pool, rule("plug", "sr-detached", "sr:prod/*", "pool_pbd_plug", max_risk="L1"))
    detach(pool)
    metrics = pool.database.record("host", pool.hosts[1].ref)["metrics"]
    pool.database.change("host_metrics", metrics, live=False)
    await story.incident("sr-detached", Subject("sr", "shared", host="prod"))
    assert await story.ends() == []
    assert "every host that is up has it attached" in await story.reasons()


async def test_a_repository_that_cannot_be_attached_fails_with_the_error_of_the_storage_manager(
    pool: StandInPool,
) -> None:
    story = PoolStory(pool, rule("plug", "sr-detached", "sr:prod/*", "pool_pbd_plug", max_risk="L1"))
    detach(pool)
    pool.operations.errors["PBD.plug"] = ("SR_BACKEND_FAILURE_73", "", "NFS mount error [opterr=timed out]", "")
    await story.incident("sr-detached", Subject("sr", "shared", host="prod"))
    assert await story.ends() == [("pool_pbd_plug", "failed")]
    assert "NFS mount error" in await story.reasons()


async def test_a_repository_with_missing_disks_is_scanned_and_one_without_is_not(pool: StandInPool) -> None:
    story = PoolStory(pool, rule("scan", "pool-disks-missing", "sr:prod/shared", "pool_sr_scan", max_risk="L1"))
    shared = Subject("sr", "shared", host="prod")
    await story.incident("pool-disks-missing", shared)
    assert "missing disks: none" in await story.reasons()
    disk = next(iter(pool.database.records("VDI")))
    pool.database.change("VDI", disk, missing=True)
    await story.tick(2)
    assert await story.ends() == [("pool_sr_scan", "succeeded")]
