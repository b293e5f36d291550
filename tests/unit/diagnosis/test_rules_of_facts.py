"""A rule of facts alone opens an incident, is over when the facts say so, and is silent about what nobody knows."""

from types import SimpleNamespace

import pytest

from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.model.fact import Fact, FactValue
from xenwatch.model.incident import Incident
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.model.subject import HOST, Subject

WEB, MAIL = Subject("domain", "web"), Subject("domain", "mail")
BRIDGES = """\
subject: domain
title: '{subject} needs {bridge}'
when:
  any:
    - type: fact
      fact: guest.bridges
      check: 'value.exists(b, !(b in facts["bridge.names"]))'
      compute: {bridge: 'value.filter(b, !(b in facts["bridge.names"]))[0]'}
"""
MACS = """\
subject: domain
when: {type: fact, fact: guest.macs, check: 'size(others) > 0'}
"""


def fact(name: str, value: FactValue, subject: Subject = HOST, at: float = 1.0) -> Fact:
    return Fact(name, subject, value, at, "test")


@pytest.fixture
def pipeline(kit: SimpleNamespace):
    return lambda text, at_rest=False: Pipeline([kit.rule(text)], at_rest=at_rest)


def states(pipeline: Pipeline) -> dict[str, str]:
    return {str(i.diagnosis.subject): i.state for i in pipeline.incidents.all()}


def learn(pipeline: Pipeline, at: float, *facts: Fact) -> list[Incident]:
    pipeline.facts(facts)
    return pipeline.conclude(at)


def test_a_subject_is_compared_with_what_the_host_has(pipeline):
    made = pipeline(BRIDGES)
    learn(made, 1.0, fact("guest.bridges", ("xenbr9",), WEB), fact("guest.bridges", ("xenbr0",), MAIL))
    assert states(made) == {}  # nobody knows which bridges there are
    learn(made, 2.0, fact("bridge.names", ("xenbr0",), at=2.0))
    assert states(made) == {"domain/web": "open"}
    diagnosis = made.incidents.all()[0].diagnosis
    assert diagnosis.title == "web needs xenbr9"
    assert [e.summary for e in diagnosis.evidence] == [
        "bridge.names is xenbr0 (test)",
        "guest.bridges is xenbr9 (test)",
    ]


def test_it_is_over_when_the_facts_are_learnt_again_and_no_longer_satisfy_it(pipeline):
    made = pipeline(BRIDGES)
    learn(made, 1.0, fact("guest.bridges", ("xenbr9",), WEB), fact("bridge.names", ("xenbr0",)))
    learn(made, 61.0, fact("bridge.names", ("xenbr0", "xenbr9"), at=61.0))
    assert states(made) == {"domain/web": "resolved"}
    assert made.incidents.all()[0].resolved == 61.0
    learn(made, 121.0, fact("bridge.names", ("xenbr0",), at=121.0))
    assert states(made) == {"domain/web": "open"}


def test_in_a_bundle_a_younger_file_ends_nothing(pipeline):
    made = pipeline(BRIDGES, at_rest=True)
    learn(made, 1.0, fact("guest.bridges", ("xenbr9",), WEB), fact("bridge.names", ("xenbr0",)))
    learn(made, 61.0, fact("bridge.names", ("xenbr9",), at=61.0))
    assert states(made) == {"domain/web": "open"}


def test_facts_that_are_not_known_neither_open_nor_end_anything(pipeline):
    made = pipeline(BRIDGES)
    learn(made, 1.0, fact("guest.bridges", ("xenbr9",), WEB), fact("bridge.names", ("xenbr0",)))
    made.engine.forget_facts(50.0)
    learn(made, 61.0, fact("guest.bridges", ("xenbr9",), WEB, 61.0))
    assert states(made) == {"domain/web": "open"}


def test_missing_is_never_taken_for_true_in_a_rule_of_facts_alone(pipeline):
    made = pipeline(
        "when: {all: [{type: fact, fact: a, check: value}, {type: fact, fact: b, check: value, missing: hold}]}\n"
    )
    learn(made, 1.0, fact("a", True))
    assert states(made) == {}
    learn(made, 2.0, fact("b", True))
    assert states(made) == {"host/dom0": "open"}


def test_two_subjects_are_compared_with_each_other(pipeline):
    made = pipeline(MACS)
    learn(made, 1.0, fact("guest.macs", ("a",), WEB), fact("guest.macs", ("a", "b"), MAIL))
    assert states(made) == {"domain/web": "open", "domain/mail": "open"}


