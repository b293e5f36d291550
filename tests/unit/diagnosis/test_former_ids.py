"""A rule that was renamed goes on being found by its former id: in other rules, in stored incidents, in a folder."""

from pathlib import Path

import pytest

from xenwatch.base.errors import RuleError
from xenwatch.diagnosis.correlation.engine import CorrelationEngine
from xenwatch.diagnosis.incidents.tracker import IncidentTracker, incident_id
from xenwatch.diagnosis.rules.loader import load_rules
from xenwatch.diagnosis.rules.rule import AllOf, CountCondition, EventCondition
from xenwatch.diagnosis.ruleset import rules_with, shipped_rules
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject

WEB = Subject("domain", "web")
RENAMED = "class: c\ntitle: T\nseverity: error\nsubject: domain\naliases: [old-name]\nsignatures: [{regex: gone}]\n"


def written(folder: Path, **rules: str) -> Path:
    for name, text in rules.items():
        (folder / f"{name}.yaml").write_text(f"id: {name}\n{text}")
    return folder


def test_what_a_rule_names_by_a_former_id_is_read_as_the_present_one(tmp_path):
    other = (
        "class: c\ntitle: T\nseverity: error\nsignatures: [{regex: other}]\nexplains: [old-name, another]\n"
        "resolve: {on: [old-name]}\nwhen: {all: [{type: event, event: old-name},"
        " {type: count, event: old-name, at_least: 2, within: 1m}]}\n"
    )
    rules = {rule.id: rule for rule in load_rules([written(tmp_path, present=RENAMED, theirs=other)])}
    theirs = rules["theirs"]
    assert theirs.explains == ("present", "another")
    assert theirs.resolve.on == ("present",)
    assert theirs.when == AllOf((EventCondition("present"), CountCondition("present", 2, 60.0)))


def test_a_former_id_belongs_to_one_rule_alone(tmp_path):
    written(tmp_path, present=RENAMED, **{"old-name": RENAMED.replace("aliases: [old-name]\n", "")})
    with pytest.raises(RuleError, match="'old-name' is already used by"):
        load_rules([tmp_path])


def test_a_file_that_replaced_a_shipped_rule_replaces_it_after_it_was_renamed(tmp_path):
    own = "class: c\ntitle: Mine\nseverity: info\nsignatures: [{regex: mine}]\n"
    ids = {rule.id for rule in rules_with([written(tmp_path, **{"libxl-mem-step": own})], None)}
    assert "libxl-mem-step" in ids
    assert "libxl-memory-error" not in ids
    assert "domain-memory-set-failed" in ids


def test_an_own_rule_may_explain_a_shipped_one_by_its_former_id(tmp_path):
    own = "class: c\ntitle: Mine\nseverity: info\nsignatures: [{regex: mine}]\nexplains: [libxl-mem-step]\n"
    rules = {rule.id: rule for rule in rules_with([written(tmp_path, mine=own)], None)}
    assert rules["mine"].explains == ("libxl-memory-error",)


def test_no_former_id_of_a_shipped_rule_is_the_id_of_another():
    rules = load_rules([shipped_rules()])
    assert not {rule.id for rule in rules} & {alias for rule in rules for alias in rule.aliases}


def stored(rule: str, at: float = 10.0) -> Incident:
    diagnosis = Diagnosis(rule, "c", WEB, "error", "T", "gone", "", at)
    return Incident(incident_id(rule, str(WEB)), diagnosis, "open", at, at)


def test_a_stored_incident_of_a_former_id_goes_on_under_the_present_one(kit):
    rule = kit.one("gone", "present", "subject: domain\naliases: [old-name]\nresolve: {on: [well]}\n")
    well = kit.one("fine", "well", "subject: domain\n")
    before = stored("old-name")
    tracker = IncidentTracker([rule, well])
    tracker.restore([before])
    assert [i.diagnosis.rule for i in tracker.all()] == ["present"]

    feeder = kit.feeder(rule, well)
    engine = CorrelationEngine([rule, well], feeder.scanner.registry)
    events = feeder.feed("[20] ERROR gone\n", path="guest-web.log", subject=WEB, final=True)
    tracker.apply(engine.observe(events, now=20.0), 20.0, events)
    [incident] = tracker.all()
    assert (incident.id, incident.times_seen, incident.last_seen) == (before.id, 2, 20.0)

    events = feeder.feed("[30] INFO fine\n", path="guest-web.log", subject=WEB, final=True)
    tracker.apply(engine.observe(events, now=30.0), 30.0, events)
    assert {i.state for i in tracker.all() if i.id == before.id} == {"resolved"}


def test_a_stored_incident_of_a_rule_that_was_not_renamed_stays_as_it_is(kit):
    before = stored("present")
    tracker = IncidentTracker([kit.one("gone", "present", "subject: domain\n")], [before])
    assert tracker.all() == [before]
