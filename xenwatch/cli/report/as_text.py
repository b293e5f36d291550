"""The report for a person at 3 a.m.: the most likely root cause first, its evidence, how to check it, what to type."""

import textwrap
from collections.abc import Iterator

import click

from xenwatch.agent.report import Report, log_evidence
from xenwatch.base.durations import format_size
from xenwatch.cli.report.words import clock_text, count_text, place, printable, shortened
from xenwatch.model.incident import Incident

_COLOURS = {"critical": "bright_red", "error": "red", "warning": "yellow", "info": "blue"}
_LABEL = 9
_MOST_EVIDENCE = 5
_LONGEST = 240
_MOST_UNMATCHED = 8
_MOST_FILES = 12


def render(report: Report, width: int = 100) -> str:
    """The whole report; colour is left in and click takes it out where there is no terminal."""
    lines: list[str] = []
    causes = [i for i in report.causes if i.diagnosis.severity != "info"]
    notes = [i for i in report.causes if i.diagnosis.severity == "info"]
    for number, cause in enumerate(causes, 1):
        lines += [*_incident(report, cause, width, f"{number}. " if len(causes) > 1 else ""), ""]
    if not causes:
        lines += [click.style("Nothing wrong found", bold=True) + " in what was read:", ""]
    if notes:
        lines += [_heading("Good to know"), *(_note(report, n) for n in notes), ""]
    lines += [*_unmatched(report, width), *_read(report)]
    return "\n".join(lines)


def _incident(report: Report, incident: Incident, width: int, number: str) -> Iterator[str]:
    found, symptoms = incident.diagnosis, report.explained_by(incident)
    mark = click.style(found.severity.upper(), fg=_COLOURS[found.severity], bold=True)
    yield f"{number}{mark}  {click.style(printable(found.title), bold=True)}"
    yield _row("who", printable(str(found.subject)) + _since(report, incident))
    yield from _paragraph("what", found.summary if found.summary != found.title else "", width)
    yield from _paragraph("why", found.cause, width)
    yield from _paragraph("means", found.impact, width)
    yield from _evidence(report, incident)
    for symptom in symptoms:
        yield from _paragraph("hence", f"{symptom.diagnosis.title} ({symptom.diagnosis.subject})", width)
    yield from _steps("check", found.verify, width)
    yield from _steps("do", found.remedy, width)
    for unknown in found.unchecked:
        yield from _paragraph("unknown", unknown, width)
    yield _row("rule", click.style(f"{found.rule}  class {found.class_}", dim=True))


def _since(report: Report, incident: Incident) -> str:
    dated = any(record.logged for _, record in log_evidence(incident.diagnosis.evidence))
    times = f", {count_text(incident.times_seen, 'time')}" if incident.times_seen > 1 else ""
    if not dated:
        return times
    first = clock_text(incident.opened, report.utc_offset)
    last = clock_text(incident.last_seen, report.utc_offset)
    return f", {first}{times}" if first == last else f", {first} to {last}{times}"


def _evidence(report: Report, incident: Incident) -> Iterator[str]:
    pieces = list(log_evidence(incident.diagnosis.evidence))
    for index, (_, record) in enumerate(pieces[:_MOST_EVIDENCE]):
        when = f"  {clock_text(record.at, report.utc_offset)}" if record.logged else ""
        yield _row("seen" if index == 0 else "", click.style(f"{place(record)}{when}", fg="cyan"))
        yield from (
            _row("", f"  {textwrap.shorten(line, _LONGEST, placeholder=' …')}") for line in shortened(record.text, 4)
        )
    if len(pieces) > _MOST_EVIDENCE:
        yield _row("", click.style(f"and {count_text(len(pieces) - _MOST_EVIDENCE, 'more line')}", dim=True))
    others = [e.summary for e in incident.diagnosis.evidence if e.origin is None or not hasattr(e.origin, "text")]
    for index, summary in enumerate(others):
        yield _row("seen" if index == 0 and not pieces else "", printable(summary))


def _note(report: Report, incident: Incident) -> str:
    records = [place(record) for _, record in log_evidence(incident.diagnosis.evidence)]
    where = f"  {click.style(records[0], fg='cyan')}" if records else ""
    return f"  {printable(incident.diagnosis.title)} ({incident.diagnosis.subject}){_since(report, incident)}{where}"


def _unmatched(report: Report, width: int) -> Iterator[str]:
    if not report.unmatched:
        return
    total = sum(u.count for u in report.unmatched)
    yield _heading(f"{count_text(total, 'error line')} that no rule knows (xenwatch rules new turns one into a rule)")
    for unknown in report.unmatched[:_MOST_UNMATCHED]:
        times = f" x{unknown.count}" if unknown.count > 1 else ""
        text = textwrap.shorten(printable(unknown.text), max(40, width - 8), placeholder=" …")
        yield f"  {click.style(f'{unknown.file}:{unknown.line}', fg='cyan')}{times}  {text}"
    if len(report.unmatched) > _MOST_UNMATCHED:
        yield click.style(f"  and {len(report.unmatched) - _MOST_UNMATCHED} more; --format json has all", dim=True)
    yield ""


def _read(report: Report) -> Iterator[str]:
    lines, size = sum(f.lines for f in report.files), sum(f.bytes for f in report.files)
    yield _heading(f"Read {count_text(len(report.files), 'log')}: {count_text(lines, 'line')}, {format_size(size)}")
    for read in report.files[:_MOST_FILES]:
        span = ""
        if read.first is not None and read.last is not None:
            span = f", {clock_text(read.first, report.utc_offset)} to {clock_text(read.last, report.utc_offset)}"
        yield f"  {click.style(read.path, fg='cyan')}  {read.format}, {count_text(read.lines, 'line')}{span}"
    if len(report.files) > _MOST_FILES:
        yield click.style(f"  and {len(report.files) - _MOST_FILES} more; --format json has all", dim=True)
    if report.facts:
        yield f"  facts about the host from: {', '.join(report.facts)}"
    for skipped in report.skipped:
        yield click.style(f"  not read: {skipped.path}: {skipped.reason}", fg="yellow")


def _heading(text: str) -> str:
    return click.style(text, bold=True)


def _row(label: str, text: str) -> str:
    return f"   {click.style(label.rjust(_LABEL - 2), dim=True)}  {text}"


def _paragraph(label: str, text: str, width: int) -> Iterator[str]:
    lines = textwrap.wrap(printable(" ".join(text.split())), max(30, width - _LABEL - 5))
    yield from (_row(label if index == 0 else "", line) for index, line in enumerate(lines))


def _steps(label: str, steps: tuple[str, ...], width: int) -> Iterator[str]:
    """Commands stay on one line each, to be pasted; sentences are wrapped."""
    for index, step in enumerate(steps):
        head = label if index == 0 else ""
        if step[:1].isupper() and " " in step:
            yield from _paragraph(head, step, width)
        else:
            yield _row(head, click.style(printable(step), fg="green"))
