"""A log without times that says the same a thousand times: all are counted, the first and last lines are shown."""

from pathlib import Path

import pytest

from xenwatch.diagnosis.incidents.evidence import MOST_EVIDENCE
from xenwatch.diagnosis.matching.said_again import EACH_END
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.logs.format import all_formats
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, Position, Source, TimeHint

RULE = """\
id: volume-group-gone
class: storage
title: The volume group {vg} is gone
severity: error
signatures: [{regex: 'Volume group "(?P<vg>\\w+)" not found'}]
subject: domain
"""
OFTEN = """\
id: volume-group-gone
class: storage
title: The volume group {vg} is gone
severity: error
signatures: [{regex: 'Volume group "(?P<vg>\\w+)" not found', event: gone}]
when: {type: count, event: gone, at_least: 3, within: 60s}
"""
LINE = 'Volume group "vg0" not found\n'
MANY = 1000


@pytest.fixture(name="incidents")
def incidents_fixture(kit):
    def incidents(text: str, rule: str = RULE) -> list[Incident]:
        pipeline = Pipeline([kit.rule(rule, "volume-group-gone")], at_rest=True)
        source = Source("/home/me/stderr.log", all_formats()["stderr"])
        hint, half = TimeHint(1_700_000_000.0), text.find("\n", len(text) // 2) + 1
        for start, part in ((0, text[:half]), (half, text[half:])):
            line = text.count("\n", 0, start) + 1
            pipeline.read(Chunk(source, part.encode(), Position("g", start, line), hint, final=start > 0))
        return pipeline.conclude(1_700_000_000.0)

    return incidents


def test_a_thousand_lines_are_counted_and_the_first_and_the_last_are_shown(incidents) -> None:
    [incident] = incidents(LINE * MANY)
    shown = [piece.origin.position.line for piece in incident.diagnosis.evidence]
    half = MOST_EVIDENCE // 2
    assert incident.times_seen == MANY
    assert shown == [*range(1, half + 1), *range(MANY - half + 1, MANY + 1)]


def test_the_pipeline_holds_a_few_events_for_them(kit) -> None:
    pipeline = Pipeline([kit.rule(RULE, "volume-group-gone")], at_rest=True)
    source, hint = Source("/home/me/stderr.log", all_formats()["stderr"]), TimeHint(1_700_000_000.0)
    for start in (0, MANY):
        place = Position("g", start * len(LINE), start + 1)
        pipeline.read(Chunk(source, LINE.encode() * MANY, place, hint))
    assert sum(event.times for event in pipeline.held) == 2 * MANY
    assert len(pipeline.held) < 5 * EACH_END
    assert pipeline.matches == {}
    pipeline.conclude(hint.near)
    assert list(pipeline.matches.values()) == [2 * MANY]


def test_each_line_counts_for_the_guest_that_was_being_started(incidents) -> None:
    story = f"# xl create web.cfg\n{LINE * 300}\n# xl create shop.cfg\n{LINE * 500}"
    assert {i.diagnosis.subject.name: i.times_seen for i in incidents(story)} == {"web": 300, "shop": 500}


def test_a_rule_that_counts_sees_every_line(incidents) -> None:
    [incident] = incidents(LINE * MANY, OFTEN)
    assert incident.times_seen == MANY - 2


def test_lines_with_times_of_their_own_are_all_events(kit) -> None:
    pipeline = Pipeline([kit.rule(RULE, "volume-group-gone")], at_rest=True)
    source, hint = Source("/var/log/syslog", all_formats()["syslog"]), TimeHint(1_700_000_000.0)
    data = f"Jul 14 14:18:02 xen1 lvm: {LINE}".encode() * 300
    pipeline.read(Chunk(source, data, Position("g", 0, 1), hint))
    assert [event.times for event in pipeline.held] == [1] * 300


def test_more_lines_are_events_than_an_incident_shows() -> None:
    assert EACH_END >= MOST_EVIDENCE // 2


def test_what_is_held_over_a_restart_keeps_its_count(kit) -> None:
    rule = kit.rule(RULE, "volume-group-gone")
    pipeline, again = Pipeline([rule], at_rest=True), Pipeline([rule], at_rest=True)
    source, hint = Source(str(Path("/home/me/stderr.log")), all_formats()["stderr"]), TimeHint(1_700_000_000.0)
    pipeline.read(Chunk(source, LINE.encode() * MANY, Position("g", 0, 1), hint))
    pipeline.read(Chunk(source, LINE.encode() * MANY, Position("g", MANY * len(LINE), MANY + 1), hint))
    assert again.restore(pipeline.state(), ()) == []
    assert sum(event.times for event in again.held) == 2 * MANY
