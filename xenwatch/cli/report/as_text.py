"""The report for a person at 3 a.m.: the most likely root cause first, its evidence, how to check it, what to type."""

import textwrap
from collections.abc import Iterator

import click

from xenwatch.cli.report.format import (
    clock_text,
    count_text,
    cut,
    failure_page,
    is_sentence,
    place,
    printable,
    repeats_evidence,
    rule_text,
    shortened,
    since_text,
)
from xenwatch.cli.report.gaps import unknown_text, without_gaps
from xenwatch.cli.report.steps import is_xends, typed
from xenwatch.cli.report.text_sources import what_was_read
from xenwatch.model.incident import Incident
from xenwatch.triage.report import Report, log_evidence

_COLOURS = {"critical": "bright_red", "error": "red", "warning": "yellow", "info": "blue"}
_LABEL = 9
_NARROWEST = 30
_MOST_WHOLE = 8
"""Root causes told in full; the rest has a line each, for nobody reads fifty pages at 3 a.m."""
_MOST_EVIDENCE = 5
_MOST_SYMPTOMS = 6
_LONGEST = 240


def render(report: Report, width: int = 100) -> str:
    """The whole report; colour is left in and click takes it out where there is no terminal."""
    lines: list[str] = []
    causes = [i for i in report.causes if i.diagnosis.severity != "info"]
    notes = [i for i in report.causes if i.diagnosis.severity == "info"]
    for number, cause in enumerate(causes[:_MOST_WHOLE], 1):
        lines += [*_incident(report, cause, width, f"{number}. " if len(causes) > 1 else ""), ""]
    if causes[_MOST_WHOLE:]:
        lines += [_heading(f"And {count_text(len(causes) - _MOST_WHOLE, 'more root cause')} (--format html has all)")]
        lines += [*(_note(report, c, width) for c in causes[_MOST_WHOLE:]), ""]
    if not causes:
        where = " in what was read." if report.files else "; there was no log to read."
        lines += [click.style("Nothing wrong found", bold=True) + where, ""]
    if notes:
        lines += [_heading("Good to know"), *(_note(report, n, width) for n in notes), ""]
    return "\n".join([*lines, *what_was_read(report, width)])


def _incident(report: Report, incident: Incident, width: int, number: str) -> Iterator[str]:
    found = incident.diagnosis
    yield from _title(incident, width, number)
    yield from _paragraph("who", str(found.subject) + since_text(report, incident), width)
    if not repeats_evidence(incident, _MOST_EVIDENCE):
        yield from _paragraph("what", found.summary, width)
    yield from _paragraph("why", without_gaps(found.cause), width)
    yield from _paragraph("means", without_gaps(found.impact), width)
    yield from _evidence(report, incident, width)
    yield from _symptoms(report.explained_by(incident), width)
    yield from _steps("check", typed(found.verify, found.subject, old=is_xends(report)), width)
    yield from _steps("do", typed(found.remedy, found.subject, old=is_xends(report)), width)
    if found.unchecked:
        yield from _paragraph("unknown", unknown_text(found.unchecked), width)
    yield _row("rule", click.style(f"{rule_text(found)}  class {found.class_}", dim=True))
    if page := failure_page(found.rule):
        yield _row("page", click.style(page, dim=True))


def _title(incident: Incident, width: int, number: str) -> Iterator[str]:
    severity = incident.diagnosis.severity
    head = f"{number}{severity.upper()}  "
    mark = number + click.style(severity.upper(), fg=_COLOURS[severity], bold=True) + "  "
    wrapped = textwrap.wrap(printable(incident.diagnosis.title), max(_NARROWEST, width - len(head)))
    for index, line in enumerate(wrapped or [""]):
        yield (mark if index == 0 else " " * len(head)) + click.style(line, bold=True)


def _evidence(report: Report, incident: Incident, width: int) -> Iterator[str]:
    pieces = list(log_evidence(incident.diagnosis.evidence))
    for index, (_, record) in enumerate(pieces[:_MOST_EVIDENCE]):
        when = f"  {clock_text(record.at, report.utc_offset)}" if record.logged else ""
        yield _row("seen" if index == 0 else "", click.style(f"{place(record)}{when}", fg="cyan"))
        for line in shortened(record.text, 4, incident.diagnosis.fields.values(), _LONGEST):
            room = max(_NARROWEST, width - _LABEL - 6)
            yield from (_row("", f"  {part}") for part in textwrap.wrap(line, room, break_on_hyphens=False))
    if len(pieces) > _MOST_EVIDENCE:
        yield _row("", click.style(f"and {count_text(len(pieces) - _MOST_EVIDENCE, 'more line')}", dim=True))
    others = [e.summary for e in incident.diagnosis.evidence if e.origin is None or not hasattr(e.origin, "text")]
    for index, summary in enumerate(others):
        yield from _paragraph("seen" if index == 0 and not pieces else "", summary, width)


def _symptoms(symptoms: tuple[Incident, ...], width: int) -> Iterator[str]:
    """Those of one wording together: fifty guests on a dead server are one line."""
    told: dict[str, list[str]] = {}
    for symptom in symptoms:
        told.setdefault(symptom.diagnosis.title, []).append(str(symptom.diagnosis.subject))
    for index, (title, subjects) in enumerate(list(told.items())[:_MOST_SYMPTOMS]):
        more = f" and {len(subjects) - 3} more" if len(subjects) > 3 else ""  # noqa: PLR2004
        yield from _paragraph("hence" if index == 0 else "", f"{title} ({', '.join(subjects[:3])}{more})", width)
    if len(told) > _MOST_SYMPTOMS:
        yield _row("", click.style(f"and {count_text(len(told) - _MOST_SYMPTOMS, 'more symptom')}", dim=True))


def _note(report: Report, incident: Incident, width: int) -> str:
    found = incident.diagnosis
    records = [place(record) for _, record in log_evidence(found.evidence)]
    where = f"  {click.style(records[0], fg='cyan')}" if records else ""
    mark = "" if found.severity == "info" else f"{click.style(found.severity, fg=_COLOURS[found.severity])}  "
    text = f"{found.title} ({found.subject}){since_text(report, incident)}"
    return f"  {mark}{cut(printable(text), max(60, 2 * width))}{where}"


def _heading(text: str) -> str:
    return click.style(text, bold=True)


def _row(label: str, text: str) -> str:
    return f"   {click.style(label.rjust(_LABEL - 2), dim=True)}  {text}"


def _paragraph(label: str, text: str, width: int, dash: str = "") -> Iterator[str]:
    lines = textwrap.wrap(
        printable(" ".join(text.split())), max(_NARROWEST, width - _LABEL - 5), break_on_hyphens=False,
        initial_indent=dash, subsequent_indent=" " * len(dash),
    )  # fmt: skip
    yield from (_row(label if index == 0 else "", line) for index, line in enumerate(lines))


def _steps(label: str, steps: tuple[str, ...], width: int) -> Iterator[str]:
    """Commands stay on one line each, to be pasted; sentences are wrapped, a dash tells where each begins."""
    dash = "- " if len(steps) > 1 else ""
    for index, step in enumerate(steps):
        head = label if index == 0 else ""
        if is_sentence(step):
            yield from _paragraph(head, step, width, dash=dash)
        else:
            yield _row(head, click.style(printable(step), fg="green"))
