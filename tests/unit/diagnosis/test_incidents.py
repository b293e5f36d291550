"""The life of an incident, and which explains which."""

from dataclasses import replace

import pytest

from xenwatch.diagnosis.incidents.tracker import IncidentTracker, incident_id
from xenwatch.model.diagnosis import Diagnosis, Evidence
from xenwatch.model.event import Event
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.subject import HOST, Subject

WEB, DB = Subject("domain", "web"), Subject("domain", "db")


def record(text: str, offset: int, path: str = "a.log", *, logged: bool = True) -> LogRecord:
    return LogRecord(Source(path, LogFormat("xend", "")), text, 0.0, logged, Position("g", offset))


@pytest.fixture
def rules(kit):
    def rule(name: str, depth: str, more: str = ""):
        return kit.one(f"{name} text", name, f"depth: {depth}\nclass: {name}-class\nsubject: domain\n{more}")

    return {
        r.id: r
        for r in (
            rule("cause", "cause", "explains: [middle]\nresolve: {quiet_for: 10m, on: [all-well]}\n"),
            rule("middle", "mechanism", "explains: ['class:end-class']\n"),
            rule("end", "symptom"),
            rule("relay", "symptom"),
            rule("other", "cause"),
            rule("common", "cause", "explains: [end]\nreach: host\n"),
        )
    }


@pytest.fixture
def say(rules):
    def diagnosis(rule: str, at: float, subject: Subject = WEB, offset: int | None = None, **kwargs) -> Diagnosis:
        known = rules[rule]
        origin = record(f"{rule} said", int(at) if offset is None else offset, **kwargs)
        evidence = (Evidence(at, f"{rule} said", origin),)
        return Diagnosis(
            rule, known.class_, subject, known.severity, rule, rule, rule, at, depth=known.depth, evidence=evidence
        )

    return diagnosis


@pytest.fixture
def incidents(rules):
    return IncidentTracker(list(rules.values()))


def named(found):
    return {i.diagnosis.rule: i for i in found}


def test_the_same_trouble_is_one_incident(incidents, say):
    [opened] = incidents.apply([say("end", 1)], 1)
    [again] = incidents.apply([say("end", 5)], 5)
    assert (opened.id, opened.times_seen) == (again.id, 1)
    assert (again.times_seen, again.opened, again.last_seen) == (2, 1, 5)


def test_another_subject_is_another_incident(incidents, say):
    assert len(incidents.apply([say("end", 1), say("end", 1, DB)], 1)) == 2


def test_the_id_is_the_same_after_a_restart(incidents, say, rules):
    [first] = incidents.apply([say("end", 1)], 1)
    [second] = IncidentTracker(list(rules.values())).apply([say("end", 99)], 99)
    assert first.id == second.id == incident_id("end", "domain/web")


def test_a_chain_of_symptoms_ends_at_its_root(incidents, say):
    found = named(incidents.apply([say("end", 3), say("middle", 2), say("cause", 1)], 3))
    assert found["cause"].state == "open"
    assert found["middle"].explained_by == found["end"].explained_by == found["cause"].id
    assert {e.summary for e in found["cause"].diagnosis.evidence} == {"cause said", "middle said", "end said"}


def test_a_symptom_that_came_first_is_explained_when_its_cause_turns_up(incidents, say):
    [alone] = incidents.apply([say("middle", 1)], 1)
    assert alone.state == "open"
    found = named(incidents.apply([say("cause", 20)], 20))
    assert found["middle"].state == "explained"


def test_another_guests_cause_explains_nothing(incidents, say):
    found = named(incidents.apply([say("cause", 1, DB), say("middle", 2)], 2))
    assert found["middle"].state == "open"


def test_a_common_cause_explains_the_symptoms_of_all_guests(incidents, say):
    found = incidents.apply([say("common", 1, HOST), say("end", 2), say("end", 3, DB)], 3)
    assert [i.state for i in found if i.diagnosis.rule == "end"] == ["explained", "explained"]


def test_what_lies_outside_the_window_is_not_explained(incidents, say):
    found = named(incidents.apply([say("cause", 1), say("middle", 500)], 500))
    assert found["middle"].state == "open"


def test_without_listing_a_cause_takes_the_symptom_of_its_own_subject(incidents, say):
    found = named(incidents.apply([say("other", 1), say("end", 2)], 2))
    assert found["end"].explained_by == found["other"].id


def test_without_listing_one_record_is_enough_whoever_it_is_about(incidents, say):
    found = named(incidents.apply([say("other", 1, HOST, offset=7), say("end", 1, WEB, offset=7)], 1))
    assert found["end"].explained_by == found["other"].id


