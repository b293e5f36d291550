"""The report for programs: the JSON document whose shape is promised to scripts (version 1)."""

import json
from typing import Any

from xenwatch.cli.report.format import iso_text
from xenwatch.model.incident import Incident
from xenwatch.triage.report import FileRead, Report, log_evidence

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
    found = incident.diagnosis
    return {
        "id": incident.id,
        "rule": found.rule,
        "class": found.class_,
        "severity": found.severity,
        "role": "cause" if incident.explained_by is None else "symptom",
        "explained_by": incident.explained_by,
        "subject": {
            "kind": found.subject.kind,
            "name": found.subject.name,
            "domid": found.subject.domid,
            "uuid": found.subject.uuid,
        },
        "title": found.title,
        "summary": found.summary,
        "cause": found.cause,
        "impact": found.impact,
        "verify": list(found.verify),
        "remedy": list(found.remedy),
        "actions": list(found.actions),
        "experimental": found.experimental,
        "fields": dict(found.fields),
        "unchecked": list(found.unchecked),
        "first_seen": iso_text(incident.opened, offset),
        "last_seen": iso_text(incident.last_seen, offset),
        "count": incident.times_seen,
        "evidence": [
            {
                "file": record.source.path,
                "line": record.position.line or None,
                "at": iso_text(record.at, offset) if record.logged else None,
                "text": record.text[:LONGEST_TEXT],
            }
            for _, record in log_evidence(found.evidence)
        ],
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
