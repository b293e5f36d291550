"""Many incidents at once: what one round costs grows with them and not with their square, and nothing is missed."""

import pytest

from xenwatch.diagnosis.incidents.relations import Relations
from xenwatch.diagnosis.incidents.tracker import IncidentTracker
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.subject import HOST, Subject

GUESTS = 300


@pytest.fixture
def rule(kit):
    return kit.one("the text", "crashed", "depth: cause\nclass: a-class\nsubject: domain\nresolve: {quiet_for: 10m}\n")


def crashed(subject: Subject, at: float = 1.0) -> Diagnosis:
    return Diagnosis("crashed", "a-class", subject, "error", "t", "s", "c", at, depth="cause")


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each pair that is looked at closely."""
    asked, really = [], Relations._told_twice

    def counted(self, named, nameless, rule):
        asked.append(nameless.id)
        return really(self, named, nameless, rule)

    monkeypatch.setattr(Relations, "_told_twice", counted)
    return asked


def test_guests_that_all_have_a_name_are_not_compared_with_each_other(rule, questions) -> None:
    tracker = IncidentTracker([rule])
    tracker.apply([crashed(Subject("domain", f"web{n}")) for n in range(GUESTS)], 1.0)
    assert len(questions) < 3 * GUESTS
    assert {i.state for i in tracker.all()} == {"open"}


def test_one_that_names_no_guest_still_finds_the_one_that_does(rule) -> None:
    tracker = IncidentTracker([rule])
    tracker.apply([crashed(HOST), crashed(Subject("domain", "web"))], 1.0)
    assert {str(i.diagnosis.subject): i.state for i in tracker.all()} == {
        "host/dom0": "explained",
        "domain/web": "open",
    }


def test_a_guests_number_still_finds_its_name_among_many(rule) -> None:
    tracker = IncidentTracker([rule], name_of=lambda domid, _at, _host: f"web{domid}")
    numbered = [crashed(Subject("domain", "7"))]
    tracker.apply(numbered + [crashed(Subject("domain", f"web{n}")) for n in range(GUESTS)], 1.0)
    states = {str(i.diagnosis.subject): i.state for i in tracker.all()}
    assert states.pop("domain/7") == "explained"
    assert set(states.values()) == {"open"}


def test_each_of_many_is_quiet_at_its_own_time(rule) -> None:
    tracker = IncidentTracker([rule])
    for n in range(5):
        tracker.apply([crashed(Subject("domain", f"web{n}"), at=60.0 * n)], 60.0 * n)
    over = {at: [i.diagnosis.subject.name for i in tracker.apply([], at)] for at in (599.0, 600.0, 659.0, 660.0, 900.0)}
    assert over == {599.0: [], 600.0: ["web0"], 659.0: [], 660.0: ["web1"], 900.0: ["web2", "web3", "web4"]}
