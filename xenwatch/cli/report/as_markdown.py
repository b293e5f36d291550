"""The report as Markdown, to paste into an issue or a ticket; log text stands in code blocks it cannot break out of."""

import re
from collections.abc import Iterator
from itertools import groupby

from xenwatch.cli.report.format import (
    clock_text,
    count_text,
    cut,
    failure_link,
    first_line,
    is_sentence,
    one_line,
    place,
    printable,
    rule_text,
    shortened,
    since_text,
)
from xenwatch.cli.report.gaps import unknown_text, without_gaps
from xenwatch.cli.report.steps import is_xends, typed
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.triage.report import Report, log_evidence


def render(report: Report) -> str:
    """One section an incident nobody else explains, then what was read."""
    lines = ["# xenwatch diagnose", ""]
    if not report.causes:
        lines += ["Nothing wrong found.", ""]
    for cause in report.causes:
        lines += [*_incident(report, cause), ""]
    lines += ["## What was read", ""]
    lines += [f"- {_code(f.path)}: {f.format}, {count_text(f.lines, 'line')}" for f in report.files]
    lines += [f"- {_code(s.path)}: not read: {_plain(s.reason)}" for s in report.skipped]
    lines += [f"- {_plain(s.path)}: not known: {_plain(s.reason)}" for s in report.unasked]
    if report.unmatched:
        lines += ["", "## Error lines that no rule knows", ""]
        lines += [f"- {_code(f'{u.file}:{u.line}')} {_code(cut(first_line(u.text), 400))}" for u in report.unmatched]
    return "\n".join(lines) + "\n"


def _incident(report: Report, incident: Incident) -> Iterator[str]:
    found = incident.diagnosis
    yield f"## {found.severity.upper()}: {_plain(found.title)}"
    yield ""
    page = f" · [what it is and what to do]({link})" if (link := failure_link(found.rule)) else ""
    who = f"**{_plain(str(found.subject))}**{since_text(report, incident)}"
    yield f"{who} · class {_code(found.class_)} · rule {_code(rule_text(found))}{page}"
    yield ""
    yield _plain(without_gaps(found.cause))
    yield ""
    if found.impact:
        yield from (f"*{_plain(without_gaps(found.impact))}*", "")
    for _, record in log_evidence(found.evidence):
        when = f", {clock_text(record.at, report.utc_offset)}" if record.logged else ""
        yield f"{_code(place(record))}{when}"
        yield from _block(shortened(record.text, 6, found.fields.values()))
    for piece in found.evidence:
        if not isinstance(piece.origin, LogRecord):
            yield f"- seen: {_plain(piece.summary)}"
    for symptom in report.explained_by(incident):
        yield f"- explains: {_plain(symptom.diagnosis.title)} ({_plain(str(symptom.diagnosis.subject))})"
    if found.verify:
        yield from ("", "Check:", *_steps(typed(found.verify, found.subject, old=is_xends(report))))
    if found.remedy:
        yield from ("", "What to do:", *_steps(typed(found.remedy, found.subject, old=is_xends(report))))
    if found.unchecked:
        yield from ("", f"Not known: {_plain(unknown_text(found.unchecked))}")


def _steps(steps: tuple[str, ...]) -> Iterator[str]:
    for words, run in groupby(steps, is_sentence):
        told = list(run)
        yield from ("", *(f"- {_plain(step)}" for step in told), "") if words else _block(told)


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
