"""The result of `check host` for people and for programs: what was found, and what could not be checked and why."""

import textwrap
from collections.abc import Iterator
from typing import Any

import click

from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import printable
from xenwatch.cli.report.incident_text import EvidenceText, IncidentText, incident_lines
from xenwatch.diagnosis.correlation.standing import CheckResult
from xenwatch.model.diagnosis import SEVERITIES
from xenwatch.model.serialize import subject_json
from xenwatch.model.steps import typed
from xenwatch.triage.host_check import HostCheck, sources_of

_MOST_SUBJECTS = 5
_MOST_SOURCES = 3


def check_lines(check: HostCheck, width: int) -> Iterator[str]:
    """The headline, what was found (the worst first), and the gaps."""
    found = sorted((r for r in check.results if r.found), key=lambda r: -SEVERITIES.index(r.found[0].severity))
    unknown = [result for result in check.results if result.verdict == "unknown"]
    well = len(check.results) - len(found) - len(unknown)
    gaps = f", {len(unknown)} could not be checked" if unknown else ""
    name = f"{printable(check.host)}: " if check.host else ""
    yield click.style(
        f"{name}{count_text(len(check.results), 'check')}: {len(found)} found something, {well} well{gaps}", bold=True
    )
    for number, result in enumerate(found, 1):
        yield ""
        yield from incident_lines(_incident(result, old=check.old), width, f"{number}  ")
    if unknown or check.silent:
        yield ""
        yield click.style("could not be checked", bold=True)
    for result in unknown:
        yield from _wrapped(f"{result.rule.id}: {gap_words(result)}", width)
    for silent in check.silent:
        yield from _wrapped(f"{silent.path}: {silent.reason}", width)


def gap_words(result: CheckResult) -> str:
    """Which facts are missing, and what tells them."""
    sources = list(dict.fromkeys(name for fact in result.missing for name in sources_of(fact)))
    told_by = f"read from {' or '.join(sources[:_MOST_SOURCES])}" if sources else "told by the running host alone"
    be, it = ("is", "it is") if len(result.missing) == 1 else ("are", "they are")
    return f"{', '.join(result.missing)} {be} not known: {it} {told_by}"


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(printable(text), width, initial_indent="  ", subsequent_indent="    ")


def _incident(result: CheckResult, *, old: bool) -> IncidentText:
    first = result.found[0]
    subjects = [f"{d.subject.kind}/{d.subject.name}" for d in result.found]
    more = f" and {len(subjects) - _MOST_SUBJECTS} more" if len(subjects) > _MOST_SUBJECTS else ""
    return IncidentText(
        severity=first.severity,
        title=first.title,
        subject=", ".join(subjects[:_MOST_SUBJECTS]) + more,
        cause=first.cause,
        rule=first.rule,
        impact=first.impact,
        evidence=tuple(EvidenceText((evidence.summary,)) for evidence in first.evidence),
        verify=typed(first.verify, first.subject, old=old),
        fix=typed(first.remedy, first.subject, old=old),
    )


def check_json(check: HostCheck) -> dict[str, Any]:
    """The same for programs, with every check."""
    return {
        "host": check.host,
        "checks": [_result_json(result, old=check.old) for result in check.results],
        "silent": [{"source": silent.path, "reason": silent.reason} for silent in check.silent],
    }


def _result_json(result: CheckResult, *, old: bool) -> dict[str, Any]:
    findings = [
        {
            "subject": subject_json(d.subject),
            "title": d.title,
            "cause": d.cause,
            "impact": d.impact,
            "evidence": [evidence.summary for evidence in d.evidence],
            "verify": typed(d.verify, d.subject, old=old),
            "remedy": typed(d.remedy, d.subject, old=old),
        }
        for d in result.found
    ]
    gap = {"reason": gap_words(result), "missing": result.missing} if result.verdict == "unknown" else {}
    return {
        "check": result.rule.id,
        "verdict": result.verdict,
        "severity": result.rule.severity,
        "class": result.rule.class_,
        "findings": findings,
        **gap,
    }
