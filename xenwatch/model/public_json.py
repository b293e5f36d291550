"""An incident as the API and `diagnose --format json` show it: one shape, promised to scripts (version 1)."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from xenwatch.model.diagnosis import Evidence, distinct
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident, Remark
from xenwatch.model.record import LogRecord
from xenwatch.model.sample import Sample
from xenwatch.model.serialize import subject_json

LONGEST_TEXT = 4000
"""Characters of one evidence text."""

Stamp = Callable[[float | None], str | None]
"""A moment as text; None where it is unknown."""


def public_incident(incident: Incident, stamp: Stamp) -> dict[str, Any]:
    """All that is known of an incident."""
    diagnosis = incident.diagnosis
    return {
        **public_row(incident, stamp),
        "title": diagnosis.title,
        "impact": diagnosis.impact,
        "verify": list(diagnosis.verify),
        "remedy": list(diagnosis.remedy),
        "actions": list(diagnosis.actions),
        "experimental": diagnosis.experimental,
        "fields": dict(diagnosis.fields),
        "unchecked": list(diagnosis.unchecked),
        "remarks": [public_remark(remark, stamp) for remark in incident.remarks],
        "evidence": list(public_evidence(diagnosis.evidence, stamp)),
    }


def public_relations(incident: Incident, known: Iterable[Incident]) -> dict[str, Any]:
    """What it explains and what explains it, each with enough to know what is meant; `explains` has the ids alone."""
    symptoms, cause = [], None
    for one in known:
        if one.explained_by == incident.id:
            symptoms.append(one)
        if one.id == incident.explained_by:
            cause = one
    return {
        "explains": [one.id for one in symptoms],
        "consequences": [_mention(one) for one in symptoms],
        "explanation": None if cause is None else _mention(cause),
    }


def _mention(incident: Incident) -> dict[str, Any]:
    diagnosis = incident.diagnosis
    return {
        "id": incident.id,
        "state": incident.state,
        "severity": diagnosis.severity,
        "title": diagnosis.title,
        "subject": subject_json(diagnosis.subject),
    }


def public_row(incident: Incident, stamp: Stamp) -> dict[str, Any]:
    """One line of a list."""
    diagnosis = incident.diagnosis
    return {
        "id": incident.id,
        "state": incident.state,
        "rule": diagnosis.rule,
        "class": diagnosis.class_,
        "severity": diagnosis.severity,
        "role": "symptom" if incident.explained_by else "cause",
        "explained_by": incident.explained_by,
        "acknowledged_by": incident.acknowledged_by,
        "acknowledged_until": stamp(incident.acknowledged_until),
        "subject": subject_json(diagnosis.subject),
        "summary": diagnosis.summary,
        "cause": diagnosis.cause,
        "first_seen": stamp(incident.opened),
        "last_seen": stamp(incident.last_seen),
        "resolved": stamp(incident.resolved),
        "count": incident.times_seen,
    }


def public_remark(remark: Remark, stamp: Stamp) -> dict[str, Any]:
    """What a person did or said."""
    return {
        "at": stamp(remark.at), "by": remark.who, "what": remark.what, "text": remark.text,
        "until": stamp(remark.until),
    }  # fmt: skip


def public_evidence(evidence: Iterable[Evidence], stamp: Stamp) -> Iterator[dict[str, Any]]:
    """Records, samples and facts, each record once: `file` and `text`, `metric` and `value`, or `fact` and `value`."""
    for piece in distinct(evidence):
        yield {"summary": piece.summary[:LONGEST_TEXT], "at": stamp(piece.at), **_origin(piece.origin, stamp)}


def _origin(origin: LogRecord | Sample | Fact | None, stamp: Stamp) -> dict[str, Any]:
    match origin:
        case LogRecord(source, text, at, logged, position):
            # `logged` False: the time was taken from a neighbour, so it is not the line's own.
            dated = {"at": stamp(at) if logged else None}
            return {**dated, "file": source.path, "line": position.line or None, "text": text[:LONGEST_TEXT]}
        case Sample(metric, labels, value):
            return {"metric": metric.name, "labels": dict(zip(metric.labels, labels, strict=False)), "value": value}
        case Fact():
            value_ = list(origin.value) if isinstance(origin.value, tuple) else origin.value
            return {"fact": origin.name, "value": value_, "origin": origin.origin}
        case None:
            return {}
