"""Incidents as JSON and back, for the state database."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from xenwatch.model.diagnosis import Diagnosis, Evidence
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.sample import Metric, Sample
from xenwatch.model.subject import Subject

LONGEST_TEXT = 4096
"""Characters of one evidence text that are kept: a guest or a dump must not fill the state disk."""

_PLAIN = tuple(f.name for f in fields(Diagnosis) if f.name not in {"subject", "fields", "evidence"})
"""Fields of a diagnosis that are text, a number, or a tuple of texts."""


def encode(incident: Incident) -> str:
    """One incident as compact JSON."""
    body = {
        name: getattr(incident, name)
        for name in (
            "id", "state", "opened", "last_seen", "times_seen", "resolved", "explained_by", "acknowledged_by",
        )
    }  # fmt: skip
    return json.dumps({**body, "diagnosis": _diagnosis(incident.diagnosis)}, separators=(",", ":"))


def decode(text: str) -> Incident:
    """The incident that `encode` wrote. ValueError, KeyError or TypeError where it did not."""
    body = json.loads(text)
    return Incident(**{**body, "diagnosis": _read_diagnosis(body["diagnosis"])})


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        **{name: getattr(diagnosis, name) for name in _PLAIN},
        "subject": _subject(diagnosis.subject),
        "fields": dict(diagnosis.fields),
        "evidence": [_evidence(evidence) for evidence in diagnosis.evidence],
    }


def _read_diagnosis(body: Mapping[str, Any]) -> Diagnosis:
    # A field that is newer than the stored text takes its default.
    kept = ((name, body[name]) for name in _PLAIN if name in body)
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept}
    return Diagnosis(
        **plain,
        subject=Subject(**body["subject"]),
        fields=body["fields"],
        evidence=tuple(_read_evidence(one) for one in body["evidence"]),
    )


def _subject(subject: Subject) -> dict[str, Any]:
    return {"kind": subject.kind, "name": subject.name, "uuid": subject.uuid, "domid": subject.domid}


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {"at": evidence.at, "summary": evidence.summary[:LONGEST_TEXT], "origin": _origin(evidence.origin)}


def _origin(origin: LogRecord | Sample | Fact | None) -> dict[str, Any] | None:
    match origin:
        case LogRecord():
            return {
                "record": origin.source.path,
                "format": [origin.source.format.name, origin.source.format.title],
                "text": origin.text[:LONGEST_TEXT],
                "at": origin.at,
                "logged": origin.logged,
                "position": list(origin.position),
            }
        case Sample():
            metric = origin.metric
            return {
                "metric": [metric.name, metric.type, metric.help, list(metric.labels)],
                "labels": list(origin.labels),
                "value": origin.value,
            }
        case Fact():
            return {
                "fact": origin.name,
                "subject": _subject(origin.subject),
                "value": list(origin.value) if isinstance(origin.value, tuple) else origin.value,
                "at": origin.at,
                "origin": origin.origin,
            }
        case None:
            return None


def _read_evidence(body: Mapping[str, Any]) -> Evidence:
    return Evidence(at=body["at"], summary=body["summary"], origin=_read_origin(body["origin"]))


def _read_origin(body: Mapping[str, Any] | None) -> LogRecord | Sample | Fact | None:
    if body is None:
        return None
    if "record" in body:
        # Only the dialect's name and title come back: its patterns are code, and a stored record is not scanned again.
        name, title = body["format"]
        source = Source(body["record"], LogFormat(name=name, title=title))
        return LogRecord(source, body["text"], body["at"], body["logged"], Position(*body["position"]))
    if "metric" in body:
        name, type_, help_, labels = body["metric"]
        return Sample(Metric(name, type_, help_, tuple(labels)), tuple(body["labels"]), body["value"])
    value = tuple(body["value"]) if isinstance(body["value"], list) else body["value"]
    return Fact(body["fact"], Subject(**body["subject"]), value, body["at"], body["origin"])
