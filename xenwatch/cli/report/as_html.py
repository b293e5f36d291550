"""The report as one self-contained page to attach to a ticket; log text is escaped, and nothing is loaded."""

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from xenwatch import __version__
from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import is_sentence, printable
from xenwatch.cli.report.entries import notes, numbered, root_causes, subject_text
from xenwatch.cli.report.format import (
    cut,
    failure_link,
    place,
    record_time,
    repeats_evidence,
    shortened,
    since_text,
    year_note,
)
from xenwatch.cli.report.headline import headline, interruption_text
from xenwatch.cli.report.kernel_text import kernel_note
from xenwatch.cli.report.origin import ReportOrigin, origin_rows
from xenwatch.cli.report.toolstack import is_xends
from xenwatch.model.gaps import not_checked_text, without_gaps
from xenwatch.model.headings import HEADINGS
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.model.steps import typed
from xenwatch.triage.report import Report, log_evidence


def render(
    report: Report,
    title: str = "xenwatch diagnose",
    *,
    origin: ReportOrigin | None = None,
    everything: bool = False,
) -> str:
    """The page. Its script is allowed by its hash alone, so text from a log can never run."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(printable=printable, cut=cut, without_gaps=without_gaps, runs=_runs)
    folder = files("xenwatch.cli.report")
    script, style = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("page.js", "page.css"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    incidents = (
        [i for _, i in numbered(report)] if everything else [*root_causes(report), *notes(report), *report.history]
    )
    points = _timeline(report)
    template = environment.from_string(folder.joinpath("page.html").read_text(encoding="utf-8"))
    return template.render(
        title=title,
        version=__version__,
        report=report,
        incidents=[_view(report, i) for i in incidents],
        headline=headline(report),
        interruption=interruption_text(report),
        origin=origin_rows(report, origin) if origin is not None else [],
        notes=len(notes(report)),
        points=points,
        year_note=lambda file: year_note(report, file),
        kernel_note=kernel_note,
        count_text=count_text,
        not_checked_text=not_checked_text,
        shown=_SHOWN,
        headings={heading.key: heading.title for heading in HEADINGS},
        script=Markup(script),  # noqa: S704 (our own file, not a log's text)
        style=Markup(style),  # noqa: S704
        script_hash=digest,
    )


_MOST_EVIDENCE = 30
_SHOWN = 4
"""Pieces of evidence that are shown open; what to do must not be far below."""
_MOST_POINTS = 400


@dataclass(frozen=True, slots=True)
class _Excerpt:
    place: str
    when: str
    lines: list[str]


@dataclass(frozen=True, slots=True)
class _View:
    incident: Incident
    summary: str
    """Empty where the evidence says the same."""
    verify: tuple[str, ...]
    remedy: tuple[str, ...]
    subject: str
    since: str
    excerpts: list[_Excerpt]
    left_out: int
    """How many log lines of evidence are not shown."""
    others: tuple[str, ...]
    """Evidence from samples and facts, in words."""
    symptoms: tuple[Incident, ...]
    link: str | None


def _runs(steps: tuple[str, ...]) -> list[tuple[bool, list[str]]]:
    """Steps in order, as groups of sentences (True) and groups of commands (False)."""
    return [(are_sentences, list(run)) for are_sentences, run in groupby(steps, is_sentence)]


@dataclass(frozen=True, slots=True)
class _Point:
    percent: float
    severity: str
    time: str
    title: str
    anchor: str


def _view(report: Report, incident: Incident) -> _View:
    diagnosis, old = incident.diagnosis, is_xends(report)
    excerpts = [
        _Excerpt(place(r), record_time(report, r), shortened(r.text, 30, diagnosis.fields.values(), 2000))
        for _, r in log_evidence(diagnosis.evidence)
    ]
    others = tuple(e.summary for e in diagnosis.evidence if not isinstance(e.origin, LogRecord))
    return _View(
        incident,
        "" if repeats_evidence(incident, _MOST_EVIDENCE) else diagnosis.summary,
        typed(diagnosis.verify, diagnosis.subject, old=old),
        typed(diagnosis.remedy, diagnosis.subject, old=old),
        subject_text(incident),
        since_text(report, incident),
        excerpts[:_MOST_EVIDENCE],
        len(excerpts[_MOST_EVIDENCE:]),
        others,
        report.explained_by(incident),
        failure_link(diagnosis.rule),
    )


def _timeline(report: Report) -> list[_Point]:
    """Dated evidence placed between the first and the last moment, each point leading to its incident."""
    dated = sorted(
        (
            (record, incident)
            for incident in report.causes
            for _, record in log_evidence(incident.diagnosis.evidence)
            if record.logged
        ),
        key=lambda pair: pair[0].at,
    )
    if not dated:
        return []
    start, end = min(r.at for r, _ in dated), max(r.at for r, _ in dated)
    span = max(end - start, 1.0)
    every = -(-len(dated) // _MOST_POINTS)
    return [
        _Point(
            round(2 + 96 * (record.at - start) / span, 2),
            incident.diagnosis.severity,
            record_time(report, record),
            incident.diagnosis.title,
            incident.id,
        )
        for record, incident in dated[::every]
    ]
