"""The first lines of a report say how much is wrong and how much was read; nothing is wider than 80 columns."""

from dataclasses import replace

import click
import pytest

from xenwatch.cli.report import as_html, as_markdown, as_text
from xenwatch.cli.report.headline import headline
from xenwatch.cli.report.incident_table import table
from xenwatch.cli.report.origin import ReportOrigin, origin_rows
from xenwatch.model.diagnosis import Diagnosis, Evidence, Severity
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.subject import Subject
from xenwatch.triage.report import FileRead, Report

PATH = "/var/log/syslog"
LINE = LogRecord(
    Source(PATH, LogFormat("syslog", "syslog")), "md/raid1:md0: Disk failure on sdb1", 1795384503.0, True,
    Position("g", 0, 7),
)  # fmt: skip


def incident(ident: str, severity: Severity, subject: str, title: str = "A disk of an array failed") -> Incident:
    diagnosis = Diagnosis(
        rule="raid-degraded", class_="raid-degraded", subject=Subject("domain", subject), severity=severity,
        title=title, summary=LINE.text, cause="A disk broke.", at=LINE.at,
        evidence=(Evidence(LINE.at, LINE.text, LINE),),
    )  # fmt: skip
    return Incident(ident, diagnosis, "open", LINE.at, LINE.at)


FILES = (FileRead(PATH, "syslog", 30, 2048, LINE.at, LINE.at), FileRead("/var/log/xen/xl-web.log", "xl", 3, 99))
TWO = Report((incident("a", "error", "web"), incident("b", "critical", "mail")), FILES)


def text(report: Report, width: int = 80, *, everything: bool = False) -> str:
    return click.unstyle(as_text.render(report, width, everything=everything))


def test_the_headline_counts_causes_logs_and_lines():
    assert headline(TWO) == "2 root causes, 1 critical; 2 logs, 33 lines"
    assert headline(Report(TWO.incidents[:1], FILES)) == "1 root cause; 2 logs, 33 lines"
    assert headline(Report(TWO.incidents[1:], FILES[1:])) == "1 root cause, critical; 1 log, 3 lines"


def test_where_nothing_is_wrong_the_headline_says_so_and_what_was_read():
    assert headline(Report((), FILES)) == "Nothing wrong found; 2 logs, 33 lines"
    assert headline(Report((incident("a", "info", "web"),), FILES)).startswith("Nothing wrong found")
    assert headline(Report((), ())) == "Nothing wrong found; there was no log to read"


def test_what_was_left_out_is_not_called_nothing_wrong():
    assert headline(Report((), FILES, older=3)).startswith("No root cause among those that were asked for")
    assert headline(TWO.only(["domain/other"])).startswith("No root cause among those that were asked for")


def test_the_index_has_number_severity_title_and_subject_of_each_cause_before_the_first_in_full():
    assert text(TWO).splitlines()[:5] == [
        "2 root causes, 1 critical; 2 logs, 33 lines",
        "  1. ERROR     A disk of an array failed (domain/web)",
        "  2. CRITICAL  A disk of an array failed (domain/mail)",
        "",
        "1. ERROR  A disk of an array failed",
    ]


def test_one_cause_needs_no_index():
    assert text(Report(TWO.incidents[:1], FILES)).splitlines()[2] == "ERROR  A disk of an array failed"


def test_what_is_over_is_marked_as_ended():
    report = Report((replace(TWO.incidents[0], state="resolved"), TWO.incidents[1]), FILES)
    assert "(domain/web, ended)" in text(report)
    assert "(domain/mail)" in text(report)


def test_notes_are_a_line_each_and_in_full_where_everything_is_asked_for():
    report = Report((*TWO.incidents, incident("c", "info", "db", "A guest was started")), FILES)
    assert "INFO" not in text(report)
    assert "Good to know\n  A guest was started (domain/db)" in text(report)
    assert "3. INFO  A guest was started" in text(report, everything=True)


