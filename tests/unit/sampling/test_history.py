"""What rules may ask of the recent past."""

from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.sampling.history import History, Point, held, rate

PAUSED = Metric("xen_paused", "gauge", "Whether it is paused", ("domain",))
OTHER = Metric("xen_other", "gauge", "Nobody asks", ())


def at(time: float, **values: float) -> Snapshot:
    samples = [Sample(PAUSED, (name,), value) for name, value in values.items()]
    return Snapshot(time, (*samples, Sample(OTHER, (), 1.0)))


def test_only_what_is_asked_about_is_kept_and_only_for_a_while() -> None:
    history = History(["xen_paused"], span=20)
    for n in range(5):
        history.observe(at(n * 10.0, web=float(n)))
    assert dict(history.series("xen_paused")) == {("web",): [Point(20, 2), Point(30, 3), Point(40, 4)]}
    assert list(history.series("xen_other")) == []


def test_a_series_that_is_gone_is_forgotten() -> None:
    history = History(["xen_paused"])
    history.observe(at(0, web=1, db=1))
    history.observe(at(10, web=1))
    assert [labels for labels, _ in history.series("xen_paused")] == [("web",)]


def test_a_check_holds_only_when_it_held_all_the_time() -> None:
    points = [Point(t, v) for t, v in ((0, 1), (10, 1), (20, 1), (30, 1))]
    assert held(points, lambda value: value == 1, 30)
    assert not held(points, lambda value: value == 1, 31)
    assert not held([*points[:2], Point(20, 0), points[3]], lambda value: value == 1, 30)
    assert held([Point(0, 0), *points[1:]], lambda value: value == 1, 20)
    assert not held([], lambda _value: True, 0)


def test_a_rate_is_per_second_and_survives_a_reset() -> None:
    assert rate([Point(0, 100), Point(10, 120), Point(20, 140)], 60) == 2
    assert rate([Point(0, 1000), Point(10, 5), Point(20, 25)], 60) == 1.25
    assert rate([Point(0, 0), Point(100, 1000), Point(110, 1010)], 10) == 1
    assert rate([Point(0, 1)], 60) is None
