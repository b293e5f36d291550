"""What a taken agent can have done: what the policy lets happen by itself, within its budgets, and nothing else."""

import asyncio
import hashlib
import json
from pathlib import Path

import pytest
from simulated_host import WEB
from split_story import ANN, SplitStory
from taken_agent import START, TakenAgent, old_id

from xenwatch.base.errors import InputError, XenwatchError
from xenwatch.host.privileged.server import LocalPeer
from xenwatch.model.subject import Subject
from xenwatch.remediation.store import entries

ABSENT = {"hosts": {"xen1": {"web": "absent"}}}
AGENT = LocalPeer(1, 65534)
"""The agent's own user, which is not root."""
RESTED = 400.0
"""Seconds: more than half of the pause between two runs."""
OTHER = 'xl create "/etc/xen/evil.cfg"'


async def test_a_run_as_the_policy_allows_it_is_carried_out_and_recorded(tmp_path):
    async with SplitStory(tmp_path, ABSENT) as story:
        said = await TakenAgent(story).forged()
        assert '"code": 0' in said
        assert story.world.effects == ["xl create /etc/xen/web.cfg"]
        assert '"what": "begin"' in (tmp_path / "ledger.jsonl").read_text()


NOT_ALLOWED = {
    "an action that no step of the rule names": (
        {"action": "domain_destroy", "argv": ("xl", "destroy", "web")}, "r has no such step",
    ),
    "no rule and no consent": ({"rule": ""}, "no person consented"),
    "another rule than there is": ({"rule": "made-up"}, "no rule of the policy"),
    "an action that is not in the catalogue": ({"action": "run_shell", "argv": ("sh", "-c", "id")}, "no action"),
    "other words than the plan's": ({"argv": ("xl", "create", "/etc/xen/evil.cfg")}, "the plan is another one"),
    "an option for a program": ({"argv": ("xl", "create", "-c", "/etc/xen/web.cfg")}, "the plan is another one"),
    "a parameter that the step does not have": ({"params": {"mib": "9999"}}, "no parameter mib"),
    "a guest that the policy does not name": (
        {"target": Subject("domain", "stranger", "00000000-0000-0000-0000-00000000dead")}, "not a guest of the policy",
    ),
    "a guest with a command for a name": (
        {"target": Subject("domain", "web;reboot", "-rf")}, "not a guest of the policy",
    ),
    "another kind of thing": ({"target": Subject("host", "xen1")}, "no action domain_start for a host"),
    "another policy": ({"policy_hash": "0" * 64}, "planned under another policy"),
}  # fmt: skip


@pytest.mark.parametrize(("forged", "why"), NOT_ALLOWED.values(), ids=NOT_ALLOWED.keys())
async def test_a_forged_run_is_refused_and_nothing_is_done(forged, why, tmp_path):
    async with SplitStory(tmp_path, ABSENT) as story:
        assert why in await TakenAgent(story).forged(**forged)
        assert story.world.effects == []
        assert story.ledger.starts == []


async def test_what_the_toolstack_says_counts_and_not_what_the_store_says(tmp_path):
    """A guest that runs is not started a second time, however well the run is forged."""
    async with SplitStory(tmp_path, {"hosts": {"xen1": {"web": "running"}}}) as story:
        assert "location is fail: web is on this host" in await TakenAgent(story).forged()
        assert story.world.effects == []


async def test_a_rule_that_only_proposes_and_one_that_is_switched_off_are_no_permission(tmp_path):
    for number, change in enumerate(({"remediation": {"mode": "propose"}}, {"remediation": {"enabled": False}})):
        (tmp_path / str(number)).mkdir()
        async with SplitStory(tmp_path / str(number), ABSENT | change) as story:
            said = await TakenAgent(story).forged()
            assert "no person consented" in said or "disabled" in said
            assert story.world.effects == []


async def test_an_approval_that_stands_in_the_agents_store_alone_is_no_consent(tmp_path):
    async with SplitStory(tmp_path, ABSENT | {"remediation": {"mode": "propose"}}) as story:
        agent = TakenAgent(story)
        run = agent.forge()
        hash_ = story.service._store._store.run(run).proposal.plan_hash
        agent.sql("INSERT INTO approval VALUES('n', ?, 'human:ann', ?, 1e12, 1, 0)", run, hash_)
        assert "no person consented" in await agent.ask(run)
        wrong = {"do": "consent", "run": run, "plan_hash": hash_, "who": "ann", "token": ""}
        for token in ("", "guessed", ANN.token[:-1]):
            with pytest.raises(XenwatchError, match="nobody who may consent has this token"):
                await story.helper.answer(AGENT, wrong | {"token": token})
        assert story.world.effects == []


