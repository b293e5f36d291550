"""The report for a person at 3 a.m.: the most likely root cause first, its evidence, how to verify it, what to type."""

import textwrap
from collections.abc import Iterator

import click

from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import printable
from xenwatch.cli.report.entries import notes, numbered, root_causes, subject_text
from xenwatch.cli.report.format import (
    cut,
    failure_page,
    place,
    record_time,
    repeats_evidence,
    rule_text,
    shortened,
    since_text,
)
from xenwatch.cli.report.headline import headline, index_lines, interruption_text
from xenwatch.cli.report.incident_text import COLOURS, EvidenceText, IncidentText, incident_lines
from xenwatch.cli.report.text_sources import source_lines
from xenwatch.cli.report.toolstack import is_xends
from xenwatch.model.gaps import not_checked_text, without_gaps
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.model.steps import typed
from xenwatch.triage.report import Report, log_evidence

_MOST_IN_FULL = 8
"""Root causes that are printed in full; the others stand in the index, for nobody reads fifty pages at 3 a.m."""
_MOST_IN_INDEX = 40
_MOST_EVIDENCE = 5
_MOST_CONSEQUENCES = 6
_MOST_SUBJECTS = 3
_LONGEST = 240
_SHORTEST_TITLE = 30
_LONGEST_SEVERITY = len("CRITICAL")


def render(report: Report, width: int = 80, *, everything: bool = False) -> str:
    """The whole report; colour is left in and click takes it out where there is no terminal.

    `everything`: also in full what is explained, what is only good to know, and the last of many root causes.
    """
    lines = [*_head(report, width), *_index(report, width, everything=everything)]
    causes = root_causes(report)
    if everything:
        lines += incidents_in_full(report, width)
    for number, cause in enumerate(() if everything else causes[:_MOST_IN_FULL], 1):
        mark = f"{number}. " if len(causes) > 1 else ""
        lines += [*incident_lines(_incident_text(report, cause), width, mark), ""]
    if not everything:
        if further := len(causes[_MOST_IN_FULL:]):
            lines += [_bold(f"And {count_text(further, 'more root cause')} (--all shows all of them in full)"), ""]
        lines += [*_earlier(report, width), *_good_to_know(report, width)]
    return "\n".join([*lines, *source_lines(report, width)])


def incidents_in_full(report: Report, width: int) -> Iterator[str]:
    """Every incident, causes, symptoms and notes, with an empty line behind each."""
    for number, incident in numbered(report):
        mark = f"{number}. " if len(report.incidents) > 1 else ""
        yield from (*incident_lines(_incident_text(report, incident), width, mark), "")


def _head(report: Report, width: int) -> list[str]:
    lines = [_bold(line) for line in textwrap.wrap(headline(report), width)]
    interruption = textwrap.wrap(interruption_text(report), width, break_on_hyphens=False)
    return [*lines, *(click.style(line, fg="yellow") for line in interruption)]


def _index(report: Report, width: int, *, everything: bool) -> list[str]:
    """`  1. critical  A title (domain/web)`, a line for each root cause, and an empty line at the end."""
    rows = index_lines(report)
    shown = rows if everything else rows[:_MOST_IN_INDEX]
    digits = len(str(len(rows)))
    lines = []
    for number, (severity, title, subject) in enumerate(shown, 1):
        head = f"  {number:>{digits}}. "
        about = f" ({cut(subject, width // 3)})"
        room = max(_SHORTEST_TITLE, width - len(head) - _LONGEST_SEVERITY - 2 - len(about))
        mark = click.style(severity.upper().ljust(_LONGEST_SEVERITY), fg=COLOURS[severity])
        lines.append(f"{head}{mark}  {cut(title, room)}{about}")
    if left := len(rows) - len(shown):
        lines.append(f"  and {left} more (--all lists them)")
    return [*lines, ""]


def _earlier(report: Report, width: int) -> list[str]:
    """What happened to other guests, or in an earlier attempt, before what the report is about."""
    lines = [line for incident in report.history for line in _note(report, incident, width)]
    return [_bold("Earlier"), *lines, ""] if lines else []


def _good_to_know(report: Report, width: int) -> list[str]:
    lines = [line for note in notes(report) for line in _note(report, note, width)]
    return [_bold("Good to know"), *lines, ""] if lines else []


def _incident_text(report: Report, incident: Incident) -> IncidentText:
    diagnosis, old = incident.diagnosis, is_xends(report)
    records = [record for _, record in log_evidence(diagnosis.evidence)]
    others = [EvidenceText((e.summary,)) for e in diagnosis.evidence if not isinstance(e.origin, LogRecord)]
    consequences = _consequences(report.explained_by(incident))
    return IncidentText(
        severity=diagnosis.severity,
        title=diagnosis.title,
        subject=f"{subject_text(incident)}{since_text(report, incident)}",
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
    when = f"  {time}" if (time := record_time(report, record)) else ""
    lines = shortened(record.text, 4, incident.diagnosis.fields.values(), _LONGEST)
    return EvidenceText(tuple(lines), f"{place(record)}{when}")


def _consequences(symptoms: tuple[Incident, ...]) -> tuple[str, ...]:
    """Symptoms of one title together: fifty guests on a dead server are one line."""
    subjects: dict[str, list[str]] = {}
    for symptom in symptoms:
        subjects.setdefault(symptom.diagnosis.title, []).append(symptom.diagnosis.subject.in_words)
    return tuple(f"{title} ({_first(names)})" for title, names in subjects.items())


def _first(subjects: list[str]) -> str:
    more = f" and {len(subjects) - _MOST_SUBJECTS} more" if len(subjects) > _MOST_SUBJECTS else ""
    return f"{', '.join(subjects[:_MOST_SUBJECTS])}{more}"


def _note(report: Report, incident: Incident, width: int) -> Iterator[str]:
    """The note's title and its first piece of evidence, on one line where there is room."""
    diagnosis = incident.diagnosis
    places = [place(record) for _, record in log_evidence(diagnosis.evidence)]
    text = f"{diagnosis.title} ({diagnosis.subject.in_words}){since_text(report, incident)}"
    lines = textwrap.wrap(printable(text), width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    where = places[0] if places else ""
    if where and len(lines) == 1 and len(lines[0]) + len(where) + 2 <= width:
        yield f"{lines[0]}  {click.style(where, fg='cyan')}"
        return
    yield from lines
    if where:
        yield f"    {click.style(where, fg='cyan')}"


def _bold(text: str) -> str:
    return click.style(text, bold=True)
