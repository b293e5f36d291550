"""How long something has lasted: what was absent in between, or is of another guest by that name, begins at nought."""

from xenwatch.diagnosis.correlation.metric_history import MetricHistory
from xenwatch.diagnosis.rules.rule import MetricCondition
from xenwatch.model.sample import Metric, Sample, Snapshot

STATE = Metric("xen_domain_state", "stateset", "", ("domain", "state"))
INFO = Metric("xen_domain_info", "info", "", ("domain", "uuid", "domid"))
READS = Metric("xen_domain_vbd_read_requests_total", "counter", "", ("domain", "device"))
PAUSED = MetricCondition("xen_domain_state", "value == 1.0", {"state": "paused"}, hold=90.0)
BUSY = MetricCondition("xen_domain_vbd_read_requests_total", "value > 1.0", rate=300.0)


def paused(domid: int = 3) -> list[Sample]:
    return [Sample(STATE, ("web", "paused"), 1.0), Sample(INFO, ("web", "u", str(domid)), 1.0)]


def since(history: MetricHistory, at: float, samples: list[Sample]) -> list[float]:
    readings = history.take([PAUSED], Snapshot(at, tuple(samples), {}))[0]
    return [at - reading.since for reading in readings]


def test_what_is_there_in_every_snapshot_lasts() -> None:
    history = MetricHistory()
    assert [since(history, at, paused()) for at in (0.0, 5.0, 204.0)] == [[0.0], [5.0], [204.0]]


def test_a_guest_that_was_gone_in_between_begins_at_nought() -> None:
    history = MetricHistory()
    since(history, 0.0, paused())
    since(history, 5.0, [])
    assert since(history, 204.0, paused(domid=7)) == [0.0]


def test_a_guest_that_was_replaced_between_two_snapshots_begins_at_nought() -> None:
    history = MetricHistory()
    since(history, 0.0, paused(domid=3))
    assert since(history, 204.0, paused(domid=4)) == [0.0]


def test_what_another_host_has_not_is_no_gap() -> None:
    history = MetricHistory()
    since(history, 0.0, paused())
    history.take([PAUSED], Snapshot(5.0, (), {}, host="xen2"))
    assert since(history, 204.0, paused()) == [204.0]


def test_a_counter_that_was_absent_has_no_rate_until_it_was_read_twice() -> None:
    def rate(at: float, *values: float) -> list[float]:
        samples = tuple(Sample(READS, ("web", "xvda"), value) for value in values)
        return [reading.value for reading in history.take([BUSY], Snapshot(at, samples, {}))[0]]

    history = MetricHistory()
    assert [rate(0.0, 0.0), rate(10.0, 100.0)] == [[], [10.0]]
    assert [rate(20.0), rate(30.0, 900.0), rate(40.0, 950.0)] == [[], [], [5.0]]
