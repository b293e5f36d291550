"""Arrays, disks and interfaces fail beside their like: each is a subject, and still a part of the host."""

import pytest

from xenwatch.diagnosis.attribution import subject_of
from xenwatch.diagnosis.authoring.lint import Library, lint
from xenwatch.diagnosis.authoring.testing import RuleTestBench
from xenwatch.diagnosis.correlation.engine import CorrelationEngine
from xenwatch.diagnosis.incidents.tracker import IncidentTracker
from xenwatch.diagnosis.rules.naming import story_name
from xenwatch.diagnosis.rules.rule import Expected, GivenLine, GivenSample
from xenwatch.logs.owner import DeviceModels
from xenwatch.model.record import LogFormat, Source
from xenwatch.model.subject import HOST, Subject

SOURCE = Source("a.log", LogFormat("kernel", ""))


@pytest.mark.parametrize(
    ("fields", "name"), [({"lv": "root", "vg": "vg0"}, "vg0/root"), ({"lv": "root"}, "root"), ({}, "unknown")]
)
def test_the_first_name_whose_fields_were_captured_is_the_subjects(fields, name):
    subject = subject_of("lv", ("{vg}/{lv}", "{lv}"), fields, {}, "", SOURCE)
    assert subject == Subject("lv", name)


@pytest.mark.parametrize(
    "text", ["d7v0 Triple fault", "dom7: no free pirq", "d7: cannot be started", "mm.c:12:d7v1 bad owner"]
)
def test_the_hypervisors_short_names_of_a_domain_are_understood(text):
    assert subject_of("domain", (), {}, {}, text, SOURCE).domid == 7


@pytest.mark.parametrize("text", ["d0v1 tried to change", "sd7: no medium", "d7v0 maps a page of dom9: refused"])
def test_dom0_a_disk_and_two_domains_are_nobody_in_particular(text):
    assert subject_of("domain", (), {}, {}, text, SOURCE).domid is None


def test_two_arrays_that_fail_are_two_incidents(kit):
    rule = kit.one(r"(?P<array>md\d+) lost a disk", more="subject: array\n")
    feeder, tracker = kit.feeder(rule), IncidentTracker([rule])

    events = feeder.feed("[20] ERROR md0 lost a disk\n[21] ERROR md1 lost a disk\n", final=True)
    tracker.apply(CorrelationEngine([rule], feeder.scanner.registry).observe(events, now=30.0), 30.0, events)
    assert {str(i.diagnosis.subject) for i in tracker.all()} == {"array/md0", "array/md1"}


def test_a_disk_explains_what_befalls_the_host_without_reaching_for_every_guest(kit):
    disk = kit.one(r"(?P<device>sd\w) failed", "disk", "subject: device\ndepth: cause\nexplains: [slow]\n")
    slow = kit.one("the host is slow", "slow", "depth: symptom\n")
    other = kit.one(r"(?P<device>sd\w) is slow", "slow-disk", "subject: device\ndepth: symptom\n")

    feeder, tracker = kit.feeder(disk, slow, other), IncidentTracker([disk, slow, other])
    text = "[20] ERROR sda failed\n[21] ERROR the host is slow\n[22] ERROR sdb is slow\n"
    events = feeder.feed(text, final=True)
    engine = CorrelationEngine([disk, slow, other], feeder.scanner.registry)
    tracker.apply(engine.observe(events, now=30.0), 30.0, events)
    explained = {i.diagnosis.rule: i.explained_by is not None for i in tracker.all()}
    assert explained == {"disk": False, "slow": True, "slow-disk": False}
    assert str(HOST) in {str(i.diagnosis.subject) for i in tracker.all()}


def test_a_test_without_a_name_is_called_after_its_story():
    line = GivenLine("kernel", "md/raid1:md3: Disk failure on sdc1, disabling device.")
    expected = Expected("array/md3", {"device": "sdc1"}, "critical")
    told = 'kernel "md/raid1:md3: Disk failure on sdc1, disabling device."'
    assert story_name([line], [expected]) == f"{told}: array/md3, device=sdc1, critical"
    assert story_name([line, GivenSample("xen_up", 0.0)], []) == f"{told} and 1 more: stays quiet"


def test_a_rule_about_guests_is_asked_for_the_guest_in_its_tests(kit):

    tests = "tests: [{given: [{stream: stderr, line: gone}], expect: [%s]}]\n"
    rule = kit.one("gone", more="subject: domain\n" + tests % "{severity: error}")
    named = kit.one("gone", "named", "subject: domain\n" + tests % "{subject: host/dom0}")
    formats = {kit.plain.name: kit.plain}
    library = Library((rule, named), formats, RuleTestBench((rule, named), formats, new_owners=DeviceModels))
    assert [finding.problem.file.stem for finding in lint(library, ["subjects"])] == ["a-rule"]