@pytest.mark.parametrize("everything", [False, True])
def test_nothing_is_wider_than_80_columns_but_what_is_to_be_pasted(everything: bool):
    long = incident("c", "warning", "a-guest-with-a-name-that-is-longer-than-most-names-are", "A title of words " * 8)
    note = incident("d", "info", "db", "A note of many words " * 8)
    files = (*FILES, FileRead("/var/log/some/where/deep/down/in/a/folder/of/logs.log", "xend", 1, 1, 1.7e9, 1.8e9))
    report = Report((*TWO.incidents, long, note), files, years_assumed=frozenset({PATH}), interrupted=PATH)
    assert [line for line in text(report, everything=everything).splitlines() if len(line) > 80] == []


def test_an_interrupted_report_says_so_before_anything_is_concluded():
    report = replace(TWO, interrupted="/var/log/xen/console.log")
    said = "Interrupted while reading /var/log/xen/console.log"
    assert said in text(report).splitlines()[1]
    assert said in as_html.render(report)
    assert said in as_markdown.render(report).replace("\\", "")
    assert "Interrupted" not in text(TWO) + as_html.render(TWO) + as_markdown.render(TWO)


def test_a_year_that_no_log_says_is_not_printed_as_a_fact():
    assumed = replace(TWO, years_assumed=frozenset({PATH}))
    assert "the log says no year; 2026 is assumed" in " ".join(text(assumed).split())
    assert "Nov 22 21:55:03" in text(assumed)
    assert "2026-11-22" not in text(assumed) + as_html.render(assumed) + as_markdown.render(assumed)
    assert "the log says no year; 2026 is assumed" in as_html.render(assumed)
    assert "the log says no year; 2026 is assumed" in as_markdown.render(assumed)


def test_a_year_that_the_log_says_is_printed():
    assert "2026-11-22 21:55:03" in text(TWO)
    assert "no year" not in text(TWO) + as_html.render(TWO) + as_markdown.render(TWO)


def test_a_page_for_a_ticket_begins_with_host_time_command_and_inputs():
    report = replace(TWO, hosts=("xen1",))
    origin = ReportOrigin(1795384503.0, ("diagnose", "my logs", "--format", "html"), ("my logs",))
    page = as_html.render(report, origin=origin)
    assert origin_rows(report, origin) == [
        ("Host", "xen1"),
        ("Made", "2026-11-22 21:55:03 (UTC)"),
        ("Command", "xenwatch diagnose 'my logs' --format html"),
        ("Inputs", "my logs"),
    ]
    assert page.index("<dt>Host</dt><dd>xen1</dd>") < page.index("<main>")
    live = ReportOrigin(1795384503.0, ("diagnose", "--live"), (), live=True)
    assert origin_rows(replace(report, utc_offset=7200.0), live)[1:] == [
        ("Made", "2026-11-22 23:55:03 (UTC+02:00)"),
        ("Command", "xenwatch diagnose --live"),
        ("Inputs", "this host, asked live"),
    ]


ROW = {
    "id": "9c9708c7f606", "severity": "critical", "state": "resolved", "acknowledged_by": "anna", "explained_by": None,
    "title": "A guest's network interface names a bridge that does not exist on this host at all, said at length",
    "subject": {"kind": "domain", "name": "a-guest-with-a-long-name.example.org"}, "last_seen": "2026-01-01T00:00:00Z",
}  # fmt: skip


def test_the_list_of_incidents_fits_in_80_columns_and_gives_a_title_its_own_line():
    lines = click.unstyle("\n".join(table([ROW, ROW], 80))).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) == 5
    assert lines[1].startswith("9c9708c7f606  critical  resolved (ack)  domain/a-guest")
    assert lines[2].startswith("    A guest's network interface names a bridge that does not exist")


def test_on_a_wide_terminal_an_incident_is_one_line():
    lines = click.unstyle("\n".join(table([ROW, ROW], 120))).splitlines()
    assert len(lines) == 3
    assert max(map(len, lines)) <= 120
