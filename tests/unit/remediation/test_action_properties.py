"""An action declares what the guards and the planner ask of it; none of them knows an action by its name."""

from dataclasses import replace

import pytest
from simulated_host import WEB
from story import CATALOGUE, Story

from xenwatch.base.errors import XenwatchError
from xenwatch.model.action import Trigger
from xenwatch.model.subject import Subject
from xenwatch.remediation.action import Context
from xenwatch.remediation.planner import Draft
from xenwatch.remediation.preflight.migrate import check_migrate

NO_BUDGET = {"settings": {"limits.global": {"max_actions": 0}, "limits.action.host_cordon": {"max_actions": 0}}}
CORDON = {"rule": {"scope": {"selector": "host:xen1"}, "ladder": [{"action": "host_cordon"}]}}


async def end_of_a_cordon(tmp_path, monkeypatch, **properties) -> str:
    """How a run of host_cordon ends without any budget, where the action has these properties."""
    monkeypatch.setitem(CATALOGUE, "host_cordon", replace(CATALOGUE["host_cordon"], **properties))
    story = Story(tmp_path, NO_BUDGET | CORDON)
    await story.play([{"incident": {"rule": "guest-down", "of": "host/xen1"}}, {"tick": 1}])
    [run] = await story.service.runs()
    story.service.close()
    return run.state


async def test_an_action_that_only_sends_a_message_needs_no_budget(tmp_path, monkeypatch):
    assert await end_of_a_cordon(tmp_path, monkeypatch, message_only=True) == "succeeded"


async def test_an_action_that_changes_something_needs_a_budget(tmp_path, monkeypatch):
    assert await end_of_a_cordon(tmp_path, monkeypatch) == "proposed"


@pytest.mark.parametrize(("recovery", "states"), [(True, ["failed", "succeeded"]), (False, ["unknown", "proposed"])])
async def test_only_a_recovery_starts_on_a_target_of_unknown_outcome_and_settles_it(
    tmp_path, monkeypatch, recovery, states
):
    monkeypatch.setitem(CATALOGUE, "domain_start", replace(CATALOGUE["domain_start"], recovery=recovery))
    lost = {"xl create": {"how": "lost", "once": True}}
    story = Story(tmp_path, {"hosts": {"faults": lost}, "settings": {"limits.guest": {"cooldown": "1s"}}})
    again = {"incident": {"rule": "guest-down", "opened": 1700000500.0}}
    await story.play([{"incident": "guest-down"}, {"tick": 1}, {"advance": 600}, again, {"tick": 1}])
    assert [run.state for run in await story.service.runs()] == states
    story.service.close()


@pytest.mark.parametrize(
    ("action", "kind", "accepted"),
    [("notify", "multipath", True), ("domain_start", "domain", True), ("domain_start", "host", False)],
)
def test_an_action_declares_the_kinds_of_subjects_that_it_acts_on(action, kind, accepted):
    assert CATALOGUE[action].accepts(kind) is accepted


async def test_xl_info_is_read_once_a_host_in_a_run_of_the_checks(tmp_path):
    shared = {"placement": ["xen1", "xen2"], "shared_storage": True, "lease": "none"}
    story = Story(tmp_path, {"hosts": {"xen1": {"web": "running"}}, "web": shared})
    hosts = []
    xl = story.world.answers["xl"]

    def counted(world, host, rest):
        if rest == ["info"]:
            hosts.append(host.name)
        return xl(world, host, rest)

    story.world.answers["xl"] = counted
    guest = story.service.policy.inventory.guests[0]
    context = Context(story.world, story.clock, story.service.policy, guest.subject, guest, {"to": "xen2"})
    assert all(finding.holds for finding in await check_migrate(context))
    assert sorted(hosts) == ["xen1", "xen2"]
    await check_migrate(context.fresh())
    assert sorted(hosts) == ["xen1", "xen1", "xen2", "xen2"]
    story.service.close()


async def test_a_draft_without_proposal_and_refusal_is_an_error_with_a_message(tmp_path):
    story = Story(tmp_path, {})
    trigger = Trigger("incident", "guest-down", Subject("domain", "web", WEB), "f", "1")
    with pytest.raises(XenwatchError, match="neither a proposal nor a refusal"):
        await story.service.dry_run(Draft(trigger))
    story.service.close()
