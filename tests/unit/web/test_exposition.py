import math
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitoring.tools import tool
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from xenwatch.model.sample import Metric, Sample
from xenwatch.web.renderer import Format, Renderer

CPU = Metric("xen_domain_cpu_seconds_total", "counter", "CPU time of a domain.", ("domain",))
MEMORY = Metric("xen_domain_memory_current_bytes", "gauge", "Memory of a domain.", ("domain",))
STATE = Metric("xen_domain_state", "stateset", "State of a domain.", ("domain", "state"))
INFO = Metric("xen_domain_info", "info", 'Who a domain is; "live" one\nonly, \\o/.', ("domain", "uuid"))
LATENCY = Metric("xen_probe_duration_seconds", "histogram", "How long it took.", ("probe",))
PLAIN = Metric("xen_domains", "gauge", "Domains.")

EVERY_KIND = [
    Sample(CPU, ("web",), 12.5),
    Sample(MEMORY, ("web",), 2.0**31),
    Sample(CPU, ("db",), 1e300),
    Sample(STATE, ("web", "running"), 1.0),
    Sample(STATE, ("web", "paused"), 0.0),
    Sample(INFO, ("web", "5d0a1c4e"), 1.0),
    Sample(LATENCY, ("xs", "0.1"), 1.0),
    Sample(LATENCY, ("xs", "+Inf"), 2.0),
    Sample(LATENCY, ("xs", "sum"), 0.7),
    Sample(LATENCY, ("xs", "count"), 2.0),
    Sample(PLAIN, (), 3),
]


def text_of(samples: list[Sample], format_: Format = "text") -> str:
    return Renderer(format_).render(samples).decode() + ("# EOF\n" if format_ == "openmetrics" else "")


def read_back(samples: list[Sample], format_: Format) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    parse = parse_text if format_ == "text" else parse_openmetrics
    families = list(parse(text_of(samples, format_)))
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


@pytest.mark.parametrize("format_", ["text", "openmetrics"])
def test_prometheus_own_parser_reads_back_every_kind_of_metric(format_: Format):
    found = read_back(EVERY_KIND, format_)
    assert found["xen_domain_cpu_seconds_total", frozenset({("domain", "web")})] == 12.5
    assert found["xen_domain_state", frozenset({("domain", "web"), ("state", "paused")})] == 0
    assert found["xen_domain_info", frozenset({("domain", "web"), ("uuid", "5d0a1c4e")})] == 1
    assert found["xen_probe_duration_seconds_bucket", frozenset({("probe", "xs"), ("le", "+Inf")})] == 2
    assert found["xen_probe_duration_seconds_sum", frozenset({("probe", "xs")})] == 0.7
    assert found["xen_domains", frozenset()] == 3
    assert len(found) == len(EVERY_KIND)


def test_types_and_help_are_what_each_format_calls_them():
    told = {f.name: (f.type, f.documentation) for f in parse_openmetrics(text_of(EVERY_KIND, "openmetrics"))}
    assert told["xen_domain_cpu_seconds"] == ("counter", "CPU time of a domain.")
    assert told["xen_domain"] == ("info", INFO.help)
    assert told["xen_domain_state"][0] == "gauge"
    assert told["xen_probe_duration_seconds"][0] == "histogram"
    plain = text_of(EVERY_KIND)
    assert "# TYPE xen_domain_cpu_seconds_total counter\n" in plain
    assert "# TYPE xen_domain_info gauge\n" in plain
    assert "# TYPE xen_probe_duration_seconds histogram\n" in plain


def test_a_family_stands_together_though_its_samples_came_apart():
    lines = [line.split("{")[0] for line in text_of(EVERY_KIND).splitlines() if not line.startswith("#")]
    assert lines == sorted(lines, key=lines.index)
    assert text_of(EVERY_KIND).count("# TYPE xen_domain_cpu_seconds_total") == 1


def test_the_same_series_twice_is_written_once():
    assert text_of([Sample(PLAIN, (), 1.0), Sample(PLAIN, (), 2.0)]).count("\nxen_domains ") == 1


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"), (1.0, "1"), (-3.0, "-3"), (0.1, "0.1"), (2.0**53, "9007199254740992.0"), (1e300, "1e+300"),
        (math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN"), (7, "7"), (True, "1"),
    ],
)  # fmt: skip
def test_a_number_is_written_as_prometheus_reads_it(value: float, written: str):
    assert text_of([Sample(PLAIN, (), value)]).splitlines()[-1] == f"xen_domains {written}"


def test_a_name_that_is_no_unicode_costs_nobody_else():
    body = Renderer("text").render([Sample(MEMORY, ("\udcff",), 1.0), Sample(MEMORY, ("web",), 2.0)])
    assert b'{domain="?"} 1' in body
    assert b'{domain="web"} 2' in body


def test_a_sample_that_does_not_fit_its_metric_is_a_bug_that_is_named():
    with pytest.raises(ValueError, match="xen_domain_state declares labels"):
        text_of([Sample(STATE, ("web",), 1.0)])


def test_a_second_cycle_has_the_new_numbers_and_only_the_series_that_are_left():
    renderer = Renderer("text")
    renderer.render([Sample(MEMORY, ("web",), 1.0), Sample(MEMORY, ("db",), 1.0)])
    second = renderer.render([Sample(MEMORY, ("db",), 2.0)]).decode()
    assert second.splitlines()[2:] == ['xen_domain_memory_current_bytes{domain="db"} 2']
    assert list(renderer._families["xen_domain_memory_current_bytes"].prefixes) == [("db",)]


names = st.sampled_from([("web",), ("db",)])
few = st.lists(st.builds(Sample, st.sampled_from([MEMORY, CPU]), names, st.integers(0, 1)))


@settings(deadline=None)
@given(st.lists(few, max_size=5))
def test_what_is_kept_from_cycle_to_cycle_changes_nothing_that_is_written(cycles):
    renderer = Renderer()
    for samples in cycles:
        renderer.take(samples)
        for name in ("text", "openmetrics"):
            assert renderer.body(name) == Renderer(name).render(samples)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize("format_", ["text", "openmetrics"])
@given(st.dictionaries(st.tuples(texts, texts), st.floats(allow_nan=False), min_size=1, max_size=5))
def test_any_label_and_number_comes_back_through_prometheus_own_parser(format_: Format, series):
    found = read_back([Sample(STATE, labels, value) for labels, value in series.items()], format_)
    assert found == {
        ("xen_domain_state", frozenset({("domain", d), ("state", s)})): value for (d, s), value in series.items()
    }


def test_promtool_has_nothing_to_say(tmp_path: Path):
    hostile = [Sample(MEMORY, ('a"b\\c\nd\u2603',), 1.0), *EVERY_KIND]
    said = subprocess.run(
        [tool("promtool"), "check", "metrics"],
        input=text_of(hostile).encode(),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, b"", b"")
