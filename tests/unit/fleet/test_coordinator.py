"""Two hosts and a real etcd: one lease on a target, slots that only success frees, no far order without a majority."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from xenwatch.base.clock import SystemClock
from xenwatch.fleet.claims import LEADER, SLOTS, epoch_text, token_of
from xenwatch.fleet.coordinator import FleetCoordinator
from xenwatch.fleet.etcd import EtcdClient
from xenwatch.fleet.host_report import self_key
from xenwatch.fleet.storm import STORM
from xenwatch.model.coordination import Claim, Denied, Grant, MaintenanceNotice

pytestmark = pytest.mark.timeout(300)
WEB = "domain/6695eb01"
CLAIM = Claim("run1", "xen1", WEB, "domain_migrate", needs_lease=True, is_approved=False, to="xen2", most_at_once=2)
LOCAL = Claim("run2", "xen1", "host/xen1", "restart_service", needs_lease=False, is_approved=False, most_at_once=2)


@asynccontextmanager
async def coordinators(etcd, *hosts: str, lease_seconds: int = 10) -> AsyncIterator[list[FleetCoordinator]]:
    made = [FleetCoordinator(host, etcd.connect, SystemClock(), lease_seconds=lease_seconds) for host in hosts]
    client = etcd.connect()
    try:
        for key in (LEADER, self_key("xen1"), self_key("xen2")):
            await client.put(key, "here")
        yield made
    finally:
        await client.close()
        for one in made:
            await one.close()


@asynccontextmanager
async def asked(etcd) -> AsyncIterator[EtcdClient]:
    client = etcd.connect()
    try:
        yield client
    finally:
        await client.close()


async def slots(etcd) -> set[str]:
    async with asked(etcd) as client:
        return {json.loads(kv.value)["run"] for kv in (await client.list_below(SLOTS)).keys}


def holding(*runs: str):
    async def read() -> frozenset[str]:
        return frozenset(runs)

    return read


def of_xen2(run: str) -> Claim:
    return replace(CLAIM, run=run, host="xen2", to="xen1")


async def test_one_host_holds_the_lease_on_a_target_and_the_next_one_gets_a_higher_token(etcd):
    async with coordinators(etcd, "xen1", "xen2") as (first, second):
        grant = await first.take(CLAIM)
        assert isinstance(grant, Grant)
        assert await first.holds(grant)
        assert await second.take(of_xen2("run9")) == Denied(
            "coordination", f"another run holds the lease on {WEB}: domain_migrate on xen1 (run run1)"
        )
        await first.release(grant)
        assert not await first.holds(grant)
        later = await second.take(of_xen2("run9"))
        assert isinstance(later, Grant)
        assert later.token > grant.token


async def test_a_holder_that_slept_through_its_lease_is_told_so_before_its_next_order(etcd, until):
    async with coordinators(etcd, "xen1", "xen2", lease_seconds=2) as (first, second):
        grant = await first.take(CLAIM)
        assert isinstance(grant, Grant)
        first._held["run1"][2].cancel()  # it does not run any more: nothing keeps the lease alive
        later: list[Grant] = []

        async def others_turn() -> None:
            while not later:
                answer = await second.take(of_xen2("run9"))
                later.extend([answer] if isinstance(answer, Grant) else [])
                await asyncio.sleep(0.2)

        await others_turn()
        assert later[0].token > grant.token
        assert not await first.holds(grant)


async def test_a_slot_is_freed_by_success_alone_and_all_hosts_count_together(etcd):
    async with coordinators(etcd, "xen1", "xen2") as (first, second):
        for run in ("ok", "failed"):
            grant = await first.take(replace(LOCAL, run=run))
            assert isinstance(grant, Grant)
            await first.release(grant)
        denied = await second.take(replace(LOCAL, run="run9", host="xen2"))
        assert isinstance(denied, Denied)
        assert denied.reason.startswith("fleet: 2 of 2 slot(s) are held: restart_service on xen1")
        await second.settle(holding(), ())
        assert await slots(etcd) == {"ok", "failed"}, "a host frees its own alone"
        await first.settle(holding("failed"), ())
        assert await slots(etcd) == {"failed"}
        assert isinstance(await second.take(replace(LOCAL, run="run9", host="xen2")), Grant)


async def test_a_claim_that_is_not_yet_in_the_run_store_is_left_alone_and_one_of_a_dead_agent_is_freed(etcd):
    async with coordinators(etcd, "xen1", "xen1") as (living, born_again):
        assert isinstance(await living.take(LOCAL), Grant)
        await living.settle(holding(), ())
        assert await slots(etcd) == {"run2"}
        await born_again.settle(holding(), ())
        assert await slots(etcd) == set()


async def test_so_many_runs_of_all_hosts_in_a_window(etcd):
    async with coordinators(etcd, "xen1", "xen2") as (first, second):
        once = replace(LOCAL, most_in_window=1, window=600.0)
        grant = await first.take(once)
        assert isinstance(grant, Grant)
        await first.release(grant)
        await first.settle(holding(), ())
        assert await second.take(replace(once, run="run9", host="xen2")) == Denied(
            "budget", "fleet: 1 runs of all hosts in 600 s are used"
        )


async def test_maintenance_of_a_host_is_seen_by_all_until_it_ends_and_holds_no_person_back(etcd):
    async with coordinators(etcd, "xen1", "xen2") as (first, second):
        ends = SystemClock().now() + 3600
        await second.settle(holding(), (MaintenanceNotice("all", "ann", "new disks", ends),))
        denied = Denied("maintenance", "maintenance of all by ann on xen2: new disks")
        assert await first.take(CLAIM) == denied
        assert isinstance(await first.take(replace(CLAIM, run="by-bob", is_approved=True)), Grant)
        assert isinstance(await first.take(LOCAL), Grant), "it is about xen1 alone"
        await second.settle(holding(), ())
        async with asked(etcd) as client:
            assert (await client.list_below("/xenwatch/action/maintenance/")).keys == ()


async def test_in_a_storm_over_the_fleet_and_without_a_hub_nothing_starts_by_itself(etcd):
    async with coordinators(etcd, "xen1") as (first,), asked(etcd) as client:
        await client.put(STORM, "40 of 50 hosts began to fail within 300 s")
        assert await first.take(LOCAL) == Denied(
            "storm", "too much fails at once in the fleet: 40 of 50 hosts began to fail within 300 s"
        )
        await client.delete(STORM)
        await client.delete(LEADER)
        assert await first.take(LOCAL) == Denied("coordination", "no hub leads the fleet, so nobody would see a storm")
        assert isinstance(await first.take(replace(LOCAL, is_approved=True)), Grant)


async def test_an_order_for_a_host_whose_agent_is_away_is_not_given(etcd):
    async with coordinators(etcd, "xen1") as (first,):
        denied = await first.take(replace(CLAIM, to="xen7"))
        assert denied == Denied("coordination", "the agent of xen7 is not in the fleet, so nobody there checks a token")


async def test_without_a_majority_only_what_this_host_alone_can_do_starts(etcd):
    async with coordinators(etcd, "xen1") as (first,):
        grant = await first.take(CLAIM)
        assert isinstance(grant, Grant)
        etcd.kill(0, 1)
        assert not await first.holds(grant), "its lease may be another's by now"
        denied = await first.take(replace(CLAIM, run="run3", is_approved=True))
        assert isinstance(denied, Denied)
        assert denied.reason.startswith("etcd has no majority here, so only local actions start: ")
        assert await first.take(LOCAL) == Grant("run2", "host/xen1")
        await first.settle(holding("run2"), ())


def test_an_etcd_that_was_lost_and_began_again_gives_higher_tokens():
    before, after = epoch_text(1_795_000_000.0), epoch_text(1_795_000_060.0)
    assert token_of(after, 1) > token_of(before, 10**10)
    assert token_of(before, 8) > token_of(before, 7)


async def test_a_host_whose_policy_and_fleet_have_two_names_for_it_does_nothing_in_the_fleet(etcd):
    async with coordinators(etcd, "xen1") as (first,):
        assert await first.take(replace(LOCAL, host="other")) == Denied(
            "coordination", "the policy calls this host other, and [fleet] host xen1"
        )
