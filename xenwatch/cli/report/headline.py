"""The first line of a report and its index of root causes: what a person reads before anything else."""

from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import one_line
from xenwatch.cli.report.entries import root_causes, subject_text
from xenwatch.cli.report.format import cut
from xenwatch.cli.report.origin import input_text
from xenwatch.triage.report import Report

_LONGEST_FIRST = 160


def headline(report: Report) -> str:
    """`2 root causes, 1 critical; 11 logs, 33 lines`."""
    return f"{_verdict(report)}{_amount(report)}"


def interruption_text(report: Report) -> str:
    """One sentence on what Ctrl-C left unread; empty where all was read."""
    if report.interrupted is None:
        return ""
    path = input_text(one_line(report.interrupted))
    return f"Interrupted while reading {path}: this report is about what was read so far, and the rest was not read."


def index_lines(report: Report) -> list[tuple[str, str, str]]:
    """Severity, title and subject of each root cause, in the order of their numbers; none where there is only one."""
    causes = root_causes(report)
    lines: list[tuple[str, str, str]] = [
        (c.diagnosis.severity, one_line(c.diagnosis.title), one_line(subject_text(c))) for c in causes
    ]
    return lines if len(lines) > 1 else []


def _verdict(report: Report) -> str:
    causes = root_causes(report)
    if causes:
        critical = sum(cause.diagnosis.severity == "critical" for cause in causes)
        how_many = "critical" if len(causes) == 1 else f"{critical} critical"
        return f"{count_text(len(causes), 'root cause')}{f', {how_many}' if critical else ''}"
    if report.filtered or report.older:
        return "No root cause among those that were asked for"
    if report.unmatched:
        return f"No known failure. {_unread(report)}"
    return "Nothing wrong found" if report.files else "Nothing wrong found; there was no log to read"


def _unread(report: Report) -> str:
    """`3 error lines that no rule knows, first: …`; the host's own lines come before those of guests."""
    first = cut(one_line(report.unmatched[0].text), _LONGEST_FIRST)
    return f"{count_text(report.unread, 'error line')} that no rule knows, first: {first}"


def _amount(report: Report) -> str:
    if not report.files:
        return ""
    lines = sum(file.lines for file in report.files)
    return f"; {count_text(len(report.files), 'log')}, {count_text(lines, 'line')}"
