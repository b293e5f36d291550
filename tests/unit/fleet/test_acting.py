"""Remediation with the fleet behind it: a migration without a person, and none where the fleet says no."""

import pytest
from story import Story

from xenwatch.base.clock import SystemClock
from xenwatch.fleet.claims import LEADER, SLOTS, lease_key
from xenwatch.fleet.coordinator import FleetCoordinator
from xenwatch.fleet.host_report import self_key
from xenwatch.remediation.machine.port import Answer, Order

pytestmark = pytest.mark.timeout(300)
WORLD = {
    "hosts": {"xen1": {"web": "running", "db": "running"}},
    "web": {"placement": ["xen1", "xen2"], "shared_storage": True, "lease": "none"},
    "rule": {
        "max_risk": "L3",
        "ladder": [{"action": "domain_migrate", "params": {"to": "xen2"}}],
        "when": {"diagnosis": "host-ill"},
    },
    "settings": {"approval": {"four_eyes_from": "L4"}},
}
ILL = [{"incident": "host-ill"}, {"tick": 2}]


@pytest.fixture
async def fleet(etcd, tmp_path):
    """A story on xen1 of a fleet that a hub leads and in which xen2's agent is."""
    coordinator = FleetCoordinator("xen1", etcd.connect, SystemClock())
    client = etcd.connect()
    for key in (LEADER, self_key("xen1"), self_key("xen2")):
        await client.put(key, "here")
    story = Story(tmp_path, WORLD, coordinator)
    yield story, client, etcd
    story.service.close()
    await coordinator.close()
    await client.close()


def leases(story: Story) -> list[int]:
    """Of the orders that are carried out from here on."""
    seen: list[int] = []
    real = story.world.effect

    async def effect(order: Order) -> Answer:
        seen.append(order.lease)
        return await real(order)

    story.world.effect = effect  # type: ignore[method-assign]
    return seen


async def test_where_the_policy_says_so_a_guest_is_migrated_under_a_lease_without_a_person(fleet):
    story, client, _etcd = fleet
    seen = leases(story)
    await story.play(ILL)
    assert [run.state for run in await story.service.runs()] == ["succeeded"]
    assert story.world.seen() == {"xen1/db": "-b----", "xen2/web": "-b----"}
    assert len(seen) == 1
    assert seen[0] > 0
    assert (await client.list_below(SLOTS)).keys == (), "the second round freed it: success was verified"


async def test_a_migration_that_fails_keeps_its_slot(fleet):
    story, client, _etcd = fleet
    story.change({"boots": {"web": {"left": ["run", "none"]}}})
    await story.play(ILL)
    assert [run.state for run in await story.service.runs()] == ["failed"]
    assert len((await client.list_below(SLOTS)).keys) == 1


async def test_while_another_host_holds_the_guest_nothing_is_done_and_no_budget_is_used(fleet):
    story, client, _etcd = fleet
    guest = story.service.policy.inventory.guests[0].subject
    await client.put(lease_key(guest.key), "xen2's run")
    await story.play(ILL)
    assert [run.state for run in await story.service.runs()] == ["proposed"]
    assert story.world.effects == []
    blocked = [entry.reason for entry in await story.service.entries() if entry.kind == "blocked"]
    assert blocked == [f"coordination: another run holds the lease on {guest.key}: xen2's run"]
    await client.delete(lease_key(guest.key))
    await story.play([{"tick": 1}])
    assert [run.state for run in await story.service.runs()] == ["succeeded"]


async def test_without_a_majority_no_guest_is_moved(fleet):
    story, _client, etcd = fleet
    etcd.kill(0, 1)
    await story.play([{"incident": "host-ill"}, {"tick": 1}])
    assert [run.state for run in await story.service.runs()] == ["proposed"]
    assert story.world.effects == []


async def test_a_lease_that_is_lost_before_the_order_stops_it(fleet):
    story, client, _etcd = fleet
    guest = story.service.policy.inventory.guests[0].subject
    real = story.coordinator.holds

    async def too_late(grant):
        await client.delete(lease_key(guest.key))
        return await real(grant)

    story.coordinator.holds = too_late
    await story.play([{"incident": "host-ill"}, {"tick": 1}])
    (run,) = await story.service.runs()
    assert run.state == "failed"
    assert f"the fleet's lease on {guest.key} is lost: nothing more is done" in run.reason
    assert story.world.effects == []


async def test_maintenance_that_a_person_sets_on_this_host_is_told_to_all(fleet):
    story, client, _etcd = fleet
    to_now = SystemClock().now() - story.clock.now()
    await story.play([{"step_wall": to_now}, {"maintenance": {"scope": "host/xen1"}}, {"tick": 1}])
    told = (await client.list_below("/xenwatch/action/maintenance/")).keys
    assert [kv.key.rpartition("maintenance/")[2] for kv in told] == ["host/xen1"]
    assert "maintenance of host/xen1 by ann on xen1: disks" in told[0].value


async def test_a_host_that_does_not_answer_takes_no_token_before_it_loses_its_power(etcd, tmp_path):
    coordinator = FleetCoordinator("xen1", etcd.connect, SystemClock())
    hosts = {"xen1": {"db": "running"}, "xen2": {"web": "running", "silent": True}}
    story = Story(tmp_path, {"web": WORLD["web"], "hosts": hosts, "boards": True}, coordinator)
    seen = leases(story)
    await story.play([{"request": {"action": "domain_take_over", "params": {"from": "xen2"}}}])
    await story.play([{"approve": "human:bob"}, {"tick": 2}])
    assert [run.state for run in await story.service.runs()] == ["succeeded"]
    assert story.world.seen() == {"xen1/db": "-b----", "xen1/web": "-b----"}
    assert len(seen) == 2
    assert all(seen)
    story.service.close()
    await coordinator.close()
