"""`xenwatch rules`, as its author uses it."""

import json

import pytest
from click.testing import CliRunner

from xenwatch.cli.rules import COMMAND
from xenwatch.diagnosis.ruleset import shipped_rules

LINE = "[2011-05-18 20:55:04 3456] ERROR (XendDomainInfo:99) Could not find bridge device xenbr7 for vif5.0"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(COMMAND, list(words))


@pytest.fixture
def started(run, tmp_path):
    result = run("new", "vif-no-bridge", "--area", "network", "--line", LINE)
    assert result.exit_code == 0, result.output
    return tmp_path / "rules" / "network" / "vif-no-bridge.yaml"


def test_a_pasted_line_becomes_a_rule_that_passes_its_own_tests(run, started):
    text = started.read_text()
    assert r"Could not find bridge device (?P<bridge>[\w.:-]+) for (?P<device>[\w.]+)" in text
    tested = run("test", "rules")
    assert tested.exit_code == 0
    assert "1 rule, 2 tests, 0 failed" in tested.output


def test_a_rule_is_never_overwritten(run, started):
    assert run("new", "vif-no-bridge", "--area", "network", "--line", "other").exit_code != 0
    assert "xenbr7" in started.read_text()


def test_a_failing_test_is_named_with_its_place_and_exit_code_1(run, started):
    started.write_text(started.read_text().replace("expect: [{}]", "expect: []"))
    result = run("test", "rules", "--format", "json")
    assert result.exit_code == 1
    [failed] = [row for row in json.loads(result.output) if not row["ok"]]
    assert "fired unexpectedly" in failed["message"]
    assert failed["line"] > 1


def test_an_unknown_rule_is_wrong_use(run, started):
    assert run("test", "rules", "--rule", "nothing-such").exit_code == 2


def test_lint_says_what_is_missing_and_where(run, started):
    started.write_text(started.read_text().replace("cause:", "impact:"))
    result = run("lint", "rules")
    assert result.exit_code == 1
    assert "vif-no-bridge.yaml" in result.output
    assert "cause: is missing" in result.output


def test_list_and_show_say_what_is_known(run, started):
    [row] = json.loads(run("list", "--rules", "rules", "--format", "json").output)
    assert row["id"] == "vif-no-bridge"
    assert "Looked for" in run("show", "vif-no-bridge", "--rules", "rules").output


def test_explain_tells_a_match_from_a_near_miss(run, started, tmp_path):
    log = tmp_path / "xend.log"
    log.write_text(LINE + "\n")
    fires = run("explain", "vif-no-bridge", "--log", str(log), "--rules", "rules")
    assert fires.exit_code == 0
    assert "'bridge': 'xenbr7'" in fires.output
    log.write_text(LINE.replace("for vif5.0", "at all") + "\n")
    near = run("explain", "vif-no-bridge", "--log", str(log), "--rules", "rules")
    assert near.exit_code == 1
    assert "does not match, though near" in near.output


def test_coverage_lists_unknown_errors_most_frequent_first(run, started, tmp_path):
    log = tmp_path / "xend.log"
    header = LINE.split("Could", maxsplit=1)[0]
    rare, often = header + "Strange thing", header + "Odd thing {}"
    log.write_text("\n".join([LINE, rare, *(often.format(n) for n in range(3)), LINE]) + "\n")
    rows = json.loads(run("coverage", "--log", str(log), "--rules", "rules", "--format", "json").output)
    assert [row["count"] for row in rows] == [3, 1]
    assert "Odd thing 0" in rows[0]["example"]


def test_a_former_id_shows_explains_and_tests_the_rule_that_bore_it(run, tmp_path):
    shown = run("show", "libxl-mem-step")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("libxl-memory-error (")
    assert "The rule libxl-mem-step is now called libxl-memory-error." in shown.stderr
    (tmp_path / "xl.log").write_text("libxl: error: libxl_mem.c:411:libxl__step: Domain 7:quxed the frob: Invalid\n")
    explained = run("explain", "libxl-mem-step", "--log", "xl.log")
    assert explained.stdout.startswith("libxl-memory-error: fires")
    tested = run("test", "--rule", "libxl-mem-step")
    assert "1 rule, 3 tests, 0 failed" in tested.output


def test_an_id_that_no_rule_ever_had_is_an_error(run):
    assert run("show", "libxl-mem-stepp").exit_code != 0


def test_the_areas_are_the_folders_of_the_shipped_rules_and_no_others(run):
    folders = sorted(folder.name for folder in shipped_rules().iterdir() if folder.is_dir())
    refused = run("new", "x", "--area", "no-such-area", "--line", LINE)
    assert refused.exit_code == 2
    assert f"is not one of {', '.join(map(repr, folders))}" in " ".join(refused.stderr.split())
