"""A check for Nagios, Icinga and Checkmk, of incidents as the API writes them, served over HTTP by the test."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from xenwatch.cli.main import cli
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.web.incident_json import incident_json

Row = dict[str, Any]
"""An incident as the API writes it."""


def incident(
    severity: str, subject: str = "web", title: str = "No bridge | of that name", **more: Any
) -> dict[str, Any]:
    diagnosis = Diagnosis(
        rule="vif-bridge-missing", class_="vif-bridge-missing", subject=Subject("domain", subject), severity=severity,
        title=title, summary="no bridge xenbr7", cause="It was never made.", at=1e9,
    )  # fmt: skip
    return incident_json(Incident("aaa111", diagnosis, more.pop("state", "open"), 1e9, 1e9, **more))


@pytest.fixture
def check(agent: tuple[str, type[Any]]) -> Callable[..., Result]:
    """Runs the check against an agent that has these incidents."""
    url, handler = agent

    def run(incidents: list[Row], *words: str) -> Result:
        handler.answers["/api/v1/incidents?full=1"] = (200, {"incidents": incidents})
        return CliRunner().invoke(cli, ["check-nagios", "--url", url, *words])

    return run


def test_nothing_open_is_ok_with_performance_data(check):
    said = check([incident("error", state="resolved"), incident("info")])
    assert said.exit_code == 0
    assert said.stdout == "XENWATCH OK - no incident is open | critical=0 error=0 warning=0 acknowledged=0\n"


def test_an_error_is_critical_and_no_title_can_forge_performance_data(check):
    said = check([incident("error"), incident("warning", "mail", "A snapshot is nearly full")])
    first, *rest = said.stdout.splitlines()
    assert said.exit_code == 2
    assert first == (
        "XENWATCH CRITICAL - 2 incidents, first: error: No bridge / of that name (domain/web)"
        " | critical=0 error=1 warning=1 acknowledged=0"
    )
    assert rest[1] == "warning: A snapshot is nearly full (domain/mail)"


FROM_CRITICAL = ("--critical", "critical")


@pytest.mark.parametrize(
    ("words", "code"), [((), 2), (FROM_CRITICAL, 1), ((*FROM_CRITICAL, "--warning", "critical"), 0)]
)
def test_the_person_says_from_which_severity_it_warns(check, words: tuple[str, ...], code: int):
    assert check([incident("error")], *words).exit_code == code


def test_what_a_person_takes_care_of_does_not_count_unless_asked_for(check):
    acknowledged = [incident("error", acknowledged_by="anna")]
    assert check(acknowledged).stdout.startswith("XENWATCH OK - no incident is open (1 acknowledged incident) |")
    assert check(acknowledged, "--acknowledged").exit_code == 2


def test_only_the_subject_asked_for_counts(check):
    assert check([incident("error", "mail")], "--only", "domain/web").exit_code == 0
    assert check([incident("error", "mail")], "--only", "domain/mail").exit_code == 2


def test_no_agent_is_unknown_and_not_ok():
    said = CliRunner().invoke(cli, ["check-nagios", "--url", "http://127.0.0.1:1"])
    assert (said.exit_code, said.stdout.startswith("XENWATCH UNKNOWN - no agent answers at")) == (3, True)


def test_a_local_check_of_checkmk_is_one_line_with_its_own_separators(check):
    said = check([incident("error"), incident("warning")], "--checkmk")
    assert said.exit_code == 0
    assert said.stdout == (
        '2 "Xen incidents" critical=0|error=1|warning=1|acknowledged=0'
        " 2 incidents, first: error: No bridge | of that name (domain/web)\n"
    )
