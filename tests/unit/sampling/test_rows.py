"""Samples made many at a time are the samples one would have made one by one."""

from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.rows import StateSet, row

READ = Metric("xen_read_total", "counter", "Read.", ("domain",))
WRITTEN = Metric("xen_written_total", "counter", "Written.", ("domain",))
STATE = Metric("xen_state", "stateset", "State.", ("domain", "state"))


def test_a_row_has_a_sample_of_each_metric() -> None:
    found = list(row((READ, WRITTEN), ("web",), (3, 4)))
    assert found == [Sample(READ, ("web",), 3), Sample(WRITTEN, ("web",), 4)]
    assert {type(sample) for sample in found} == {Sample}


def test_a_state_that_holds_on_is_the_very_same_and_one_that_changed_is_not() -> None:
    states = StateSet(STATE, ("running", "paused"))
    first = states.of(("web",), "running")
    assert first == (Sample(STATE, ("web", "running"), 1.0), Sample(STATE, ("web", "paused"), 0.0))
    states.forget_unasked()
    assert states.of(("web",), "running") is first
    assert [sample.value for sample in states.of(("web",), "paused")] == [0.0, 1.0]
    assert [sample.value for sample in states.of(("web",), None)] == [0.0, 0.0]


def test_what_is_gone_is_forgotten() -> None:
    states = StateSet(STATE, ("running",))
    first = states.of(("web",), "running")
    states.forget_unasked()
    states.forget_unasked()
    assert states.of(("web",), "running") is not first
