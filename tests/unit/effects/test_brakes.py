"""The switch, the breaker and the brake of a storm hold in the effects helper too, whatever the agent's store says."""

import pytest
from simulated_host import DB
from split_story import ANN, SplitStory
from taken_agent import TakenAgent

from xenwatch.base.errors import InputError
from xenwatch.effects.ledger import Start
from xenwatch.host.privileged.server import LocalPeer
from xenwatch.model.subject import Subject

AGENT, ROOT = LocalPeer(1, 65534), LocalPeer(1, 0)
DB_GUEST, START_DB = Subject("domain", "db", DB), ("xl", "create", "/etc/xen/db.cfg")
RESTED = 400.0
MANY = {"max_actions": 99, "max_concurrent": 9}
BOTH_ABSENT = {
    "hosts": {"xen1": {"web": "absent", "db": "absent"}},
    "settings": {
        "limits.guest": {"max_actions": 99, "cooldown": "1s"}, "limits.host": MANY, "limits.global": MANY,
        "limits.class.L2": MANY, "storm": {"min_count": 2, "max_unhealthy": "60%"},
    },
}  # fmt: skip
WITHOUT_STORM = BOTH_ABSENT | {"settings": {**BOTH_ABSENT["settings"], "storm": {"min_count": 9}}}
FAILING = {**WITHOUT_STORM, "hosts": {**BOTH_ABSENT["hosts"], "faults": {"xl create": {"how": "fails"}}}}


async def fail(story: SplitStory, agent: TakenAgent, times: int) -> None:
    for _ in range(times):
        story.clock.advance(RESTED)
        assert '"code": 1' in await agent.forged()


async def test_after_three_failures_nothing_more_happens_by_itself(tmp_path):
    async with SplitStory(tmp_path, FAILING) as story:
        agent = TakenAgent(story)
        await fail(story, agent, 3)
        story.clock.advance(RESTED)
        agent.sql("UPDATE breaker SET open=0, failures=0")
        assert "3 runs in a row failed" in await agent.forged()
        assert len(story.world.effects) == 3


async def test_it_holds_over_a_restart_and_only_a_person_closes_it(tmp_path):
    async with SplitStory(tmp_path, FAILING) as story:
        agent = TakenAgent(story)
        await fail(story, agent, 3)
        await story.stop_helper()
        await story.start_helper()
        story.clock.advance(RESTED)
        assert "3 runs in a row failed" in await agent.forged()
        told = {"do": "close-breaker", "who": "root", "token": ""}
        with pytest.raises(InputError, match="nobody who may consent"):
            await story.helper.answer(AGENT, told)
        assert await story.helper.answer(ROOT, told) == {"who": "root"}
        await fail(story, agent, 1)


async def test_a_success_between_failures_starts_the_count_anew(tmp_path):
    async with SplitStory(tmp_path, FAILING) as story:
        agent = TakenAgent(story)
        await fail(story, agent, 2)
        story.world.faults.clear()
        story.clock.advance(RESTED)
        assert '"code": 0' in await agent.forged()
        story.change({"xen1": {"web": "absent"}, "faults": {"xl create": {"how": "fails"}}})
        await fail(story, agent, 2)


async def test_an_order_of_which_nobody_knows_the_end_counts_as_a_failure(tmp_path):
    async with SplitStory(tmp_path, WITHOUT_STORM) as story:
        for number in range(3):
            story.ledger.start(_start(f"{number:012x}-00000000"))
            story.ledger.begin(f"{number:012x}-00000000", 0, "host/xen1", number, "xl create /etc/xen/db.cfg")
        story.clock.advance(RESTED)
        assert "3 runs in a row failed or ended unknown" in await TakenAgent(story).forged()


async def test_a_person_may_consent_while_the_breaker_is_open(tmp_path):
    async with SplitStory(tmp_path, FAILING) as story:
        agent = TakenAgent(story)
        await fail(story, agent, 3)
        run = agent.forge()
        hash_ = story.service._store._store.run(run).proposal.plan_hash
        told = {"do": "consent", "run": run, "plan_hash": hash_, "who": "", "token": ANN.token}
        await story.helper.answer(AGENT, told)
        assert '"code": 1' in await agent.ask(run)


async def test_in_a_storm_nothing_more_happens_by_itself_until_it_was_calm_for_a_while(tmp_path):
    async with SplitStory(tmp_path, BOTH_ABSENT) as story:
        agent = TakenAgent(story)
        assert '"code": 0' in await agent.forged()
        story.clock.advance(60)
        db = {"target": DB_GUEST, "argv": START_DB}
        assert "a storm: this would be guest 2 of 2" in await agent.forged(**db)
        await story.stop_helper()
        await story.start_helper()
        story.clock.advance(RESTED)
        assert "there was a storm less than 15m ago" in await agent.forged(**db)
        story.clock.advance(900)
        assert '"code": 0' in await agent.forged(**db)


async def test_one_guest_after_the_other_is_no_storm(tmp_path):
    async with SplitStory(tmp_path, BOTH_ABSENT) as story:
        agent = TakenAgent(story)
        assert '"code": 0' in await agent.forged()
        story.clock.advance(RESTED)
        assert '"code": 0' in await agent.forged(target=DB_GUEST, argv=START_DB)


async def test_what_a_person_switched_off_stays_off_whatever_the_store_says(tmp_path):
    async with SplitStory(tmp_path, WITHOUT_STORM) as story:
        agent = TakenAgent(story)
        await story.service.turn(True, "human:root", "look first")
        agent.sql("UPDATE switch SET off=0")
        assert "switched off by root" in await agent.forged()
        on = {"do": "switch", "off": False, "who": "root", "token": ""}
        with pytest.raises(InputError, match="nobody who may consent"):
            await story.helper.answer(AGENT, on)
        await story.stop_helper()
        await story.start_helper()
        assert "switched off by root" in await agent.forged()
        assert story.world.effects == []
        assert await story.helper.answer(AGENT, on | {"token": ANN.token}) == {"off": False}
        assert '"code": 0' in await agent.forged()


async def test_a_switch_that_the_helper_does_not_take_is_off_in_the_store_and_stays_off(tmp_path):
    story = SplitStory(tmp_path, WITHOUT_STORM)
    async with story:
        await story.service.turn(True, "human:root", "look first")
    for off in (True, False):
        with pytest.raises(InputError, match="did not take the switch"):
            await SplitStory(tmp_path, WITHOUT_STORM).service.turn(off, "human:root", "again")


def _start(run: str) -> Start:
    return Start(run, "domain_start", "host/xen1", "xen1", "L2", 0.0)
