"""I20 to I24: consent is one person's to one plan, and everything is asked twice."""

import hashlib

import pytest
from story import Story

from xenwatch.base.errors import InputError
from xenwatch.model.action import Trigger
from xenwatch.model.subject import Subject
from xenwatch.remediation.guards import approvals
from xenwatch.remediation.policy.inventory import ManagedInventory
from xenwatch.remediation.policy.policy import Policy

PROPOSE = {"rule": {"mode": "propose"}}
SPOILERS = {
    "expired": [{"advance": 1000}],
    "policy changed": [{"policy": {"settings": {"approval": {"ttl": "14m"}}}}],
    "plan changed": [{"policy": {"web": {"config": "/etc/xen/other.cfg"}}}],
    "guest came up": [{"world": {"xen1": {"web": "running"}}}],
    "switched off": [{"off": "drill"}],
}


@pytest.mark.parametrize("spoiler", SPOILERS)
async def test_i20_an_expired_or_outdated_approval_starts_nothing(tmp_path, spoiler):
    story = Story(tmp_path, PROPOSE)
    script = [{"incident": "guest-down"}, {"tick": 1}, {"approve": "human:ann"}, *SPOILERS[spoiler], {"tick": 1}]
    await story.play(script)
    assert story.world.effects == []
    story.service.close()


async def test_i20_a_revoked_approval_starts_nothing(tmp_path):
    story = Story(tmp_path, PROPOSE)
    await story.play([{"incident": "guest-down"}, {"tick": 1}, {"approve": "human:ann"}])
    run = (await story.service.runs())[0]
    await story.service._store.write(lambda t: approvals.revoke(t, run, "human:ann", "changed my mind"))
    await story.play([{"tick": 1}])
    assert story.world.effects == []
    story.service.close()


async def test_i20_time_that_runs_out_between_admission_and_effect_stops_the_run(tmp_path):
    story = Story(tmp_path, PROPOSE | {"settings": {"approval": {"ttl": "15s"}}})
    await story.play([{"incident": "guest-down"}, {"tick": 1}, {"approve": "human:ann"}, {"tick": 1}])
    assert (await story.service.runs())[0].state == "aborted"
    assert story.world.effects == []
    story.service.close()


async def test_i20_an_approval_of_another_plan_is_refused(tmp_path):
    story = Story(tmp_path, PROPOSE)
    await story.play([{"incident": "guest-down"}, {"tick": 1}])
    run = (await story.service.runs())[0]
    with pytest.raises(InputError, match="another plan"):
        await story.service.approve(run.id, "human:ann", "0" * 64)
    story.service.close()


@pytest.mark.parametrize("actor", ["human:ann", "xenwatch", "agent:cron", "human:", "webhook:ops"])
async def test_i21_neither_the_requester_nor_a_program_approves_what_is_risky(tmp_path, actor):
    story = Story(tmp_path, {"hosts": {"xen1": {"web": "running"}}})
    await story.play([{"request": {"action": "domain_destroy", "by": "human:ann"}}, {"approve": actor}, {"tick": 1}])
    assert story.world.effects == []
    await story.play([{"approve": "human:bob"}, {"tick": 1}])
    assert story.world.effects == ["xl destroy web"]
    story.service.close()


def test_i22_a_policy_that_says_nothing_observes():
    assert Policy(ManagedInventory("xen1")).mode == "observe"


@pytest.mark.parametrize(
    ("whole", "rule", "done"),
    [("observe", "auto", 0), ("auto", "observe", 0), ("propose", "auto", 0), ("auto", "auto", 1)],
)
async def test_i22_the_lower_of_the_two_modes_counts(tmp_path, whole, rule, done):
    story = Story(tmp_path, {"remediation": {"mode": whole}, "rule": {"mode": rule}})
    await story.play([{"incident": "guest-down"}, {"tick": 2}])
    assert len(story.world.effects) == done
    story.service.close()


@pytest.mark.parametrize("action", ["domain_start", "collect_diagnostics", "domain_hard_restart"])
async def test_i23_a_dry_run_writes_nothing_at_all(tmp_path, action):
    story = Story(tmp_path, {"hosts": {"xen1": {"db": "running"}}})
    before = _content(tmp_path)
    draft = await story.service.draft_request(action, Subject("domain", "web"), {}, "human:ann")
    await story.service.dry_run(draft, as_approved=True)
    trigger = Trigger("incident", "guest-down", Subject("domain", "web"), "f", "1")
    await story.service.dry_run(await story.service.draft(trigger))
    assert story.world.effects == []
    assert await story.service.entries() == []
    assert _content(tmp_path) == before
    story.service.close()


async def test_i23_a_dry_run_names_the_guard_that_would_stop_it(tmp_path):
    story = Story(tmp_path, {})
    await story.do_off("drill")
    draft = await story.service.draft_request("domain_start", Subject("domain", "web"), {}, "human:ann")
    stop = await story.service.dry_run(draft, as_approved=True)
    assert stop is not None
    assert stop.guard == "switch"
    story.service.close()


def _content(folder):
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir() if not f.name.endswith("-shm")}


CHANGES = [
    {"xen1": {"web": "paused"}},
    {"xen1": {"free_mib": 600}},
    {"xen1": {"disks": {"/dev/vg0/web": {"serial": "s", "mounted": "/mnt"}}}},
    {"xen1": {"daemons": ["xapi"]}},
    {"xen1": {"silent": True}},
]


@pytest.mark.parametrize("change", CHANGES)
async def test_i24_an_answer_that_changed_since_the_proposal_stops_the_run(tmp_path, change):
    story = Story(tmp_path, PROPOSE)
    script = [{"incident": "guest-down"}, {"tick": 1}, {"world": change}, {"approve": "human:ann"}, {"tick": 1}]
    await story.play(script)
    assert (await story.service.runs())[0].state == "aborted"
    assert story.world.effects == []
    story.service.close()
