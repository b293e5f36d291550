"""The incidents of a report in the order in which people read them, each with its number."""

from collections.abc import Iterator

from xenwatch.model.incident import Incident
from xenwatch.triage.report import Report


def root_causes(report: Report) -> tuple[Incident, ...]:
    """What the report is about: nothing else explains it, and it is more than a note."""
    return tuple(cause for cause in report.causes if cause.diagnosis.severity != "info")


def notes(report: Report) -> tuple[Incident, ...]:
    """What is good to know, with nothing to do about it."""
    return tuple(cause for cause in report.causes if cause.diagnosis.severity == "info")


def numbered(report: Report) -> Iterator[tuple[str, Incident]]:
    """Every incident: each root cause (`1`), then what it explains (`1.1`), the notes, and what came earlier."""
    for number, cause in enumerate((*root_causes(report), *notes(report), *report.history), 1):
        yield str(number), cause
        for index, symptom in enumerate(report.explained_by(cause), 1):
            yield f"{number}.{index}", symptom


def subject_text(incident: Incident) -> str:
    """`domain/web`, or `domain/web, ended` where it is over."""
    ended = ", ended" if incident.state == "resolved" else ""
    return f"{incident.diagnosis.subject.in_words}{ended}"
