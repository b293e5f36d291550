"""Each check of a rule's author finds what it is for, and lets a good rule pass."""

import re

import pytest

from xenwatch.diagnosis.authoring.lint import Library, all_lints, lint
from xenwatch.diagnosis.authoring.testing import RuleTestBench
from xenwatch.logs.owner import DeviceModels

GOOD = (
    "cause: 'no {bridge}'\nremedy: ['add {bridge}']\nreferences: [here]\n"
    "tests:\n"
    "  - {name: fires, given: [{stream: xend, line: '[1] INFO bridge device xenbr7 missing'}], expect: [{}]}\n"
    "  - {name: quiet, given: [{stream: xend, line: '[1] INFO all is well here'}], expect: []}\n"
)
REGEX = r"bridge device (?P<bridge>[\w.]+) missing"


@pytest.fixture
def remarks(kit):
    def run(*rules, only=(), **names):
        formats = {f.name: f for f in (kit.dated, kit.plain, kit.ring, kit.console)}
        found = lint(Library(rules, formats, RuleTestBench(rules, formats, new_owners=DeviceModels), **names), only)
        return [(r.lint, r.problem.message) for r in found]

    return run


def test_a_good_rule_has_no_remarks(kit, remarks):
    rule = kit.one(REGEX, more="status: stable\n" + GOOD)
    assert remarks(rule, actions=frozenset(), metrics=frozenset()) == []


@pytest.mark.parametrize(
    ("regex", "name"),
    [
        (r"\w+ \d+", "scannable"),
        (r"vif\d+", "scannable"),
        (r"gone: (?:(?!no )\w+ )*!", "linear"),
        (r"gone: (?P<first>\w+) (?P=first)!", "linear"),
        (r"the device (?P<device>.*) is gone", "guest_text"),
    ],
)
def test_a_bad_regex_is_found(kit, remarks, regex, name):
    assert name in {found for found, _ in remarks(kit.one(regex, more=GOOD))}


def test_many_plain_captures_are_no_reason_to_worry(kit, remarks):
    regex = r"domain (?P<domain>[\w.+-]{1,60}) has (?:crashed|died) at (?P<address>0x[0-9a-f]+): [^\n]*"
    assert remarks(kit.one(regex), only=("linear", "scannable", "guest_text")) == []


def test_a_guest_may_not_say_who_it_is(kit, remarks):
    rule = kit.one("domain (?P<domain>[a-z]+) panicked", streams=["console"])
    assert "may claim to be any other" in remarks(rule, only=("guest_text",))[0][1]


def test_a_rule_without_tests_lacks_both_kinds(kit, remarks):
    assert [m for _, m in remarks(kit.one(REGEX), only=("tested",))] == [
        "has no test that fires",
        "has no test that stays quiet",
    ]


def test_a_quiet_rule_shows_itself_by_matching(kit, remarks):
    quiet = GOOD.replace("expect: [{}]", "expect: []").replace("cause: 'no {bridge}'", "noise: harmless")
    assert remarks(kit.one(REGEX, more=quiet), only=("tested",)) == []


def test_a_test_that_fails_is_told(kit, remarks):
    rule = kit.one(REGEX, more=GOOD.replace("expect: [{}]", "expect: [{fields: {bridge: xenbr8}}]"))
    assert "expected an incident with {'bridge': 'xenbr8'}" in remarks(rule, only=("tested",))[0][1]


def test_a_signature_that_no_test_shows_is_advice(kit, remarks):
    rule = kit.rule(f"signatures: [{{regex: '{REGEX}'}}, {{regex: 'never shown'}}]\n{GOOD}")
    assert remarks(rule, only=("sampled",)) == [("sampled", "no test has a line that it matches")]
    assert all_lints()["sampled"].weight == "advice"


def test_a_stable_rule_without_sources_is_told(kit, remarks):
    more = "status: stable\n" + GOOD.replace("references: [here]\n", "")
    assert remarks(kit.one(REGEX, more=more), only=("references",))
    assert remarks(kit.one(REGEX, more=more, source="tools/x"), only=("references",)) == []


def test_words_are_filled_from_what_is_captured(kit, remarks):
    rule = kit.one(REGEX, more=GOOD.replace("add {bridge}", "add {brigde}"))
    assert "{brigde} is captured by no signature" in remarks(rule, only=("words",))[0][1]
    rule = kit.one(REGEX, more=GOOD.replace("'add {bridge}'", "\"brctl 'add {bridge}'\""))
    assert "inside quotes" in remarks(rule, only=("words",))[0][1]


