"""The report as Markdown, to paste into an issue or a ticket; log text stands in code blocks it cannot break out of."""

import re
from collections.abc import Iterator
from itertools import groupby

from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import is_sentence, one_line, printable
from xenwatch.cli.report.entries import notes, numbered, root_causes, subject_text
from xenwatch.cli.report.format import (
    cut,
    failure_link,
    first_line,
    place,
    record_time,
    rule_text,
    shortened,
    since_text,
    year_note,
)
from xenwatch.cli.report.headline import headline, index_lines, interruption_text
from xenwatch.cli.report.kernel_text import kernel_note
from xenwatch.cli.report.origin import ReportOrigin, origin_rows
from xenwatch.cli.report.toolstack import is_xends
from xenwatch.model.gaps import not_checked_text, without_gaps
from xenwatch.model.headings import CAUSE, CONSEQUENCES, EVIDENCE, FIX, IMPACT, NOT_CHECKED, SUBJECT, VERIFY, Heading
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.model.steps import typed
from xenwatch.triage.report import FileRead, Report, log_evidence


def render(report: Report, *, origin: ReportOrigin | None = None, everything: bool = False) -> str:
    """One section for each incident that no other explains, then what was read; `everything`: for each incident.

    `origin`: on top stand host, time, command and inputs, for a colleague who gets only the report.
    """
    lines = ["# xenwatch diagnose", "", f"**{_plain(headline(report))}**", ""]
    if origin is not None:
        lines += [*(f"- {label}: {_plain(text)}" for label, text in origin_rows(report, origin)), ""]
    if text := interruption_text(report):
        lines += [_plain(text), ""]
    if index := index_lines(report):
        lines += [f"{n}. {severity}: {_plain(title)} ({_plain(subject)})"
                  for n, (severity, title, subject) in enumerate(index, 1)]  # fmt: skip
        lines.append("")
    incidents = [i for _, i in numbered(report)] if everything else [*root_causes(report), *notes(report)]
    for incident in incidents:
        lines += [*_incident(report, incident), ""]
    if report.history and not everything:
        lines += ["## Earlier", ""]
        lines += [f"- {_plain(i.diagnosis.title)} ({_plain(subject_text(i))})" for i in report.history] + [""]
    lines += ["## What was read", ""]
    lines += [f"- {_code(f.path)}: {f.format}, {count_text(f.lines, 'line')}{_year(report, f)}" for f in report.files]
    lines += [f"- {_code(s.path)}: not read: {_plain(s.reason)}" for s in report.skipped]
    lines += [f"- {_plain(s.path)}: not known: {_plain(s.reason)}" for s in report.unasked]
    if report.unmatched:
        lines += ["", "## Error lines that no rule matches", ""]
        lines += [f"- {_code(f'{u.file}:{u.line}')} {_code(cut(first_line(u.text), 400))}" for u in report.unmatched]
    return "\n".join(lines) + "\n"


def _year(report: Report, file: FileRead) -> str:
    return "".join(f"; {_plain(text)}" for text in (year_note(report, file), kernel_note(file)) if text)


def _incident(report: Report, incident: Incident) -> Iterator[str]:
    diagnosis, old = incident.diagnosis, is_xends(report)
    yield f"## {diagnosis.severity.upper()}: {_plain(diagnosis.title)}"
    yield ""
    page = f" · [about this failure]({link})" if (link := failure_link(diagnosis.rule)) else ""
    subject = f"{_bold(SUBJECT)} {_plain(subject_text(incident))}{since_text(report, incident)}"
    yield f"{subject} · class {_code(diagnosis.class_)} · rule {_code(rule_text(diagnosis))}{page}"
    for heading, text in ((CAUSE, diagnosis.cause), (IMPACT, diagnosis.impact)):
        if text:
            yield from ("", f"{_bold(heading)} {_plain(without_gaps(text))}")
    yield from _evidence(report, incident)
    if symptoms := report.explained_by(incident):
        yield from ("", _bold(CONSEQUENCES), "")
        yield from (f"- {_plain(s.diagnosis.title)} ({_plain(s.diagnosis.subject.in_words)})" for s in symptoms)
    for heading, steps in ((VERIFY, diagnosis.verify), (FIX, diagnosis.remedy)):
        if steps:
            yield from ("", _bold(heading), *_steps(typed(steps, diagnosis.subject, old=old)))
    if diagnosis.unchecked:
        yield from ("", f"{_bold(NOT_CHECKED)} {_plain(not_checked_text(diagnosis.unchecked))}")


def _evidence(report: Report, incident: Incident) -> Iterator[str]:
    diagnosis = incident.diagnosis
    if diagnosis.evidence:
        yield from ("", _bold(EVIDENCE), "")
    for _, record in log_evidence(diagnosis.evidence):
        when = f", {time}" if (time := record_time(report, record)) else ""
        yield f"{_code(place(record))}{when}"
        yield from _block(shortened(record.text, 6, diagnosis.fields.values()))
    for piece in diagnosis.evidence:
        if not isinstance(piece.origin, LogRecord):
            yield f"- {_plain(piece.summary)}"


def _bold(heading: Heading) -> str:
    return f"**{heading.title}:**"


def _steps(steps: tuple[str, ...]) -> Iterator[str]:
    for are_sentences, run in groupby(steps, is_sentence):
        group = list(run)
        yield from ("", *(f"- {_plain(step)}" for step in group), "") if are_sentences else _block(group)


def _block(lines: list[str]) -> list[str]:
    longest = max((len(run) for run in re.findall(r"`+", "\n".join(lines))), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, *(printable(line) for line in lines), fence]


def _code(text: str) -> str:
    text = one_line(text)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    mark = "`" * (longest + 1)
    return f"{mark} {text} {mark}" if longest else f"`{text}`"


def _plain(text: str) -> str:
    """Nothing in it is markup, and nobody is called by name (@anna) because a guest wrote so."""
    escaped = re.sub(r"([\\`*_\[\]<>#|~&])", r"\\\1", " ".join(printable(text).split()))
    return escaped.replace("@", "@\u2060")