def test_what_can_no_longer_hold_is_not_asked_and_is_over_all_the_same(pipeline):
    made = pipeline("when: {all: [{type: fact, fact: a, check: value}, {type: fact, fact: b, check: value}]}\n")
    learn(made, 1.0, fact("a", True), fact("b", True))
    made.engine.forget_facts(2.0)
    learn(made, 61.0, fact("a", False, at=61.0))
    assert states(made) == {"host/dom0": "resolved"}


def test_two_subjects_that_differ_are_quiet(pipeline):
    made = pipeline(MACS)
    learn(made, 1.0, fact("guest.macs", ("a",), WEB), fact("guest.macs", ("b",), MAIL))
    assert states(made) == {}


def test_a_rule_with_lines_too_is_opened_by_its_branch_of_facts_and_not_ended_by_it(pipeline):
    made = pipeline(
        "signatures: [{event: a, regex: aaa}]\nsubject: domain\n"
        "when: {any: [{type: fact, fact: domain.state, check: 'value == \"crashed\"'}, {type: event, event: a}]}\n"
    )
    learn(made, 1.0, fact("domain.state", "crashed", WEB), fact("domain.state", "running", MAIL))
    assert states(made) == {"domain/web": "open"}
    learn(made, 61.0, fact("domain.state", "running", WEB, 61.0))  # its line may have told of more than the state
    assert states(made) == {"domain/web": "open"}


def test_an_expression_that_cannot_be_told_opens_nothing(pipeline):
    made = pipeline("when: {type: fact, fact: a, check: 'value > 3'}\n")
    learn(made, 1.0, fact("a", "text"))
    assert states(made) == {}


def test_guests_of_two_hosts_are_compared_with_their_own_host_only(pipeline):
    bridges, macs = pipeline(BRIDGES), pipeline(MACS)
    here, there = WEB.on("xen1"), MAIL.on("xen2")
    learn(bridges, 1.0, fact("bridge.names", ("xenbr0",), HOST.on("xen1")), fact("guest.bridges", ("xenbr0",), here))
    learn(bridges, 1.0, fact("bridge.names", ("xenbr9",), HOST.on("xen2")), fact("guest.bridges", ("xenbr0",), there))
    assert states(bridges) == {"xen2:domain/mail": "open"}
    learn(
        macs, 1.0, fact("guest.macs", ("00:16:3e:00:00:01",), here), fact("guest.macs", ("00:16:3e:00:00:01",), there)
    )
    assert states(macs) == {}


LASTING = """\
subject: domain
title: '{subject} is off its bridge'
when:
  any:
    - {type: metric, metric: xen_domain_vif_bridge_attached, check: 'value == 0.0', for: '60s'}
"""
FLEETING = """\
subject: domain
title: '{subject} drops packets'
when:
  any:
    - {type: metric, metric: xen_domain_vif_bridge_attached, check: 'value == 0.0'}
"""
ATTACHED = Metric("xen_domain_vif_bridge_attached", "gauge", "", ("domain", "vif"))


def sample(pipeline: Pipeline, at: float, *values: float) -> None:
    samples = tuple(Sample(ATTACHED, ("web", str(n)), value) for n, value in enumerate(values))
    pipeline.snapshot(Snapshot(at, samples, {}))
    pipeline.conclude(at)


def test_what_rests_on_a_number_that_lasted_is_over_when_the_number_is_right_again(pipeline):
    made = pipeline(LASTING)
    sample(made, 100.0, 0.0)
    sample(made, 170.0, 0.0)
    assert states(made) == {"domain/web": "open"}
    sample(made, 180.0, 1.0)
    assert states(made) == {"domain/web": "resolved"}


def test_it_is_not_over_while_another_of_its_devices_is_wrong(pipeline):
    made = pipeline(LASTING)
    sample(made, 100.0, 0.0, 0.0)
    sample(made, 170.0, 0.0, 0.0)
    sample(made, 180.0, 1.0, 0.0)
    assert states(made) == {"domain/web": "open"}


def test_a_number_that_may_come_and_go_at_once_ends_nothing(pipeline):
    made = pipeline(FLEETING)
    sample(made, 100.0, 0.0)
    sample(made, 110.0, 1.0)
    assert states(made) == {"domain/web": "open"}