def test_a_second_cause_is_never_hidden(incidents, say):
    found = named(incidents.apply([say("cause", 1), say("other", 1)], 1))
    assert {i.state for i in found.values()} == {"open"}


def test_a_listed_cause_is_surer_than_a_nearer_one(incidents, say):
    found = named(incidents.apply([say("cause", 1), say("other", 50), say("middle", 51)], 51))
    assert found["middle"].explained_by == found["cause"].id


def test_in_a_bundle_an_undated_line_may_belong_anywhere(rules, say):
    cause, symptom = say("cause", 1), say("middle", 9000, logged=False)
    live, still = IncidentTracker(list(rules.values())), IncidentTracker(list(rules.values()), at_rest=True)
    assert named(live.apply([cause, symptom], 9000))["middle"].state == "open"
    assert named(still.apply([cause, symptom], 9000))["middle"].state == "explained"


def test_an_undated_line_is_no_younger_than_the_last_change_of_its_log(rules, say):
    days = 3 * 86400
    cause, symptom = say("cause", 1, logged=False), say("middle", days)
    incidents = IncidentTracker(list(rules.values()), at_rest=True)
    assert named(incidents.apply([cause, symptom], days))["middle"].state == "open"


def test_a_symptom_belongs_to_the_cause_that_was_there_when_it_was_seen_last(rules, say):
    later = 9000
    incidents = IncidentTracker(list(rules.values()), at_rest=True)
    found = named(incidents.apply([say("middle", 1), say("end", 1), say("common", later), say("end", later)], later))
    assert found["end"].explained_by == found["common"].id
    assert found["middle"].state == "open"


@pytest.mark.parametrize(("operation", "state"), [("first", "explained"), ("second", "open")])
def test_what_fails_again_without_its_cause_in_another_attempt_stands_alone(rules, say, operation, state):
    def during(diagnosis: Diagnosis, key: str) -> Diagnosis:
        return replace(diagnosis, evidence=tuple(piece._replace(operation=key) for piece in diagnosis.evidence))

    seen = [("cause", 1, "first"), ("middle", 2, "first"), ("middle", 9000, operation)]
    incidents = IncidentTracker(list(rules.values()), at_rest=True)
    found = named(incidents.apply([during(say(rule, at), key) for rule, at, key in seen], 9000))
    assert found["middle"].state == state


def test_quiet_long_enough_is_over(incidents, say):
    incidents.apply([say("cause", 100)], 100)
    assert incidents.apply([], 699) == []
    [over] = incidents.apply([], 700)
    assert (over.state, over.resolved) == ("resolved", 700)


def test_in_a_bundle_nothing_is_over_because_another_log_is_younger(rules, say):
    incidents = IncidentTracker(list(rules.values()), at_rest=True)
    incidents.apply([say("cause", 100)], 100)
    assert incidents.apply([], 100_000) == []


def test_the_event_that_ends_it_ends_it_for_its_subject(incidents, say):
    incidents.apply([say("cause", 100), say("cause", 100, DB)], 100)
    [over] = incidents.apply([], 150, [Event("all-well", WEB, 150)])
    assert (str(over.diagnosis.subject), over.state, over.resolved) == ("domain/web", "resolved", 150)


def test_what_comes_back_is_reopened_with_its_history(incidents, say):
    [first] = incidents.apply([say("cause", 100)], 100)
    incidents.apply([], 5000)
    [again] = incidents.apply([say("cause", 6000)], 6000)
    assert (again.id, again.state, again.resolved, again.opened) == (first.id, "open", None, 100)
    assert again.times_seen == 2


def test_a_symptom_seen_after_its_cause_is_over_stands_alone(incidents, say):
    incidents.apply([say("cause", 100), say("middle", 101)], 101)
    incidents.apply([], 150, [Event("all-well", WEB, 150)])
    changed = named(incidents.apply([say("middle", 400)], 400))
    assert changed["middle"].state == "open"
    assert changed["middle"].explained_by is None


def test_a_circle_of_rules_still_leaves_one_to_show(kit, say):
    a = kit.one("a text", "cause", "explains: [middle]\nsubject: domain\n")
    b = kit.one("b text", "middle", "explains: [cause]\nsubject: domain\n")
    found = IncidentTracker([a, b]).apply([say("cause", 1), say("middle", 1)], 1)
    assert sorted(i.state for i in found) == ["explained", "open"]


