"""One incident on a terminal: the same headings in the same order, from a report or from a running agent."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import is_sentence, printable
from xenwatch.model.headings import CAUSE, CONSEQUENCES, EVIDENCE, FIX, HEADINGS, IMPACT, NOT_CHECKED, SUBJECT, VERIFY

COLOURS = {"critical": "bright_red", "error": "red", "warning": "yellow", "info": "blue"}
_LABEL = max(len(heading.label) for heading in HEADINGS)
_INDENT = 2 + _LABEL + 2
_NARROWEST = 30


@dataclass(frozen=True, slots=True)
class EvidenceText:
    """Lines of a log with the place they stand at; a sample or a fact has no place."""

    lines: tuple[str, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class IncidentText:
    """What is printed of an incident. Text is not wrapped yet; what is empty is left out."""

    severity: str
    title: str
    subject: str
    cause: str
    rule: str
    details: tuple[tuple[str, str], ...] = ()
    """Rows below the subject, each with its label: `state`, `seen`, `summary`."""
    impact: str = ""
    evidence: tuple[EvidenceText, ...] = ()
    evidence_left_out: int = 0
    consequences: tuple[str, ...] = ()
    consequences_left_out: int = 0
    verify: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()
    not_checked: str = ""
    history: tuple[str, ...] = ()
    page: str | None = None


def incident_lines(incident: IncidentText, width: int, number: str = "") -> Iterator[str]:
    """The incident in at most `width` columns; only commands and paths may be longer, for they are to be pasted."""
    yield from _title(incident, width, number)
    yield from _paragraph(SUBJECT.label, incident.subject, width)
    for label, text in (*incident.details, (CAUSE.label, incident.cause), (IMPACT.label, incident.impact)):
        yield from _paragraph(label, text, width)
    yield from _evidence(incident, width)
    yield from _consequences(incident, width)
    yield from _steps(VERIFY.label, incident.verify, width)
    yield from _steps(FIX.label, incident.fix, width)
    yield from _paragraph(NOT_CHECKED.label, incident.not_checked, width)
    for index, change in enumerate(incident.history):
        yield from _paragraph("" if index else "history", change, width)
    yield from _styled("rule", incident.rule, width, dim=True)
    if incident.page:
        yield _row("page", click.style(incident.page, dim=True))


def _title(incident: IncidentText, width: int, number: str) -> Iterator[str]:
    severity = incident.severity.upper()
    indent = len(f"{number}{severity}  ")
    mark = number + click.style(severity, fg=COLOURS.get(incident.severity), bold=True) + "  "
    lines = textwrap.wrap(printable(incident.title), max(_NARROWEST, width - indent)) or [""]
    for index, line in enumerate(lines):
        yield (" " * indent if index else mark) + click.style(line, bold=True)


def _evidence(incident: IncidentText, width: int) -> Iterator[str]:
    label = EVIDENCE.label
    for piece in incident.evidence:
        if piece.place:
            yield from _styled(label, piece.place, width, fg="cyan")
            for line in piece.lines:
                wrapped = textwrap.wrap(line, max(_NARROWEST, width - _INDENT - 2), break_on_hyphens=False)
                yield from (_row("", f"  {part}") for part in wrapped)
        else:
            yield from _paragraph(label, " ".join(piece.lines), width)
        label = ""
    if incident.evidence_left_out:
        yield _row("", click.style(f"and {count_text(incident.evidence_left_out, 'more piece')} of evidence", dim=True))


def _consequences(incident: IncidentText, width: int) -> Iterator[str]:
    for index, text in enumerate(incident.consequences):
        yield from _paragraph("" if index else CONSEQUENCES.label, text, width)
    if incident.consequences_left_out:
        yield _row("", click.style(f"and {incident.consequences_left_out} more", dim=True))


def _steps(label: str, steps: tuple[str, ...], width: int) -> Iterator[str]:
    """Commands stay on one line each, to be pasted; sentences are wrapped, a dash shows where each begins."""
    dash = "- " if len(steps) > 1 else ""
    for index, step in enumerate(steps):
        head = "" if index else label
        if is_sentence(step):
            yield from _paragraph(head, step, width, dash=dash)
        else:
            yield _row(head, click.style(printable(step), fg="green"))


def _paragraph(label: str, text: str, width: int, dash: str = "") -> Iterator[str]:
    lines = textwrap.wrap(
        printable(" ".join(text.split())), max(_NARROWEST, width - _INDENT), break_on_hyphens=False,
        initial_indent=dash, subsequent_indent=" " * len(dash),
    )  # fmt: skip
    yield from (_row("" if index else label, line) for index, line in enumerate(lines))


def _styled(label: str, text: str, width: int, **style: Any) -> Iterator[str]:
    """Text that is wrapped between words only: a path stays whole, to be pasted."""
    room = max(_NARROWEST, width - _INDENT)
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False, drop_whitespace=True)
    yield from (_row("" if index else label, click.style(line, **style)) for index, line in enumerate(lines))


def _row(label: str, text: str) -> str:
    return f"  {click.style(label.ljust(_LABEL), dim=True)}  {text}"