async def test_the_token_of_a_person_is_a_consent_to_that_plan_alone_and_root_needs_none(tmp_path):
    async with SplitStory(tmp_path, ABSENT | {"remediation": {"mode": "propose"}}) as story:
        agent = TakenAgent(story)
        run, other = agent.forge(), agent.forge(argv=("xl", "create", "/etc/xen/evil.cfg"))
        hash_ = story.service._store._store.run(run).proposal.plan_hash
        told = {"do": "consent", "run": run, "plan_hash": hash_, "who": "", "token": ANN.token}
        assert await story.helper.answer(AGENT, told) == {"who": "ann"}
        assert "no person consented" in await agent.ask(other, argv=("xl", "create", "/etc/xen/evil.cfg"))
        assert '"code": 0' in await agent.ask(run)
        assert await story.helper.answer(LocalPeer(1, 0), told | {"run": other, "who": "root", "token": ""})


LIES = {
    "harmless words before another plan": "UPDATE run SET proposal=json_set(proposal, '$.plan', json('[\"true\"]'))",
    "another action": "UPDATE run SET proposal=json_set(proposal, '$.action', 'domain_unpause')",
    "the name of another guest": "UPDATE run SET proposal=json_set(proposal, '$.target.name', 'db')",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_root_consents_to_what_is_shown_and_to_nothing_else(lie, tmp_path):
    """`xenwatch remediation approve` prints words of the agent's store, and hands on a hash of the agent's store."""
    async with SplitStory(tmp_path, ABSENT | {"remediation": {"mode": "propose"}}) as story:
        agent = TakenAgent(story)
        run = agent.forge()
        hash_ = story.service._store._store.run(run).proposal.plan_hash
        agent.sql("UPDATE run SET state='awaiting_approval' WHERE id=?", run)
        agent.sql(lie)
        with pytest.raises(InputError, match="the run store was changed"):
            await story.service.approve(run, "human:root", hash_)
        assert story.ledger.consents == {}


async def test_a_token_is_known_by_its_digest_too(tmp_path):
    story = SplitStory(tmp_path, ABSENT)
    digest = "9f735e0df9a1ddc702bf0a1a7b83033f9f7153a00c29de82cedadc9957289b05"  # of testpassword
    story.approvers = (type(ANN)("bob", "", digest),)
    async with story:
        told = {
            "do": "consent",
            "run": "018bcfe56800-00000000",
            "plan_hash": "0" * 64,
            "who": "",
            "token": "testpassword",
        }
        assert await story.helper.answer(AGENT, told) == {"who": "bob"}
        with pytest.raises(XenwatchError):
            await story.helper.answer(AGENT, told | {"token": digest})


async def test_nothing_is_done_twice_and_a_flood_of_forged_runs_gets_no_more_than_the_budget(tmp_path):
    async with SplitStory(tmp_path, ABSENT) as story:
        agent = TakenAgent(story)
        run = agent.forge()
        assert '"code": 0' in await agent.ask(run)
        for order in (0, 1, 7, -1):
            assert "order" in await agent.ask(run, order=order)
        agent.sql("DELETE FROM entry")
        assert "not the next one" in await agent.ask(run)
        for _ in range(6):
            story.change({"xen1": {"web": "absent"}})
            story.clock.advance(RESTED)
            said = await agent.forged()
        assert "budget guest: 2 of 2 actions in 6h are used" in said
        assert len(story.world.effects) == 2


async def test_between_two_runs_the_target_is_left_alone_for_a_while_whatever_the_store_says(tmp_path):
    async with SplitStory(tmp_path, ABSENT) as story:
        agent = TakenAgent(story)
        assert '"code": 0' in await agent.forged()
        story.change({"xen1": {"web": "absent"}})
        assert "ago, and at least 5m must pass" in await agent.forged()
        story.clock.advance(RESTED)
        assert '"code": 0' in await agent.forged()


async def test_the_budget_holds_over_a_restart_of_the_helper(tmp_path):
    async with SplitStory(tmp_path, ABSENT) as story:
        agent = TakenAgent(story)
        for _ in range(4):
            story.change({"xen1": {"web": "absent"}})
            story.clock.advance(RESTED)
            last = await agent.forged()
            await story.stop_helper()
            await story.start_helper()
        assert "budget guest" in last
        assert len(story.world.effects) == 2


async def test_asked_twice_at_once_it_is_done_once(tmp_path):
    async with SplitStory(tmp_path, ABSENT) as story:
        agent = TakenAgent(story)
        run = agent.forge()
        said = await asyncio.gather(*[agent.ask(run) for _ in range(8)])
        assert sum('"code": 0' in answer for answer in said) == 1
        assert len(story.world.effects) == 1


async def test_an_order_that_must_wait_for_the_one_before_is_not_given_early(tmp_path):
    """A hard restart: the guest does not go, so it is not started, though the agent says that it is gone."""
    ladder = {"ladder": [{"action": "domain_hard_restart", "require": "approval"}]}
    world = {"rule": ladder, "hosts": {"xen1": {"web": "running"}, "faults": {"xl destroy": {"how": "lies"}}}}
    argv, then = ("xl", "destroy", "web"), START
    async with SplitStory(tmp_path, world) as story:
        agent = TakenAgent(story)
        run = agent.forge("domain_hard_restart", argv)
        plan = ["xl destroy web", "xl create /etc/xen/web.cfg"]
        hash_ = _hash_of("domain_hard_restart", plan)
        agent.sql("UPDATE run SET proposal=json_set(proposal, '$.plan_hash', ?) WHERE id=?", hash_, run)
        await story.helper.answer(LocalPeer(1, 0), _consent(run, hash_))
        first = await agent.ask(run, "domain_hard_restart", argv=argv)
        with agent.store.transaction() as transaction:
            _tell(transaction, run)
        second = await agent.ask(run, "domain_hard_restart", 1, then)
        assert "exit" not in first
        assert "not confirmed" in second
        assert story.ledger.failures(()) == 1
        assert story.world.effects == ["xl destroy web"]


def _consent(run: str, hash_: str) -> dict[str, str]:
    return {"do": "consent", "run": run, "plan_hash": hash_, "who": "root", "token": ""}


def _hash_of(action: str, plan: list[str]) -> str:
    return hashlib.sha256(json.dumps([action, f"domain/{WEB}", [], plan]).encode()).hexdigest()


def _tell(transaction, run: str) -> None:
    entries.append(transaction, "outcome", run, "xenwatch", "exit 0", {})
    entries.append(transaction, "intent", run, "xenwatch", "xl create /etc/xen/web.cfg", {})


@pytest.mark.parametrize("age", [2 * 86400.0, -2 * 86400.0])
async def test_a_run_older_than_a_day_or_from_the_future_is_refused(age, tmp_path):
    async with SplitStory(tmp_path, ABSENT) as story:
        agent = TakenAgent(story)
        new = old_id(age, story.clock.now())
        run = agent.forge()
        agent.sql("PRAGMA foreign_keys=OFF")
        agent.store._db.execute("PRAGMA foreign_keys=OFF")
        agent.sql("UPDATE run SET id=? WHERE id=?", new, run)
        agent.sql("UPDATE entry SET run=? WHERE run=?", new, run)
        assert "older than a day" in await agent.ask(new)


def _garbage(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 8000)


def _link(path: Path) -> None:
    path.symlink_to("/etc/shadow")


@pytest.mark.parametrize("put", [_garbage, _link, Path.mkdir], ids=["garbage", "a link to a secret", "a folder"])
async def test_a_store_that_is_none_is_refused_and_nothing_of_it_is_told(put, tmp_path):
    async with SplitStory(tmp_path, ABSENT) as story:
        agent = TakenAgent(story)
        run = agent.forge()
        agent.store.close()
        story.service.close()
        for name in ("store.db", "store.db-wal", "store.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        put(tmp_path / "store.db")
        said = await agent.ask(run)
        assert "the run store cannot be read" in said
        assert "root:" not in said
        assert story.world.effects == []


async def test_a_view_in_place_of_the_table_and_values_of_other_types_are_refused(tmp_path):
    async with SplitStory(tmp_path, ABSENT) as story:
        agent = TakenAgent(story)
        run = agent.forge()
        agent.sql("UPDATE run SET proposal=json_set(proposal, '$.params', json('{\"a\": {\"b\": 1}}')) WHERE id=?", run)
        assert "must be str" in await agent.ask(run)
        agent.sql("UPDATE run SET proposal=json_set(proposal, '$.rule', ?) WHERE id=?", "r\u202e" + "x" * 9000, run)
        agent.sql("UPDATE run SET proposal=json_set(proposal, '$.params', json('{}')) WHERE id=?", run)
        assert "too long" in await agent.ask(run)
        assert story.world.effects == []


async def test_a_lease_goes_with_the_order_and_is_announced_through_the_helper_in_its_form_alone(tmp_path):
    async with SplitStory(tmp_path, ABSENT) as story:
        agent, leases = TakenAgent(story), []
        real = story.world.effect

        async def effect(order):
            leases.append(order.lease)
            return await real(order)

        story.world.effect = effect
        run = agent.forge()
        start = {"do": "effect", "run": run, "order": 0, "action": "domain_start", "expects": " ".join(START)}
        assert "lease must be int" in await agent.say({**start, "lease": "7"})
        assert '"code": 0' in await agent.say({**start, "lease": 7})
        assert leases == [7]
        announced = {"do": "announce", "target": f"domain/{WEB}", "lease": 7, "host": "xen2"}
        assert '"code": 0' in await agent.say(announced)
        assert "target has another form" in await agent.say({**announced, "target": "domain/a b"})
