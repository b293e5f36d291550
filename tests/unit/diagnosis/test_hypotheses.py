"""Hypotheses compete: the first that something supports gives class and cause; nothing is guessed."""

import pytest

from xenwatch.base.errors import RuleError
from xenwatch.diagnosis.correlation.engine import CorrelationEngine
from xenwatch.diagnosis.incidents.tracker import IncidentTracker
from xenwatch.model.event import Event
from xenwatch.model.fact import Fact
from xenwatch.model.subject import HOST, Subject

WEB = Subject("domain", "web")


def _event(kind, at, fields=None, rule="a-rule", subject=WEB):
    return Event(kind, subject, at, fields or {}, None, rule)


@pytest.fixture
def concluded(kit):
    def run(hypotheses, *events, facts=(), more="", **keys):
        rule = kit.one(
            "step failed(?: with (?P<exit>[0-9]+))?(?: errno (?P<errno>[0-9]+))?(?: because (?P<reason>.+))?",
            more=f"subject: domain\ncause: nobody knows\nhypotheses: {hypotheses}\n{more}",
            **keys,
        )
        other = kit.one("the disk is full", name="disk-full")
        return CorrelationEngine([rule, other]).observe(events, facts=facts, now=events[-1].at)

    return run


EXITS = "[{class: tool-missing, where: \"fields.exit == '127'\", cause: 'a program is missing ({exit})'}, {class: disk-full, tell: 'df -h', when: {type: event, event: disk-full}}]"  # noqa: E501


def test_a_number_decides(concluded):
    (found,) = concluded(EXITS, _event("a-rule", 5, {"exit": "127"}))
    assert (found.class_, found.unchecked) == ("tool-missing", ())
    assert found.cause.startswith("a program is missing (127 (NOT_FOUND: a program was not found))")


def test_what_nothing_decides_keeps_the_class_of_the_rule_and_says_how_to_tell(concluded):
    (found,) = concluded(EXITS, _event("a-rule", 5, {"exit": "1"}))
    assert (found.class_, found.cause, found.unchecked) == ("a-class", "nobody knows", ("df -h",))


def test_another_event_of_the_same_subject_decides_and_is_evidence(concluded):
    found = concluded(EXITS, _event("disk-full", 4, rule="disk-full"), _event("a-rule", 5, {"exit": "1"}))
    symptom = next(d for d in found if d.rule == "a-rule")
    assert (symptom.class_, [e.summary for e in symptom.evidence]) == ("disk-full", ["a-rule", "disk-full"])


def test_an_event_that_comes_a_moment_later_decides_as_well(concluded):
    found = concluded(EXITS, _event("a-rule", 5, {"exit": "1"}), _event("disk-full", 6, rule="disk-full"))
    assert [d.class_ for d in found if d.rule == "a-rule"] == ["a-class", "disk-full"]


def test_an_event_of_another_guest_or_of_another_hour_decides_nothing(concluded):
    other = Subject("domain", "mail")
    for decisive in (
        _event("disk-full", 4, rule="disk-full", subject=other),
        _event("disk-full", -4000, rule="disk-full"),
    ):
        found = concluded(EXITS, decisive, _event("a-rule", 5, {"exit": "1"}))
        assert [d.class_ for d in found if d.rule == "a-rule"] == ["a-class"]


def test_an_event_that_only_a_hypothesis_asks_for_raises_nothing_of_itself(concluded):
    assert [d.rule for d in concluded(EXITS, _event("disk-full", 6, rule="disk-full"))] == ["disk-full"]


FULL = "[{class: memory-short, tell: 'xl info', when: {type: fact, fact: memory.free_bytes, check: 'value < 1000'}}]"


@pytest.mark.parametrize(
    ("free", "class_", "unchecked"),
    [(500, "memory-short", ()), (5000, "a-class", ()), (None, "a-class", ("xl info",))],
)
def test_a_fact_supports_or_refutes_and_one_that_is_not_known_does_neither(concluded, free, class_, unchecked):
    facts = [] if free is None else [Fact("memory.free_bytes", HOST, free, 1.0, "xl info")]
    (found,) = concluded(FULL, _event("a-rule", 5), facts=facts)
    assert (found.class_, found.unchecked) == (class_, unchecked)


def test_a_further_fact_that_is_not_known_refutes_nothing(concluded):
    check = "'value < facts[\"memory.need_bytes\"]'"
    short = f"{{type: fact, fact: memory.free_bytes, check: {check}, missing: fail}}"
    facts = [Fact("memory.free_bytes", HOST, 5000, 1.0, "xl info")]
    (found,) = concluded(f"[{{class: memory-short, tell: 'xl info', when: {short}}}]", _event("a-rule", 5), facts=facts)
    assert (found.class_, found.unchecked) == ("a-class", ("xl info",))


def test_a_look_that_decides_gives_its_class_where_its_check_holds(concluded):
    look = "look: [{fact: memory.free_bytes, check: 'value < 1000', says: 'only {value} free', decide: memory-short}]\n"
    for free, class_ in ((500, "memory-short"), (5000, "a-class")):
        facts = [Fact("memory.free_bytes", HOST, free, 1.0, "xl info")]
        (found,) = concluded("[]", _event("a-rule", 5), facts=facts, more=look)
        assert found.class_ == class_


def test_a_number_gives_a_rule_without_a_class_one_and_takes_none_from_a_rule_that_has_one(concluded):
    denied = _event("a-rule", 5, {"reason": "open /x: Permission denied"})
    assert concluded("[]", denied, more="class: unknown\n")[0].class_ == "permission-denied"
    assert concluded("[]", denied)[0].class_ == "a-class"


def test_a_number_that_speaks_for_nothing_leaves_it_unknown(concluded):
    for fields in ({"errno": "22"}, {"exit": "1"}, {"reason": "it is broken"}):
        assert concluded("[]", _event("a-rule", 5, fields), more="class: unknown\n")[0].class_ == "unknown"


def test_the_numbers_are_put_into_words_once(concluded):
    told = concluded("[]", _event("a-rule", 5, {"errno": "28"}))[0].cause
    assert told == "nobody knows It ended with errno 28 (ENOSPC: no space left on device)."
    assert (
        concluded("[]", _event("a-rule", 5, {"errno": "28", "reason": "No space left on device"}))[0].cause
        == "nobody knows"
    )


def test_what_was_decided_once_stays_when_the_line_comes_again_without_it(kit):
    rule = kit.one("step failed", more="hypotheses: [{class: tool-missing, where: \"fields.exit == '127'\"}]\n")
    engine, tracker = CorrelationEngine([rule]), IncidentTracker([rule])
    for at, fields in ((5.0, {"exit": "127"}), (6.0, {"exit": "1"})):
        tracker.apply(engine.observe([_event("a-rule", at, fields, subject=HOST)], now=at), at)
    (incident,) = tracker.all()
    assert (incident.diagnosis.class_, incident.times_seen) == ("tool-missing", 2)


def test_a_hypothesis_that_nothing_could_ever_decide_is_refused(kit):
    with pytest.raises(RuleError, match="needs `where` or `when`"):
        kit.one("step failed", more="hypotheses: [{class: tool-missing}]\n")


def test_a_look_decides_by_its_check_alone(kit):
    with pytest.raises(RuleError, match="needs a `check`"):
        kit.one("step failed", more="look: [{fact: a.b, says: 'x', decide: tool-missing}]\n")
