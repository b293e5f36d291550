import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenwatch.base.errors import InvalidValue
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.web.exposition import BIG, Exposition, accepts_gzip, negotiate

MEMORY = Metric("xen_domain_memory_current_bytes", "gauge", "Memory of a domain.", ("domain",))


def snapshot(count: int, value: float = 1.0) -> Snapshot:
    return Snapshot(5.0, tuple(Sample(MEMORY, (f"d{n}",), value) for n in range(count)))


async def test_a_scrape_holds_what_was_sampled_and_then_the_agents_own_numbers():
    exposition = Exposition(lambda name: f"own {name}\n".encode())
    await exposition.update(snapshot(1))
    lines = exposition.body("text", gzip=False).decode().splitlines()
    assert lines[-2:] == ['xen_domain_memory_current_bytes{domain="d0"} 1', "own text"]
    assert exposition.body("openmetrics", gzip=False).endswith(b"own openmetrics\n")
    assert (exposition.samples, exposition.at) == (1, 5.0)


def test_before_the_first_cycle_there_are_the_agents_own_numbers():
    assert Exposition(lambda _: b"own\n").body("text", gzip=False) == b"own\n"


@pytest.mark.parametrize("count", [0, 1, 300, BIG + 1])
async def test_the_compressed_answer_is_one_member_that_holds_the_same(count: int):
    exposition = Exposition(lambda _: b"own\n")
    await exposition.update(snapshot(count))
    for name in ("text", "openmetrics"):
        assert gzip.decompress(exposition.body(name, gzip=True)) == exposition.body(name, gzip=False)


async def test_what_is_asked_for_is_made_ready_for_the_next_time_and_nothing_else():
    exposition = Exposition(lambda _: b"own\n")
    await exposition.update(snapshot(1))
    assert exposition._parts == {}
    exposition.body("openmetrics", gzip=True)
    await exposition.update(snapshot(1, 2.0))
    assert list(exposition._parts) == ["openmetrics"]
    assert exposition._parts["openmetrics"].deflated is not None
    assert b'{domain="d0"} 2' in exposition.body("text", gzip=False)


async def test_a_format_that_nobody_asks_for_any_more_is_no_longer_made_and_can_still_be_had():
    exposition = Exposition(lambda _: b"own\n")
    exposition.body("openmetrics", gzip=True)
    for n in range(62):
        await exposition.update(snapshot(1, float(n)))
    assert exposition._parts == {}
    assert b'{domain="d0"} 61' in gzip.decompress(exposition.body("openmetrics", gzip=True))


@given(st.binary(max_size=2000), st.binary(max_size=500))
def test_two_parts_of_any_bytes_are_one_gzip_member(sampled: bytes, own: bytes):
    exposition = Exposition(lambda _: own)
    exposition._renderer.body = lambda _: sampled
    assert gzip.decompress(exposition.body("text", gzip=True)) == sampled + own


def metrics_of() -> dict[str, frozenset[str]]:
    return {"memory": frozenset({MEMORY.name}), "vif": frozenset({"xen_vif_x"})}


async def test_who_asks_for_collectors_gets_their_metrics_alone_and_the_agents_only_where_it_is_named():
    exposition = Exposition(lambda _: b"own\n# EOF\n", metrics_of)
    await exposition.update(snapshot(1))
    line = 'xen_domain_memory_current_bytes{domain="d0"} 1'
    assert exposition.selected("text", ["memory"], gzip=False).decode().splitlines()[2:] == [line]
    assert exposition.selected("text", ["vif"], gzip=False) == b""
    assert exposition.selected("openmetrics", ["vif"], gzip=False) == b"# EOF\n"
    assert exposition.selected("openmetrics", ["agent"], gzip=False) == b"own\n# EOF\n"
    assert gzip.decompress(exposition.selected("text", ["memory", "agent"], gzip=True)).endswith(b"own\n# EOF\n")


def test_a_collector_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(InvalidValue, match="no such collector: weather; there are agent, memory, vif"):
        Exposition(lambda _: b"", metrics_of).selected("text", ["weather"], gzip=False)


PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_TEXT = "text/plain;version=0.0.4;q=0.6,*/*;q=0.5"
PROTOBUF_FIRST = "application/vnd.google.protobuf;encoding=delimited;q=0.6," + PROMETHEUS_2


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        ("", "text"), ("*/*", "text"), (PROMETHEUS_TEXT, "text"), (PROMETHEUS_2, "openmetrics"),
        (PROTOBUF_FIRST, "openmetrics"), ("text/html,application/xhtml+xml,*/*;q=0.8", "text"),
        ("application/openmetrics-text; version=2.0.0", "text"), ("application/openmetrics-text;q=0", "text"),
        ("text/plain, application/openmetrics-text;q=0.3", "text"), ("application/openmetrics-text;q=x", "text"),
        (";;;,,,q=", "text"),
    ],
)  # fmt: skip
def test_the_format_is_the_one_the_scraper_likes_best(accept: str, format_: str):
    assert negotiate(accept) == format_


@pytest.mark.parametrize(
    ("header", "yes"),
    [("gzip", True), ("deflate, gzip;q=0.5", True), ("*", True), ("gzip;q=0", False), ("", False), ("br", False)],
)
def test_gzip_is_used_only_where_it_is_accepted(header: str, yes: bool):
    assert accepts_gzip(header) is yes
