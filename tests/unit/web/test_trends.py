"""The short memory of numbers: rates from counters, bounded, gaps stay gaps, and drawn without a script."""

import math

import pytest
from hosts.served import Served, guests_of

from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.web.site.sparkline import sparkline
from xenwatch.web.trends import MOST_GUESTS, MOST_POINTS, Trend, Trends

CPU = Metric("xen_domain_cpu_seconds_total", "counter", "", ("domain",))
READ = Metric("xen_domain_vbd_read_bytes_total", "counter", "", ("domain", "device"))


def cpu(at: float, **used: float) -> Snapshot:
    return Snapshot(at, tuple(Sample(CPU, (name,), value) for name, value in used.items()))


def test_a_counter_becomes_a_rate_once_a_minute():
    trends = Trends()
    for minute in range(4):
        trends.note(cpu(minute * 60.0, web=minute * 30.0))
        trends.note(cpu(minute * 60.0 + 20, web=9e9))  # within the minute
    (trend,) = trends.of("web")
    assert trend.name == "cpu_seconds"
    assert list(trend.values) == [0.5, 0.5, 0.5]


def test_disks_are_summed_and_a_counter_that_began_again_is_a_gap():
    trends = Trends()
    for minute, (first, second) in enumerate([(0, 0), (600, 600), (0, 0), (600, 0), (1200, 600)]):
        values = {"xvda": float(first), "xvdb": float(second)}
        trends.note(Snapshot(minute * 60.0, tuple(Sample(READ, ("web", d), v) for d, v in values.items())))
    values = list(trends.of("web")[0].values)
    assert [None if math.isnan(v) else v for v in values] == [20.0, None, 10.0, 20.0]


def test_memory_is_bounded_and_a_guest_that_is_gone_is_forgotten():
    trends = Trends()
    for minute in range(MOST_POINTS + 5):
        trends.note(cpu(minute * 60.0, web=float(minute)))
    assert len(trends.of("web")[0].values) == MOST_POINTS
    for minute in range(MOST_POINTS + 5, 2 * MOST_POINTS + 6):
        trends.note(cpu(minute * 60.0, db=float(minute)))
    assert trends.of("web") == []
    crowd = Trends()
    for minute in range(3):
        crowd.note(cpu(minute * 60.0, **{f"g{n}": float(minute) for n in range(MOST_GUESTS + 1)}))
    assert crowd.of("g0")
    assert crowd.of(f"g{MOST_GUESTS}") == []


def test_a_line_has_a_gap_where_nothing_is_known_and_says_itself_in_words():
    line = sparkline(Trend("cpu_seconds", [0.0, 1.0, math.nan, 0.5, 0.25], 0.0))
    assert line.paths == ("M0.0 38.0 L60.0 2.0", "M180.0 20.0 L240.0 29.0")
    assert (line.now, line.highest) == ("25 %", "100 %")
    assert line.label == "CPU over the last 0.1 hours: now 25 %, at most 100 %, at least 0 %"
    assert sparkline(Trend("memory_bytes", [0.0, 0.0], 0.0)).paths


@pytest.mark.parametrize("count", [241, 1440])
def test_a_peak_is_still_there_when_many_points_share_a_pixel(count: int):
    values = [0.0] * count
    values[count // 2] = 1.0
    assert " 2.0" in sparkline(Trend("cpu_seconds", values, 0.0)).paths[0]


async def test_the_page_of_a_guest_draws_what_it_used(served: Served, client):
    served.snapshot = guests_of("web")
    assert "<svg" not in await (await client.get("/guests/web")).text()
    for minute in range(3):
        served.trends.note(cpu(minute * 60.0, web=minute * 30.0))
    page = await (await client.get("/guests/web")).text()
    assert 'aria-label="CPU over the last' in page
