"""The report for programs: the JSON document whose shape is promised to scripts (version 1)."""

import json
from typing import Any

from xenwatch.cli.report.format import iso_text
from xenwatch.model.incident import Incident
from xenwatch.triage.report import FileRead, Report, distinct
from xenwatch.web.incident_json import evidence_json

VERSION = 1
LONGEST_TEXT = 4000


def render(report: Report) -> str:
    """One JSON object; `incidents` in the report's order, the most likely root cause first."""
    document = {
        "version": VERSION,
        "incidents": [_incident(i, report.utc_offset) for i in report.incidents],
        "files": [_file(f, report.utc_offset) for f in report.files],
        "skipped": [{"path": s.path, "reason": s.reason} for s in report.skipped],
        "unmatched_errors": [
            {"file": u.file, "line": u.line, "text": u.text[:LONGEST_TEXT], "count": u.count} for u in report.unmatched
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _incident(incident: Incident, offset: float) -> dict[str, Any]:
    diagnosis = incident.diagnosis
    return {
        "id": incident.id,
        "rule": diagnosis.rule,
        "class": diagnosis.class_,
        "severity": diagnosis.severity,
        "role": "cause" if incident.explained_by is None else "symptom",
        "explained_by": incident.explained_by,
        "subject": {
            "kind": diagnosis.subject.kind,
            "name": diagnosis.subject.name,
            "domid": diagnosis.subject.domid,
            "uuid": diagnosis.subject.uuid,
        },
        "title": diagnosis.title,
        "summary": diagnosis.summary,
        "cause": diagnosis.cause,
        "impact": diagnosis.impact,
        "verify": list(diagnosis.verify),
        "remedy": list(diagnosis.remedy),
        "actions": list(diagnosis.actions),
        "fields": dict(diagnosis.fields),
        "unchecked": list(diagnosis.unchecked),
        "first_seen": iso_text(incident.opened, offset),
        "last_seen": iso_text(incident.last_seen, offset),
        "count": incident.times_seen,
        "evidence": [evidence_json(e, lambda at: iso_text(at, offset)) for e in distinct(diagnosis.evidence)],
    }


def _file(read: FileRead, offset: float) -> dict[str, Any]:
    return {
        "path": read.path,
        "format": read.format,
        "lines": read.lines,
        "bytes": read.bytes,
        "first": None if read.first is None else iso_text(read.first, offset),
        "last": None if read.last is None else iso_text(read.last, offset),
    }
