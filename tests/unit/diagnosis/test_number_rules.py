"""Numbers of a thousand guests are judged in slices: nobody waits for all of them, and what follows is the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from xenwatch.diagnosis.correlation import number_rules
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.loader import parse_rule
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.logs.format import all_formats
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.model.sample import Metric, Sample, Snapshot

GUESTS = 1_000
STATE = Metric("xen_domain_state", "stateset", "", ("domain", "state"))
PAUSED = """\
id: paused
class: a-class
title: A title
severity: warning
subject: domain
cause: c
remedy: [r]
when:
  any:
    - {type: metric, metric: xen_domain_state, labels: {state: paused}, check: 'value == 1.0', for: '90s'}
"""
CRASHED = """\
id: crashed
class: b-class
title: A title
severity: error
subject: domain
cause: c
remedy: [r]
signatures: [{streams: [xend], regex: 'Domain has crashed: name=(?P<domain>\\w+)'}]
"""
LINE = b"[2011-05-18 20:55:04 xend 1] WARNING (a:1) Domain has crashed: name=web\n"
AT = 1_305_752_104.0


@pytest.fixture
def rules() -> list[Rule]:
    return [parse_rule(PAUSED, Path("paused.yaml")), parse_rule(CRASHED, Path("crashed.yaml"))]


def snapshot(at: float, *, paused: int) -> Snapshot:
    """Of all guests, the first ones paused."""
    return Snapshot(at, tuple(_samples(paused)), {})


def _samples(paused: int) -> Iterator[Sample]:
    for number in range(GUESTS):
        for state in ("running", "paused"):
            yield Sample(STATE, (f"guest{number}", state), float((state == "paused") == (number < paused)))


def told(pipeline: Pipeline) -> set[tuple[str, str, str]]:
    return {(i.diagnosis.rule, str(i.diagnosis.subject), i.state) for i in pipeline.incidents.all()}


def judge(pipeline: Pipeline, taken: Snapshot) -> int:
    """How many slices it took."""
    return sum(1 for _ in pipeline.judged_in_slices(taken))


def test_a_thousand_guests_take_many_slices_and_the_same_follows(rules: list[Rule]) -> None:
    sliced, whole = Pipeline(rules, prefilter="re"), Pipeline(rules, prefilter="re")
    for at, paused in ((AT, 9), (AT + 100, 9), (AT + 110, 3)):
        taken = snapshot(at, paused=paused)
        assert judge(sliced, taken) > 2 * GUESTS / number_rules.SLICE
        whole.snapshot(taken)
        whole.conclude(at)
        assert told(sliced) == told(whole)
    assert {state for _, _, state in told(sliced)} == {"open", "resolved"}


def test_of_a_thousand_guests_that_are_well_nothing_is_told(rules: list[Rule]) -> None:
    pipeline = Pipeline(rules, prefilter="re")
    for at in (AT, AT + 100):
        judge(pipeline, snapshot(at, paused=0))
    assert told(pipeline) == set()


def test_lines_that_come_between_two_slices_are_told_at_once_and_end_nothing_of_the_numbers(
    rules: list[Rule],
) -> None:
    pipeline = Pipeline(rules, prefilter="re")
    judge(pipeline, snapshot(AT, paused=2))
    slices = pipeline.judged_in_slices(snapshot(AT + 100, paused=2))
    for _ in range(GUESTS // number_rules.SLICE):
        next(slices)
    source = Source("/var/log/xen/xend.log", all_formats()["xend"])
    pipeline.read(Chunk(source, LINE, Position("1", 0, 1), TimeHint(AT)))
    assert [i.diagnosis.rule for i in pipeline.conclude(AT + 100)] == ["crashed"]
    list(slices)
    assert {(rule, state) for rule, _, state in told(pipeline)} == {("crashed", "open"), ("paused", "open")}
