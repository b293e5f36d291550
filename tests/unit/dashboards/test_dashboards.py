"""The dashboards: as in git, complete, and about metrics that exist."""

import json
import re
from typing import Any

import pytest
from monitoring.names import ROOT, undeclared
from monitoring.scripts import load

build = load(ROOT / "dashboards/build.py")
BOARDS: dict[str, dict[str, Any]] = build.boards()
EXPECTED = {
    "fleet", "host", "domain", "pools", "network", "storage", "control_plane", "logs_and_incidents", "remediation",
    "capacity",
}  # fmt: skip
PANELS = [(name, panel) for name, board in BOARDS.items() for panel in board["panels"] if panel["type"] != "row"]
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def expressions(board: dict[str, Any]) -> list[str]:
    """Every query of a dashboard: of panels and of annotations."""
    targets = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    return targets + [one["expr"] for one in board["annotations"]["list"] if "expr" in one]


def test_every_part_of_a_host_has_its_dashboard():
    assert set(BOARDS) == EXPECTED
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)


def test_the_files_in_git_are_what_the_code_makes():
    assert build.main(["--check"]) == 0, "run: make dashboards"


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=[f"{name}/{panel['title']}" for name, panel in PANELS])
def test_a_panel_has_a_unit_a_data_source_and_says_what_to_do(name: str, panel: dict[str, Any]):
    assert len(panel["description"]) > 5
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == SOURCE
    assert panel["targets"]
    assert all(target["datasource"] == SOURCE for target in panel["targets"])


def test_a_runbook_that_a_panel_names_exists():
    pages = "".join(page.read_text() for page in (ROOT / "docs/runbooks").glob("*.md"))
    named = {word for _, panel in PANELS for word in re.findall(r"\bXen[a-z]*[A-Z]\w+", panel["description"])}
    assert {name for name in named if f"## {name}\n" not in pages} == set()
    assert "XenRaidDegraded" in named


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_a_dashboard_has_variables_links_and_annotations(name: str):
    board = BOARDS[name]
    variables = [variable["name"] for variable in board["templating"]["list"]]
    assert variables == ["datasource", "job", "instance", "domain"][: 4 if name == "domain" else 3]
    assert [link["tags"] for link in board["links"]] == [["xenwatch"]]
    assert "xenwatch" in board["tags"]
    marks = [one["name"] for one in board["annotations"]["list"] if not one.get("builtIn")]
    assert marks == ["Incidents", "Guest restarts", "Remediation"]
    assert board["schemaVersion"] >= 39
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_every_query_is_narrowed_to_the_chosen_hosts_and_names_real_metrics(name: str):
    asked = expressions(BOARDS[name])
    assert undeclared(asked) == set()
    assert all('instance=~"$instance"' in one for one in asked)


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_panels_lie_beside_each_other_and_never_overlap(name: str):
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_rows_and_lines_lead_to_the_host_and_the_guest_they_are_about():
    incidents = next(panel for name, panel in PANELS if name == "fleet" and panel["type"] == "table")
    urls = {
        one["matcher"]["options"]: one["properties"][0]["value"][0]["url"]
        for one in incidents["fieldConfig"]["overrides"]
    }
    assert urls["instance"] == "/d/xenwatch-host?var-instance=${__value.raw}&${__url_time_range}"
    busiest = next(panel for name, panel in PANELS if name == "fleet" and panel["title"] == "Busiest guests")
    [link] = busiest["fieldConfig"]["defaults"]["links"]
    assert link["url"].startswith("/d/xenwatch-domain?var-instance=${__field.labels.instance}&var-domain=")
    uids = {board["uid"] for board in BOARDS.values()}
    assert set(re.findall(r"/d/([\w-]+)", json.dumps(list(BOARDS.values())))) <= uids


def test_nothing_of_an_old_grafana_is_left():
    whole = json.dumps(list(BOARDS.values()))
    assert '"datasource": "' not in whole
    assert ": null" not in whole.replace('"value": null', "")
    for _, panel in PANELS:
        steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
        assert [step["value"] is None for step in steps] == [n == 0 for n in range(len(steps))]
