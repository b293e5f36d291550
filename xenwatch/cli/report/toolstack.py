"""Which toolstack a report is about."""

from xenwatch.logs.format import all_formats
from xenwatch.triage.report import Report


def is_xends(report: Report) -> bool:
    """Whether xm is the tool to use: xend wrote logs or xm answered, and nothing is from xl."""
    formats = [all_formats().get(file.format) for file in report.files]
    commands = {fact.split(" ", 1)[0] for fact in report.facts} | {part.toolstack for part in formats if part}
    return "xm" in commands and "xl" not in commands
