"""The short memory of numbers: rates from counters, bounded, gaps stay gaps, and drawn without a script."""

import math
import stat
from pathlib import Path

import pytest
from hosts.served import Served, guests_of

from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.web.site.sparkline import sparkline
from xenwatch.web.trend_file import load_trends, save_trends
from xenwatch.web.trends import FORGOTTEN_AFTER, MOST_GUESTS, SPANS, Trend, Trends

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


def test_memory_is_bounded_and_a_guest_that_is_gone_for_a_week_is_forgotten():
    trends, (_, most) = Trends(), SPANS["day"]
    for minute in range(most + 5):
        trends.note(cpu(minute * 60.0, web=float(minute)))
    assert len(trends.of("web")[0].values) == most
    for minute in range(most + 5, most + 6 + FORGOTTEN_AFTER):
        trends.note(cpu(minute * 60.0, db=float(minute)))
    assert trends.of("web", "week") == []
    assert len(trends.of("db", "week")[0].values) == SPANS["week"][1]


def test_for_a_guest_too_many_the_one_not_seen_for_longest_is_forgotten():
    crowd = Trends()
    for minute in range(3):
        crowd.note(cpu(minute * 60.0, **{f"g{n}": float(minute) for n in range(MOST_GUESTS)}))
    for minute in range(3, 6):
        crowd.note(cpu(minute * 60.0, new=float(minute), **{f"g{n}": float(minute) for n in range(1, MOST_GUESTS)}))
    assert crowd.of("new")
    assert not crowd.of("g0")


def test_a_week_has_the_mean_of_ten_minutes():
    trends = Trends()
    for minute in range(31):
        trends.note(cpu(minute * 60.0, web=min(minute, 19) * 30.0))
    (trend,) = trends.of("web", "week")
    assert (list(trend.values), trend.step) == ([0.5, 0.5, 0.0], 600.0)


def test_while_the_agent_was_down_nothing_is_drawn(tmp_path: Path):
    trends = Trends()
    for minute in range(3):
        trends.note(cpu(minute * 60.0, web=minute * 30.0))
    save_trends(*trends.kept(), tmp_path / "trends.bin")
    again = load_trends(tmp_path / "trends.bin")
    again.note(cpu(600.0, web=0.0))
    again.note(cpu(660.0, web=30.0))
    values = list(again.of("web")[0].values)
    assert [None if math.isnan(v) else v for v in values] == [0.5, 0.5, *[None] * 8, 0.5]


@pytest.mark.parametrize("content", [b"", b"{}\n", b"[]\n", b"\xff\xfe", b'{"version":1}\n'])
def test_a_file_that_cannot_be_read_is_an_empty_memory_and_a_warning(tmp_path: Path, content: bytes, caplog):
    file = tmp_path / "trends.bin"
    file.write_bytes(content)
    assert load_trends(file).of("web") == []
    assert "cannot be read" in caplog.text


def test_a_torn_file_is_not_half_believed(tmp_path: Path):
    trends, file = Trends(), tmp_path / "trends.bin"
    for minute in range(3):
        trends.note(cpu(minute * 60.0, web=minute * 30.0))
    save_trends(*trends.kept(), file)
    file.write_bytes(file.read_bytes()[:-2])
    assert load_trends(file).of("web") == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


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
    assert "nothing is remembered yet" in await (await client.get("/guests/web?span=week")).text()
    assert (await client.get("/guests/web?span=<script>")).status == 200