def test_causes_come_before_symptoms_and_warnings_that_explain_nothing_come_late(incidents, say):
    warning = replace(say("other", 1, DB), severity="warning")
    note = replace(say("middle", 1, DB), severity="info")
    incidents.apply([say("end", 5), warning, note, say("cause", 9000)], 9000)
    order = [i.diagnosis.rule for i in incidents.all()]
    assert order.index("cause") < order.index("end") < order.index("other") < order.index("middle")


def test_old_incidents_are_forgotten_first_when_there_are_too_many(incidents, say, monkeypatch):
    monkeypatch.setattr("xenwatch.diagnosis.incidents.tracker.MOST_INCIDENTS", 3)
    incidents.apply([say("end", t, Subject("domain", f"vm{t}")) for t in range(10)], 10)
    assert {i.diagnosis.subject.name for i in incidents.all()} == {"vm7", "vm8", "vm9"}


def test_what_is_pushed_out_while_it_is_open_ends_instead_of_staying_open_for_ever(incidents, say, monkeypatch):
    monkeypatch.setattr("xenwatch.diagnosis.incidents.tracker.MOST_INCIDENTS", 3)
    changed = incidents.apply([say("end", t, Subject("domain", f"vm{t}")) for t in range(5)], 10)
    ended = {i.diagnosis.subject.name: i.resolved for i in changed if i.state == "resolved"}
    assert ended == {"vm0": 10, "vm1": 10}
    assert incidents.pushed_out == 2


def test_what_is_over_is_pushed_out_without_another_word(incidents, say, monkeypatch):
    incidents.apply([say("end", 1, Subject("domain", "vm1"))], 1)
    incidents.apply([], 1e9)
    monkeypatch.setattr("xenwatch.diagnosis.incidents.tracker.MOST_INCIDENTS", 1)
    changed = incidents.apply([say("end", 1e9, Subject("domain", "vm2"))], 1e9)
    assert [i.diagnosis.subject.name for i in changed] == ["vm2"]
    assert incidents.pushed_out == 0


def test_a_message_that_passes_on_anothers_words_is_its_symptom(incidents, say):
    inner, outer = say("end", 5, offset=7), say("relay", 5, offset=7)
    found = named(incidents.apply([inner, replace(outer, fields={"reason": "(xend.err 'end text')"})], 5))
    assert found["relay"].explained_by == found["end"].id
    assert found["end"].explained_by is None


def test_a_reason_in_which_the_other_is_not_told_makes_no_symptom(incidents, say):
    inner, outer = say("end", 5, offset=7), say("relay", 5, offset=7)
    found = named(incidents.apply([inner, replace(outer, fields={"reason": "something else"})], 5))
    assert (found["relay"].explained_by, found["end"].explained_by) == (None, None)


def test_a_later_line_that_says_less_wipes_nothing_that_an_earlier_one_captured(incidents, say):
    path = "/dev/vg0/my web"
    full = replace(say("end", 1), fields={"path": path}, title=f"{path} is missing", remedy=(f"ls -l '{path}'",))
    less = replace(say("end", 2), fields={"device": "xvda"}, title="<path> is missing", remedy=("ls -l <path>",))
    [found] = incidents.apply([full, less], 2)
    assert found.diagnosis.fields == {"path": "/dev/vg0/my web", "device": "xvda"}
    assert (found.diagnosis.title, found.diagnosis.remedy) == (full.title, full.remedy)


def test_a_later_line_that_says_something_else_is_believed(incidents, say):
    one, other = (replace(say("end", at), fields={"path": path}, title=path) for at, path in ((1, "/a"), (2, "/b")))
    [found] = incidents.apply([one, other], 2)
    assert (found.diagnosis.title, found.diagnosis.fields) == ("/b", {"path": "/b"})


def test_what_dmesg_repeats_without_a_time_was_last_seen_when_syslog_says(rules, say):
    at_rest = IncidentTracker(list(rules.values()), at_rest=True)
    dated, repeated = say("end", 10, path="syslog"), say("end", 5000, path="dmesg.txt", logged=False)
    for order in ([dated, repeated], [repeated, dated]):
        [found] = IncidentTracker(list(rules.values()), at_rest=True).apply(order, 5000)
        assert (found.opened, found.last_seen) == (10, 10)
    [alone] = at_rest.apply([repeated], 5000)
    assert alone.last_seen == 5000


def test_on_a_running_host_a_line_without_a_time_was_seen_when_it_came(incidents, say):
    [found] = incidents.apply([say("end", 10), say("end", 50, offset=9, logged=False)], 50)
    assert (found.opened, found.last_seen) == (10, 50)
