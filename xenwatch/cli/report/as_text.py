"""The report for a person at 3 a.m.: the most likely root cause first, its evidence, how to verify it, what to type."""

import click

from xenwatch.base.plurals import count_text
from xenwatch.cli.report.format import (
    clock_text,
    cut,
    failure_page,
    place,
    printable,
    repeats_evidence,
    rule_text,
    shortened,
    since_text,
)
from xenwatch.cli.report.gaps import not_checked_text, without_gaps
from xenwatch.cli.report.incident_text import COLOURS, EvidenceText, IncidentText, incident_lines
from xenwatch.cli.report.steps import is_xends, typed
from xenwatch.cli.report.text_sources import source_lines
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.triage.report import Report, log_evidence

_MOST_IN_FULL = 8
"""Root causes that are printed in full; the rest has a line each, for nobody reads fifty pages at 3 a.m."""
_MOST_EVIDENCE = 5
_MOST_CONSEQUENCES = 6
_MOST_SUBJECTS = 3
_LONGEST = 240


def render(report: Report, width: int = 100) -> str:
    """The whole report; colour is left in and click takes it out where there is no terminal."""
    lines: list[str] = []
    causes = [i for i in report.causes if i.diagnosis.severity != "info"]
    notes = [i for i in report.causes if i.diagnosis.severity == "info"]
    for number, cause in enumerate(causes[:_MOST_IN_FULL], 1):
        mark = f"{number}. " if len(causes) > 1 else ""
        lines += [*incident_lines(_incident_text(report, cause), width, mark), ""]
    if further := causes[_MOST_IN_FULL:]:
        lines.append(_bold(f"And {count_text(len(further), 'more root cause')} (--format html shows all)"))
        lines += [*(_note(report, cause, width) for cause in further), ""]
    if not causes:
        where = " in what was read." if report.files else "; there was no log to read."
        lines += [_bold("Nothing wrong found") + where, ""]
    if notes:
        lines += [_bold("Good to know"), *(_note(report, note, width) for note in notes), ""]
    return "\n".join([*lines, *source_lines(report, width)])


def _incident_text(report: Report, incident: Incident) -> IncidentText:
    diagnosis, old = incident.diagnosis, is_xends(report)
    records = [record for _, record in log_evidence(diagnosis.evidence)]
    others = [EvidenceText((e.summary,)) for e in diagnosis.evidence if not isinstance(e.origin, LogRecord)]
    consequences = _consequences(report.explained_by(incident))
    return IncidentText(
        severity=diagnosis.severity,
        title=diagnosis.title,
        subject=f"{diagnosis.subject}{since_text(report, incident)}",
        details=() if repeats_evidence(incident, _MOST_EVIDENCE) else (("summary", diagnosis.summary),),
        cause=without_gaps(diagnosis.cause),
        impact=without_gaps(diagnosis.impact),
        evidence=(*(_excerpt(report, incident, record) for record in records[:_MOST_EVIDENCE]), *others),
        evidence_left_out=len(records[_MOST_EVIDENCE:]),
        consequences=consequences[:_MOST_CONSEQUENCES],
        consequences_left_out=len(consequences[_MOST_CONSEQUENCES:]),
        verify=typed(diagnosis.verify, diagnosis.subject, old=old),
        fix=typed(diagnosis.remedy, diagnosis.subject, old=old),
        not_checked=not_checked_text(diagnosis.unchecked),
        rule=f"{rule_text(diagnosis)}  class {diagnosis.class_}",
        page=failure_page(diagnosis.rule),
    )


def _excerpt(report: Report, incident: Incident, record: LogRecord) -> EvidenceText:
    when = f"  {clock_text(record.at, report.utc_offset)}" if record.logged else ""
    lines = shortened(record.text, 4, incident.diagnosis.fields.values(), _LONGEST)
    return EvidenceText(tuple(lines), f"{place(record)}{when}")


def _consequences(symptoms: tuple[Incident, ...]) -> tuple[str, ...]:
    """Symptoms of one title together: fifty guests on a dead server are one line."""
    subjects: dict[str, list[str]] = {}
    for symptom in symptoms:
        subjects.setdefault(symptom.diagnosis.title, []).append(str(symptom.diagnosis.subject))
    return tuple(f"{title} ({_first(names)})" for title, names in subjects.items())


def _first(subjects: list[str]) -> str:
    more = f" and {len(subjects) - _MOST_SUBJECTS} more" if len(subjects) > _MOST_SUBJECTS else ""
    return f"{', '.join(subjects[:_MOST_SUBJECTS])}{more}"


def _note(report: Report, incident: Incident, width: int) -> str:
    diagnosis = incident.diagnosis
    records = [place(record) for _, record in log_evidence(diagnosis.evidence)]
    where = f"  {click.style(records[0], fg='cyan')}" if records else ""
    severity = click.style(diagnosis.severity, fg=COLOURS[diagnosis.severity])
    mark = "" if diagnosis.severity == "info" else f"{severity}  "
    text = f"{diagnosis.title} ({diagnosis.subject}){since_text(report, incident)}"
    return f"  {mark}{cut(printable(text), max(60, 2 * width))}{where}"


def _bold(text: str) -> str:
    return click.style(text, bold=True)
