"""A policy that names a rule by a former id goes on working; an experimental rule starts nothing."""

from dataclasses import replace

from story import Story

from xenwatch.agent.remediation import RemediationController
from xenwatch.config.access import Access
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.remediation.policy.policy import Rung
from xenwatch.remediation.store.triggers import trigger_of_incident, unhandled


def incident(story: Story, rule: str, **more) -> Incident:
    guest = next(g for g in story.service.policy.inventory.guests if g.name == "web")
    return Incident("i-web", Diagnosis(rule, "", guest.subject, "error", "t", "s", "c", 1.0, **more), "open", 1.0, 1.0)


async def repaired(story: Story, *incidents: Incident) -> int:
    remedy = RemediationController(story.service, Access(), story.clock)
    for one in incidents:
        remedy.changed([one])
        await remedy.round(story.service)
        await story.service.idle()
    await remedy.stop()
    return story.world.running("web")


async def test_a_policy_that_names_the_former_id_repairs(tmp_path):
    story = Story(tmp_path, {})
    assert await repaired(story, incident(story, "guest-fell", aliases=("guest-down",))) == 1


async def test_a_policy_for_another_rule_does_not(tmp_path):
    story = Story(tmp_path, {})
    assert await repaired(story, incident(story, "guest-fell", aliases=("guest-gone",))) == 0


async def test_an_experimental_rule_starts_nothing(tmp_path):
    story = Story(tmp_path, {})
    assert await repaired(story, incident(story, "guest-down", experimental=True)) == 0


async def test_what_was_noted_under_the_former_id_does_not_stay_beside_the_present_one(tmp_path):
    story = Story(tmp_path, {})
    before = incident(story, "guest-old")
    after = replace(before, diagnosis=replace(before.diagnosis, rule="guest-new", aliases=("guest-old",)))
    await story.service.take_incident(before)
    await story.service.take_incident(after)
    assert await story.service._store.write(unhandled) == [trigger_of_incident(after)]


async def test_a_rule_for_the_host_is_for_an_array_of_it_too(tmp_path):
    story = Story(tmp_path, {})
    first = story.service.policy.rules[0]
    cordon = replace(first, diagnosis="array-down", selectors=("host:*",), ladder=(Rung("host_cordon", {}),))
    story.service._planner._policy = replace(story.service.policy, rules=(cordon,))
    told = Diagnosis("array-down", "", Subject("array", "md0"), "error", "t", "s", "c", 1.0)
    draft = await story.service.draft(trigger_of_incident(Incident("i-md0", told, "open", 1.0, 1.0)))
    assert draft.proposal is not None
    assert (draft.proposal.action, draft.proposal.target.kind) == ("host_cordon", "host")