def test_names_that_do_not_exist_are_told_with_a_suggestion(kit, remarks):
    more = f"explains: [b-rul]\nactions: [vif_reattach]\n{GOOD}"
    found = remarks(
        kit.one(REGEX, more=more), kit.one("x y z", "b-rule"), only=("names",), actions=frozenset({"other"})
    )
    assert {m for _, m in found} == {
        "nothing is called 'vif_reattach'",
        "nothing is called 'b-rul'; did you mean 'b-rule'?",
    }


def test_two_causes_that_answer_to_one_line_are_told_and_a_listed_symptom_is_not(kit, remarks):
    one, other = kit.one(REGEX, more=GOOD), kit.one("device xenbr7 missing", "b-rule", GOOD)
    assert any("b-rule fires on 'fires' too" in m for _, m in remarks(one, other, only=("overlap",)))
    listed = kit.one(REGEX, more="explains: [b-rule]\n" + GOOD)
    assert remarks(listed, other, only=("overlap",)) == []


def test_one_regex_in_two_rules_is_told(kit, remarks):
    twins = [
        kit.one(REGEX, name, GOOD + f"explains: [{other}]\n") for name, other in (("a-rule", "b"), ("b-rule", "a"))
    ]
    assert any(re.search("also a signature of a-rule", m) for _, m in remarks(*twins, only=("overlap",)))


@pytest.mark.parametrize(
    ("old", "new", "name", "message"),
    [
        ("no {bridge}", "a bridge whose port is gone", "plain_words", "says 'whose'"),
        ("add {bridge}", "ip link set BRIDGE up", "placeholders", "leaves BRIDGE to the operator; write {bridge}"),
    ],
)
def test_words_of_a_rule_are_plain_and_filled_in(kit, remarks, old, new, name, message):
    assert remarks(kit.one(REGEX, more=GOOD), only=(name,)) == []
    assert message in remarks(kit.one(REGEX, more=GOOD.replace(old, new)), only=(name,))[0][1]


def test_a_sentence_holds_for_every_signature(kit, remarks):
    signatures = f"signatures: [{{regex: '{REGEX}'}}, {{regex: 'no bridge given'}}]\n"
    aside = GOOD.replace("no {bridge}", "the bridge ({bridge}) is missing")
    assert remarks(kit.rule(signatures + aside), only=("unfilled",)) == []
    assert "put it into (…)" in remarks(kit.rule(signatures + GOOD), only=("unfilled",))[0][1]


def test_what_a_fact_computes_is_filled_where_each_branch_computes_it(kit, remarks):
    def found(*computes):
        facts = [f"{{type: fact, fact: guest.bridges, check: 'true', compute: {{{compute}}}}}" for compute in computes]
        return remarks(kit.rule(f"when: {{any: [{', '.join(facts)}]}}\n{GOOD}"), only=("unfilled",))

    assert found("bridge: 'value[0]'") == []
    assert "{bridge} is not captured" in found("bridge: 'value[0]'", "other: 'value[0]'")[0][1]


@pytest.mark.parametrize("regex", [r"gone(?: (?P<bridge>\w+))?", r"gone: (?:(?P<bridge>\w+) is|nothing is)"])
def test_what_a_regex_may_leave_out_is_not_always_there(kit, remarks, regex):
    assert remarks(kit.one(regex, more=GOOD), only=("unfilled",)) != []


def test_a_title_agrees_with_the_direction_of_its_messages(kit, remarks):
    def found(title):
        text = "signatures: [{regex: 'cannot attach disk'}, {regex: 'cannot detach disk'}]\n" + GOOD
        return remarks(kit.rule(f"title: {title}\n{text}"), only=("directions",))

    assert found("a disk could not be attached or detached") == []
    assert [message for _, message in found("a disk could not be attached")] == [
        "the title says 'attached', this message the opposite: make the title neutral or move it"
    ]


def test_expressions_use_the_words_that_lines_can_have(kit, remarks):
    def found(where):
        text = f"signatures: [{{regex: 'cannot attach disk'}}]\nhypotheses: [{{class: it, where: '{where}'}}]\n{GOOD}"
        return [message for _, message in remarks(kit.rule(text), only=("line_words",))]

    assert found('device.kind == "pci" && operation.phase in ["make", "unknown"]') == []
    assert found('guest.phase == "bios"')[0].startswith("guest.phase is never 'bios'; it is one of firmware,")
    early = kit.one("cannot attach disk", more=GOOD, where='operation.verb == "create"')
    assert len(remarks(early, only=("line_words",))) == 1
