"""Stories of the guests of a pool that are repaired through xapi: where it helps, must refuse, and fails."""

from typing import Any

import pytest
from pool_story import START_IT, PoolStory, rule
from simulated_host import WEB
from xapi.asking import access_to
from xapi.pools import GIB, StandInPool, add_guest, guest, halt

from xenwatch.base.errors import InputError
from xenwatch.model.subject import Subject


async def test_a_guest_that_should_run_is_started_and_every_session_is_closed(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    halt(pool, guest(pool, "web0"))
    await story.incident("vm-down", story.target)
    assert await story.ends() == [("pool_vm_start", "succeeded")]
    assert "web0 is Running on xcp1" in await story.reasons()
    assert story.state() == "Running"
    assert story.world.effects == [], "nothing was done to this host"
    assert pool.sessions.by_ref == {}
    assert pool.database.records("task") == {}, "the task is removed, as clients of xapi are asked to"


async def test_as_installed_nothing_is_done(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT, mode="observe")
    halt(pool, guest(pool, "web0"))
    await story.incident("vm-down", story.target)
    assert await story.ends() == []
    assert "the mode is observe" in await story.reasons()
    assert story.asked("Async.VM.start") == 0


async def test_a_pool_without_an_account_for_repairs_is_not_asked(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    story.machine._pools = {}
    halt(pool, guest(pool, "web0"))
    await story.incident("vm-down", story.target)
    assert "[xapi.prod] has no repair_user" in await story.reasons()
    assert pool.sessions.opened == 0


async def test_an_account_that_may_only_read_changes_nothing(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT, user="monitor")
    halt(pool, guest(pool, "web0"))
    await story.incident("vm-down", story.target)
    assert await story.ends() == [("pool_vm_start", "failed")]
    assert "RBAC_PERMISSION_DENIED" in await story.reasons()
    assert story.state() == "Halted"


async def test_a_refused_account_is_tried_once_however_often_it_is_wanted(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    story.machine._pools = {"prod": access_to(pool, user="repairs", password=lambda: "wrong")}
    halt(pool, guest(pool, "web0"))
    await story.incident("vm-down", story.target, ticks=5)
    assert story.asked("session.login_with_password") == 1
    assert await story.ends() == []


async def test_a_guest_of_this_host_with_the_name_of_one_of_a_pool_is_left_alone(pool: StandInPool) -> None:
    story = PoolStory(pool, rule("local", "vm-down", "tag:auto", "domain_start"), START_IT)
    halt(pool, guest(pool, "web0"))
    await story.incident("vm-down", story.target)
    assert await story.ends() == [("pool_vm_start", "succeeded")]
    await story.incident("vm-down", Subject("domain", "web0", WEB))
    assert all(
        run.proposal.target.host is None for run in await story.service.runs() if "pool" not in run.proposal.action
    )
    assert story.asked("Async.VM.start") == 1


async def test_a_rule_for_this_host_never_acts_for_a_part_of_a_pool(pool: StandInPool) -> None:
    story = PoolStory(pool, rule("space", "sr-full", "host:*", "free_dom0_space"))
    await story.incident("sr-full", Subject("sr", "shared", host="prod"))
    assert await story.ends() == []
    assert "no rule of the policy is for sr-full of prod:sr/shared" in await story.reasons()


async def test_where_ha_is_armed_it_decides_about_the_guests_that_it_protects(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    web0 = guest(pool, "web0")
    halt(pool, web0)
    pool.database.change("pool", pool.ref, ha_enabled=True)
    pool.database.change("VM", web0, ha_restart_priority="restart")
    await story.incident("vm-down", story.target)
    assert await story.ends() == []
    assert "high availability protects this guest, and decides" in await story.reasons()
    pool.database.change("VM", web0, ha_restart_priority="")  # armed, but this guest is not its business
    await story.tick(61)
    assert await story.ends() == [("pool_vm_start", "succeeded")]


async def test_a_guest_that_ha_has_restarted_meanwhile_is_not_started_again(pool: StandInPool) -> None:
    story = PoolStory(pool, rule("start", "vm-down", "tag:auto", "pool_vm_start", mode="propose"))
    web0 = guest(pool, "web0")
    halt(pool, web0)
    await story.incident("vm-down", story.target)
    pool.operations.set_state(web0, "Running", pool.hosts[1].ref)  # between the proposal and a person's consent
    await story.approve()
    assert await story.ends() == [("pool_vm_start", "aborted")]
    assert "state is fail: it is Running" in await story.reasons()
    assert story.asked("Async.VM.start") == 0


async def test_a_guest_that_ha_restarts_in_the_same_moment_runs_once_and_that_is_the_goal(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    web0 = guest(pool, "web0")
    halt(pool, web0)

    async def ha_restarts_it() -> None:
        pool.operations.set_state(web0, "Running", pool.hosts[1].ref)

    pool.operations.before["VM.start"] = ha_restarts_it
    await story.incident("vm-down", story.target)
    assert await story.ends() == [("pool_vm_start", "succeeded")]
    assert "VM_BAD_POWER_STATE" in str([entry.facts for entry in await story.service.entries()])
    assert pool.database.record("VM", web0)["resident_on"] == pool.hosts[1].ref


async def test_a_task_that_fails_ends_the_run_with_the_words_of_xapi_and_is_not_repeated(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    halt(pool, guest(pool, "web0"))
    pool.operations.errors["VM.start"] = ("SR_BACKEND_FAILURE_46", "", "The VDI is not available", "")
    await story.incident("vm-down", story.target, ticks=3)
    assert await story.ends() == [("pool_vm_start", "failed")]
    assert "SR_BACKEND_FAILURE_46" in await story.reasons()
    assert story.asked("Async.VM.start") == 1


async def test_a_session_that_expires_in_the_middle_is_opened_again_and_nothing_is_done_twice(
    pool: StandInPool,
) -> None:
    story = PoolStory(pool, START_IT)
    halt(pool, guest(pool, "web0"))

    async def toolstack_restarts() -> None:
        pool.sessions.expire()

    pool.operations.before["VM.start"] = toolstack_restarts
    await story.incident("vm-down", story.target)
    assert await story.ends() == [("pool_vm_start", "succeeded")]
    assert story.asked("Async.VM.start") == 1


async def test_a_master_that_is_lost_in_the_middle_leaves_an_unknown_outcome_for_a_person(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    web0 = guest(pool, "web0")
    halt(pool, web0)
    lose_the_master(pool, does_it=False)
    await story.incident("vm-down", story.target, ticks=3)
    assert await story.ends() == [("pool_vm_start", "unknown")]
    assert "no longer knows the task" in await story.reasons()
    assert story.asked("Async.VM.start") == 1, "what may have been done is not done again"


async def test_a_master_that_is_lost_after_it_did_it_has_done_it(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    halt(pool, guest(pool, "web0"))
    lose_the_master(pool, does_it=True)
    await story.incident("vm-down", story.target)
    assert await story.ends() == [("pool_vm_start", "succeeded")]
    assert story.state() == "Running"


def lose_the_master(pool: StandInPool, *, does_it: bool) -> None:
    """The other host takes over; a task of the old master is no longer known."""

    async def lost() -> None:
        for ref in list(pool.database.records("task")):
            pool.database.delete("task", ref)
        pool.make_master(pool.hosts[1])
        await pool.hosts[0].stop()
        if not does_it:
            pool.operations.stuck.add("VM.start")

    pool.operations.before["VM.start"] = lost


async def test_an_agent_that_is_killed_after_the_order_finds_out_how_it_ended(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    halt(pool, guest(pool, "web0"))

    real = story.machine.effect

    async def effect_and_die(order: Any) -> Any:
        await real(order)
        raise GeneratorExit

    story.machine.effect = effect_and_die  # type: ignore[method-assign]
    await story.take("vm-down", story.target)
    await story.service.tick()
    for task in list(story.service._tasks.values()):
        with pytest.raises(GeneratorExit):
            await task
    story.service.close()
    story.machine.effect = real  # type: ignore[method-assign]
    story.service = story._open("boot-1")
    await story.service.recover()
    assert await story.ends() == [("pool_vm_start", "succeeded")]
    assert "verified after the agent was interrupted" in await story.reasons()
    assert story.asked("Async.VM.start") == 1


async def test_a_guest_that_no_host_can_run_is_not_started(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    web0 = guest(pool, "web0")
    halt(pool, web0)
    pool.operations.unfit = {(web0, host.ref) for host in pool.hosts}
    await story.incident("vm-down", story.target)
    assert await story.ends() == []
    assert "no host that is up has its disks, networks and memory" in await story.reasons()


async def test_a_guest_at_which_somebody_else_is_working_is_left_alone(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    web0 = guest(pool, "web0")
    halt(pool, web0)
    pool.database.change("VM", web0, current_operations={"OpaqueRef:1": "export"})
    await story.incident("vm-down", story.target)
    assert "under way: export" in await story.reasons()
    assert await story.ends() == []


async def test_a_task_that_never_ends_is_waited_for_and_then_unknown(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    halt(pool, guest(pool, "web0"))
    pool.operations.stuck.add("VM.start")
    await story.incident("vm-down", story.target)
    assert await story.ends() == [("pool_vm_start", "unknown")]
    assert "has not ended in time: it is still under way, 0% done" in await story.reasons()


async def test_a_guest_is_shut_down_and_where_it_is_deaf_the_next_rung_waits_for_two_people(pool: StandInPool) -> None:
    story = PoolStory(pool, rule("stop", "vm-hung", "tag:auto", "pool_vm_hard_shutdown", "pool_vm_start"))
    await story.incident("vm-hung", story.target)
    assert await story.ends() == [("pool_vm_hard_shutdown", "awaiting_approval")]
    await story.approve()
    assert await story.ends() == [("pool_vm_hard_shutdown", "succeeded")]
    assert story.state() == "Halted"


async def test_a_deaf_guest_fails_to_shut_down(pool: StandInPool) -> None:
    story = PoolStory(pool)
    pool.operations.errors["VM.clean_shutdown"] = ("VM_FAILED_SHUTDOWN_ACKNOWLEDGMENT", guest(pool, "web0"))
    await story.service.request("pool_vm_shutdown", story.target, {}, "human:ann")
    await story.approve("human:bob")
    assert await story.ends() == [("pool_vm_shutdown", "failed")]
    assert story.state() == "Running"


async def test_a_guest_is_moved_where_it_is_told_and_only_where_it_fits(pool: StandInPool) -> None:
    story = PoolStory(pool)
    web0 = guest(pool, "web0")
    with pytest.raises(InputError, match="it cannot move to xcp1"):
        await story.service.request("pool_vm_migrate", story.target, {"to": "xcp1"}, "human:ann")
    await story.service.request("pool_vm_migrate", story.target, {"to": "xcp2"}, "human:ann")
    await story.approve("human:bob")
    assert await story.ends() == [("pool_vm_migrate", "succeeded")]
    assert pool.database.record("VM", web0)["resident_on"] == pool.hosts[1].ref
    pool.operations.unfit = {(web0, pool.hosts[0].ref)}
    with pytest.raises(InputError, match="xcp1 cannot run it"):
        await story.service.request("pool_vm_migrate", story.target, {"to": "xcp1"}, "human:ann")


async def test_many_guests_of_a_pool_that_are_down_at_once_are_a_storm_in_which_nothing_starts(
    pool: StandInPool,
) -> None:
    story = PoolStory(pool, START_IT)
    halt(pool, guest(pool, "web0"))
    keys = [f"prod:domain/{n}" for n in range(5)]
    await story.service.note_failing(keys, 10)
    await story.incident("vm-down", story.target)
    assert await story.ends() == [("pool_vm_start", "proposed")]
    assert "too much fails at once" in await story.reasons()
    assert story.asked("Async.VM.start") == 0


async def test_two_guests_with_one_name_are_told_apart_by_their_uuids(pool: StandInPool) -> None:
    story = PoolStory(pool, START_IT)
    other = add_guest(pool, "web0", pool.hosts[1].ref, "OpaqueRef:NULL", "OpaqueRef:NULL", domid=77)
    pool.database.change("VM", other, memory_target=GIB)
    halt(pool, guest(pool, "web0"))
    await story.incident("vm-down", story.target)
    assert await story.ends() == [("pool_vm_start", "succeeded")]
