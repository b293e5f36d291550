"""An incident has the same parts under the same headings in every output."""

import json
import re
from dataclasses import replace

import click
import pytest

from xenwatch.cli.report import as_html, as_json, as_markdown, as_text
from xenwatch.cli.report.api_incident import incident_text
from xenwatch.cli.report.incident_text import incident_lines
from xenwatch.model.diagnosis import Diagnosis, Evidence
from xenwatch.model.fact import Fact
from xenwatch.model.headings import HEADINGS
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.sample import Metric, Sample
from xenwatch.model.subject import Subject
from xenwatch.triage.report import Report
from xenwatch.web.incident_json import incident_json

WEB = Subject("domain", "web")
LINE = LogRecord(
    Source("/var/log/xen/xl-web.log", LogFormat("xl", "xl")), "Could not find bridge device xenbr7", 1e9, True,
    Position("g", 0, 7),
)  # fmt: skip
PORTS = Metric("xen_bridge_ports", "gauge", "Ports of a bridge", ("bridge",))
CAUSE = Incident(
    "9c9708c7f606",
    Diagnosis(
        rule="vif-bridge-missing", class_="vif-bridge-missing", subject=WEB, severity="error",
        title="A network interface names a bridge that does not exist", summary="Could not find bridge device xenbr7",
        cause="dom0 has no bridge xenbr7.", impact="The guest is not started.", at=1e9,
        verify=("ip -br link show type bridge",), remedy=("ip link add xenbr7 type bridge", "Make it permanent then."),
        evidence=(
            Evidence(1e9, LINE.text, LINE),
            Evidence(1e9, "xenbr0 has 3 ports", Sample(PORTS, ("xenbr0",), 3.0)),
            Evidence(1e9, "bridges are xenbr0", Fact("bridge.names", WEB, ("xenbr0",), 1e9, "brctl show")),
        ),
        unchecked=("loop.files is not known here",),
    ),
    "open", 1e9, 1e9,
)  # fmt: skip
SYMPTOM = replace(
    CAUSE, id="25f4d7e1ab06", explained_by=CAUSE.id,
    diagnosis=replace(CAUSE.diagnosis, rule="vif-script-failed", title="A hotplug script failed"),
)  # fmt: skip
REPORT = Report((CAUSE, SYMPTOM), ())


def shown(width: int = 100) -> str:
    """As `incidents show` prints it."""
    content = {**incident_json(CAUSE), "explains": [SYMPTOM.id], "history": []}
    return click.unstyle("\n".join(incident_lines(incident_text(content), width)))


@pytest.mark.parametrize("text", [click.unstyle(as_text.render(REPORT)), shown()], ids=["diagnose", "incidents show"])
def test_a_terminal_shows_every_heading_once_and_in_order(text: str):
    labels = "|".join(re.escape(heading.label) for heading in HEADINGS)
    assert re.findall(rf"^  ({labels})  ", text, re.MULTILINE) == [heading.label for heading in HEADINGS]


def test_a_page_and_a_ticket_have_the_same_headings():
    page, ticket = as_html.render(REPORT), as_markdown.render(REPORT)
    assert not [heading.title for heading in HEADINGS if f">{heading.title}" not in page.replace("\n", "")
                and f">{heading.title}:" not in page and f"{heading.title}: <strong>" not in page]  # fmt: skip
    assert not [heading.title for heading in HEADINGS if f"**{heading.title}:**" not in ticket]


def test_a_report_and_a_running_agent_print_a_cause_and_its_steps_alike():
    def rows(text: str) -> list[str]:
        return text[text.index("  cause") : text.index("  consequences")].splitlines()

    assert rows(click.unstyle(as_text.render(REPORT))) == rows(shown())


@pytest.mark.parametrize("width", [80, 100])
def test_sentences_keep_to_the_width_of_the_terminal(width: int):
    assert max(map(len, shown(width).splitlines())) <= width


def test_the_keys_for_programs_are_those_of_the_headings():
    keys = {heading.key for heading in HEADINGS}
    assert keys - {"explains"} <= incident_json(CAUSE).keys()


def test_samples_and_facts_are_evidence_for_programs_too():
    [document, _] = json.loads(as_json.render(REPORT))["incidents"]
    line, sample, fact = document["evidence"]
    assert (line["file"], line["line"], line["text"]) == ("/var/log/xen/xl-web.log", 7, LINE.text)
    assert (sample["metric"], sample["labels"], sample["value"]) == ("xen_bridge_ports", {"bridge": "xenbr0"}, 3.0)
    assert (fact["fact"], fact["value"], fact["origin"]) == ("bridge.names", ["xenbr0"], "brctl show")


def test_a_log_line_that_two_conditions_used_is_one_piece_of_evidence():
    twice = replace(CAUSE, diagnosis=replace(CAUSE.diagnosis, evidence=(Evidence(1e9, "a", LINE),) * 2))
    [document] = json.loads(as_json.render(Report((twice,), ())))["incidents"]
    assert len(document["evidence"]) == 1


@pytest.mark.parametrize(
    ("extra", "words"), [(1, "and 1 more piece of evidence"), (30, "and 30 more pieces of evidence")]
)
def test_evidence_that_is_left_out_is_counted(extra: int, words: str):
    content = incident_json(CAUSE)
    content["evidence"] = content["evidence"][:1] * (10 + extra)
    assert words in click.unstyle("\n".join(incident_lines(incident_text(content), 100)))
