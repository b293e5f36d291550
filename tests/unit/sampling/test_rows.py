"""Samples made many at a time are the samples one would have made one by one."""

from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.rows import KeptRows, row, state_set

READ = Metric("xen_read_total", "counter", "Read.", ("domain",))
WRITTEN = Metric("xen_written_total", "counter", "Written.", ("domain",))
STATE = Metric("xen_state", "stateset", "State.", ("domain", "state"))


def test_a_row_has_a_sample_of_each_metric() -> None:
    found = list(row((READ, WRITTEN), ("web",), (3, 4)))
    assert found == [Sample(READ, ("web",), 3), Sample(WRITTEN, ("web",), 4)]
    assert {type(sample) for sample in found} == {Sample}


def test_a_state_set_has_one_state_that_holds_or_none_that_is_known() -> None:
    held = {s.labels: s.value for s in state_set(STATE, ("web",), ("running", "paused"), "running")}
    assert held == {("web", "running"): 1.0, ("web", "paused"): 0.0}
    assert {s.value for s in state_set(STATE, ("web",), ("running", "paused"), None)} == {0.0}


def test_what_is_the_same_as_before_is_the_very_same_and_what_changed_is_made_anew() -> None:
    kept = KeptRows()
    first = kept.of(("web", "running"), lambda: [Sample(READ, ("web",), 1.0)])
    kept.forget_unused()
    assert kept.of(("web", "running"), list) is first
    assert kept.of(("web", "paused"), list) == ()


def test_what_is_gone_is_forgotten() -> None:
    kept = KeptRows()
    kept.of("web", lambda: [Sample(READ, ("web",), 1.0)])
    kept.forget_unused()
    kept.forget_unused()
    assert kept.of("web", list) == ()
