"""The report as Markdown, to paste into an issue or a ticket; log text stands in code blocks it cannot break out of."""

import re
from collections.abc import Iterator

from xenwatch.agent.report import Report, log_evidence
from xenwatch.cli.report.words import clock_text, count_text, place, printable, shortened
from xenwatch.model.incident import Incident


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
    if report.unmatched:
        lines += ["", "## Error lines that no rule knows", ""]
        lines += [f"- {_code(f'{u.file}:{u.line}')} {_code(u.text.splitlines()[0])}" for u in report.unmatched]
    return "\n".join(lines) + "\n"


def _incident(report: Report, incident: Incident) -> Iterator[str]:
    found = incident.diagnosis
    yield f"## {found.severity.upper()}: {_plain(found.title)}"
    yield ""
    yield f"**{_plain(str(found.subject))}** · class {_code(found.class_)} · rule {_code(found.rule)}"
    yield ""
    yield _plain(" ".join(found.cause.split()))
    yield ""
    for _, record in log_evidence(found.evidence):
        when = f", {clock_text(record.at, report.utc_offset)}" if record.logged else ""
        yield f"{_code(place(record))}{when}"
        yield from _block(shortened(record.text, 6))
    for symptom in report.explained_by(incident):
        yield f"- explains: {_plain(symptom.diagnosis.title)} ({_plain(str(symptom.diagnosis.subject))})"
    if found.verify:
        yield from ("", "Check:", *_block(list(found.verify)))
    if found.remedy:
        yield from ("", "What to do:", *_block(list(found.remedy)))


def _block(lines: list[str]) -> list[str]:
    longest = max((len(run) for run in re.findall(r"`+", "\n".join(lines))), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, *(printable(line) for line in lines), fence]


def _code(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    mark = "`" * (longest + 1)
    return f"{mark} {printable(text)} {mark}" if longest else f"`{printable(text)}`"


def _plain(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", printable(text))
