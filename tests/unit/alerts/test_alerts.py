"""The alerts: well formed, tested both ways by promtool, documented, and about metrics that exist."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from monitoring.names import ROOT, named_in, undeclared
from monitoring.scripts import load
from monitoring.tools import tool

ALERTS = ROOT / "alerts"
build = load(ALERTS / "build.py")
FILES = build.rule_files()
CASES = sorted((ALERTS / "tests").glob("*.yaml"))
RULES: list[tuple[str, dict[str, Any]]] = list(build.alerts())
ONLY_FIRES = {"XenwatchWatchdog": "it is to fire always: its silence is the alarm"}
SEVERITIES = {"critical", "warning", "info"}


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def expectations() -> list[tuple[str, int]]:
    """(alert, how many are to fire) of every case in the tests."""
    groups = [group for path in CASES for group in yaml.safe_load(path.read_text())["tests"]]
    return [
        (case["alertname"], len(case["exp_alerts"])) for group in groups for case in group.get("alert_rule_test", ())
    ]


def test_prometheus_takes_every_rule_file():
    assert run(tool("promtool"), "check", "rules", *map(str, FILES)).count("SUCCESS") == len(FILES)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_alerts_fire_and_stay_quiet_as_their_tests_say(path: Path):
    assert "SUCCESS" in run(tool("promtool"), "test", "rules", str(path))


def test_every_alert_has_a_test_that_fires_and_one_that_stays_silent():
    cases, names = expectations(), {rule["alert"] for _, rule in RULES}
    assert names - {name for name, count in cases if count} == set()
    assert names - {name for name, count in cases if not count} == set(ONLY_FIRES)


def test_most_cases_assert_silence():
    counts = [count for _, count in expectations()]
    assert counts.count(0) > len(counts) / 2


@pytest.mark.parametrize(("area", "rule"), RULES, ids=[rule["alert"] for _, rule in RULES])
def test_an_alert_says_how_bad_it_is_and_where_to_read_on(area: str, rule: dict[str, Any]):
    words = rule["annotations"]
    assert rule["labels"]["severity"] in SEVERITIES or rule["alert"] in ONLY_FIRES
    assert words["description"].strip()
    if "{{" in words["runbook_url"]:
        assert words["runbook_url"] == "docs/failures/{{ $labels.rule }}.md"
    else:
        assert "{{" not in words["summary"], "a summary is the same for all; values belong into the description"
        headings = re.findall(r"(?m)^## (\w+)$", (ROOT / f"docs/runbooks/{area}.md").read_text())
        assert rule["alert"] in headings


def test_a_diagnosed_failure_leads_to_the_page_made_from_its_rule():
    link = next(rule["annotations"]["runbook_url"] for _, rule in RULES if rule["alert"] == "XenIncident")
    assert (ROOT / link.replace("{{ $labels.rule }}", "raid-degraded")).is_file()


def test_no_runbook_is_about_an_alert_that_is_gone():
    headings = {
        name
        for page in (ROOT / "docs/runbooks").glob("*.md")
        for name in re.findall(r"(?m)^## (Xen\w+)", page.read_text())
    }
    assert headings <= {rule["alert"] for _, rule in RULES}


def test_every_metric_that_a_rule_names_is_declared():
    groups = [group for path in FILES for group in yaml.safe_load(path.read_text())["groups"]]
    expressions = [rule["expr"] for group in groups for rule in group["rules"]]
    assert undeclared(expressions) == set()
    assert named_in('xen_a{b="xen_c"} / on (x) instance:xen_d:ratio > 1') == {"xen_a", "instance:xen_d:ratio"}
    assert undeclared(["rate(xen_invented_total[5m])"]) == {"xen_invented_total"}


def test_runbook_links_and_the_table_of_alerts_are_current():
    assert build.outdated() == [], "run alerts/build.py"


def test_runbooks_can_lie_below_any_address(tmp_path: Path):
    assert build.main(["--base", "https://wiki.example/xen/", "--to", str(tmp_path)]) == 0
    text = (tmp_path / "storage.yaml").read_text()
    assert 'runbook_url: "https://wiki.example/xen/docs/runbooks/storage.md#xenraiddegraded"' in text
    assert 'runbook_url: "docs/' not in text


def test_prometheus_takes_the_example():
    run(tool("promtool"), "check", "config", str(ALERTS / "prometheus.yml"))


def test_alertmanager_takes_the_example():
    run(tool("amtool"), "check-config", str(ALERTS / "alertmanager.yml"))


@pytest.mark.parametrize(
    ("alert", "receivers"),
    [
        ("alertname=XenIncidentCritical severity=critical", "remediation,pages"),
        ("alertname=XenIncident severity=warning", "remediation,tickets"),
        ("alertname=XenIncidentMinor severity=info", "nobody"),
        ("alertname=XenwatchWatchdog severity=none", "dead-man"),
        ("alertname=DiskWillFill severity=warning", "tickets"),
        ("alertname=SomebodyElses severity=critical", "pages"),
    ],
)
def test_pages_tickets_and_remediation_get_what_is_theirs(alert: str, receivers: str):
    config = f"--config.file={ALERTS / 'alertmanager.yml'}"
    assert run(tool("amtool"), "config", "routes", "test", config, *alert.split()).strip() == receivers


def test_inhibitions_name_alerts_that_exist():
    names = [rule["alert"] for _, rule in RULES]
    matchers = [
        matcher
        for rule in yaml.safe_load((ALERTS / "alertmanager.yml").read_text())["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
        if matcher.startswith("alertname")
    ]
    patterns = [re.split(r" (?:=|!=|=~|!~) ", matcher)[1].strip('"') for matcher in matchers]
    assert [
        one for pattern in patterns for one in pattern.split("|") if not any(re.fullmatch(one, n) for n in names)
    ] == []
