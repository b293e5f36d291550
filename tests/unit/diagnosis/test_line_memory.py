"""A line that says what one said before gives the same diagnosis, from its own record and at its own time."""

from pathlib import Path

from xenwatch.diagnosis.correlation.engine import CorrelationEngine
from xenwatch.diagnosis.incidents.tracker import IncidentTracker
from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.cache import load_library
from xenwatch.logs.format import all_formats
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.model.subject import HOST

RULE = """\
id: volume-group-gone
class: storage
title: The volume group {vg} is gone
severity: error
signatures: [{regex: 'Volume group "(?P<vg>\\w+)" not found'}]
look: [{fact: xen.dom0, says: 'dom0 is {value}'}]
"""


def told(pipeline: Pipeline, line: int) -> Incident:
    data = f'Jul 14 14:18:{line:02} xen1 lvm: Volume group "vg0" not found\n'.encode()
    source = Source("/var/log/syslog", all_formats()["syslog"])
    pipeline.read(Chunk(source, data, Position("g", 1000 * line), TimeHint(1_700_000_000.0), final=True))
    [incident] = pipeline.conclude(1_700_000_000.0)
    return incident


def test_each_line_is_a_sighting_with_a_record_of_its_own(kit) -> None:
    pipeline = Pipeline([kit.rule(RULE, "volume-group-gone")])
    seen = [told(pipeline, line) for line in range(1, 5)]
    assert [incident.times_seen for incident in seen] == [1, 2, 3, 4]
    assert [piece.origin.position.offset for piece in seen[-1].diagnosis.evidence] == [1000, 2000, 3000, 4000]
    assert seen[-1].last_seen - seen[0].last_seen == 3.0


def test_a_fact_that_is_learnt_in_between_is_told_from_then_on(kit) -> None:
    pipeline = Pipeline([kit.rule(RULE, "volume-group-gone")])
    before = told(pipeline, 1)
    pipeline.facts([Fact("xen.dom0", HOST, True, 1_689_000_000.0, "xl info")])
    after = told(pipeline, 2)
    assert before.diagnosis.unchecked == ("xen.dom0 is not known here",)
    assert after.diagnosis.unchecked == ()
    assert any("dom0 is True" in piece.summary for piece in after.diagnosis.evidence)


TWO_LINES = """\
id: volume-group-gone
class: storage
title: The volume group {vg} is gone from {device}
severity: error
signatures: [{regex: 'Volume group "(?P<vg>\\w+)" not found(?: on (?P<device>\\w+))?'}]
subject: host
"""


def test_what_is_only_counted_gives_the_incident_that_each_line_put_in_words_gives(kit) -> None:
    """Lines that say more and less in turn, some of an earlier time, more than the evidence holds."""
    rule, format_ = kit.rule(TWO_LINES, "volume-group-gone"), all_formats()["syslog"]
    said = [(n, " on sdb" * (n % 3 == 0)) for n in range(60)] + [(n, "") for n in range(30, 0, -7)]
    data = "".join(f'Jul 14 14:18:{at % 60:02} xen1 lvm: Volume group "vg0" not found{on}\n' for at, on in said)
    chunk = Chunk(Source("/var/log/syslog", format_), data.encode(), Position("g", 0, 1), TimeHint(1.7e9), final=True)
    events = Scanner([rule]).feed(chunk)
    counted, worded = IncidentTracker([rule], at_rest=True), IncidentTracker([rule], at_rest=True)
    [one] = counted.apply(CorrelationEngine([rule]).sightings(events, now=1.7e9), 1.7e9)
    [other] = worded.apply(CorrelationEngine([rule]).observe(events, now=1.7e9), 1.7e9)
    assert one == other
    assert (one.times_seen, len(one.diagnosis.evidence)) == (65, 40)
    assert one.diagnosis.title == "The volume group vg0 is gone from sdb"


def test_the_short_library_is_the_whole_one_without_what_only_authors_read(tmp_path: Path) -> None:
    rules, kept = tmp_path / "rules", tmp_path / "kept"
    rules.mkdir()
    kept.mkdir(mode=0o700)
    test = "tests: [{given: [{stream: syslog, line: nothing}], expect: []}]\n"
    (rules / "volume-group-gone.yaml").write_text(RULE + test)
    for _ in range(2):  # read, then kept
        [whole], [short] = load_library([rules], kept), load_library([rules], kept, whole=False)
        assert (len(whole.tests), short.tests, dict(short.lines)) == (1, (), {})
        assert (short.signatures, short.look, short.when) == (whole.signatures, whole.look, whole.when)
