"""An incident as the API shows it."""

from datetime import UTC, datetime
from typing import Any

from xenwatch.model.diagnosis import Evidence
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.model.sample import Sample

LONGEST_TEXT = 4000
"""Characters of one evidence text."""


def incident_json(incident: Incident) -> dict[str, Any]:
    """All that is known of an incident; the keys of `diagnose --format json` mean the same here."""
    told = incident.diagnosis
    return {
        **incident_row(incident),
        "title": told.title,
        "cause": told.cause,
        "impact": told.impact,
        "verify": list(told.verify),
        "remedy": list(told.remedy),
        "actions": list(told.actions),
        "experimental": told.experimental,
        "fields": dict(told.fields),
        "unchecked": list(told.unchecked),
        "evidence": [_evidence(one) for one in told.evidence],
    }


def incident_row(incident: Incident) -> dict[str, Any]:
    """One line of a list."""
    told, subject = incident.diagnosis, incident.diagnosis.subject
    return {
        "id": incident.id,
        "state": incident.state,
        "rule": told.rule,
        "class": told.class_,
        "severity": told.severity,
        "role": "symptom" if incident.explained_by else "cause",
        "explained_by": incident.explained_by,
        "acknowledged_by": incident.acknowledged_by,
        "subject": {"kind": subject.kind, "name": subject.name, "domid": subject.domid, "uuid": subject.uuid},
        "summary": told.summary,
        "cause": told.cause,
        "first_seen": stamp(incident.opened),
        "last_seen": stamp(incident.last_seen),
        "resolved": stamp(incident.resolved),
        "count": incident.times_seen,
    }


def stamp(at: float | None) -> str | None:
    """A moment in UTC, such as 2026-03-01T12:00:00Z; None where it is unknown or is no moment."""
    if at is None:
        return None
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


def _evidence(evidence: Evidence) -> dict[str, Any]:
    match evidence.origin:
        case LogRecord(source, text, at, logged, position):
            # `logged` False: the time was taken from a neighbour, so it is not the line's own.
            return {
                "summary": evidence.summary[:LONGEST_TEXT],
                "file": source.path,
                "line": position.line or None,
                "at": stamp(at) if logged else None,
                "text": text[:LONGEST_TEXT],
            }
        case Sample(metric, labels, value):
            shown = {"metric": metric.name, "labels": dict(zip(metric.labels, labels, strict=False)), "value": value}
            return {"summary": evidence.summary[:LONGEST_TEXT], "at": stamp(evidence.at), **shown}
        case Fact():
            fact = {"fact": evidence.origin.name, "value": evidence.origin.value, "origin": evidence.origin.origin}
            return {"summary": evidence.summary[:LONGEST_TEXT], "at": stamp(evidence.at), **fact}
        case None:
            return {"summary": evidence.summary[:LONGEST_TEXT], "at": stamp(evidence.at)}
