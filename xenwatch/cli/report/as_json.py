"""The report for programs: a JSON document; its shape is promised to scripts (version 1)."""

import json
from typing import Any

from xenwatch.base.zones import Zone
from xenwatch.cli.report.format import iso_text
from xenwatch.model.incident import Incident
from xenwatch.model.public_json import LONGEST_TEXT, public_incident
from xenwatch.triage.report import FileRead, Report

VERSION = 1


def render(report: Report) -> str:
    """One JSON object; `incidents` in the report's order, the most likely root cause first.

    `interrupted` (the file that Ctrl-C cut short) and `years_assumed` (logs without a known year) are there only
    where there is something to say.
    """
    document: dict[str, Any] = {
        "version": VERSION,
        "incidents": [_incident(i, report) for i in report.incidents],
        "files": [_file(f, report.utc_offset) for f in report.files],
        "skipped": [{"path": s.path, "reason": s.reason} for s in report.skipped],
        "unmatched_errors": [
            {"file": u.file, "line": u.line, "text": u.text[:LONGEST_TEXT], "count": u.count, "guest": u.guest}
            for u in report.unmatched
        ],
    }
    if report.interrupted is not None:
        document["interrupted"] = report.interrupted
    if report.years_assumed:
        document["years_assumed"] = sorted(report.years_assumed)
    return json.dumps(document, indent=2, ensure_ascii=False)


def _incident(incident: Incident, report: Report) -> dict[str, Any]:
    body = public_incident(incident, lambda at: None if at is None else iso_text(at, report.utc_offset))
    return {**body, "role": "earlier"} if incident.id in report.earlier and body["role"] == "cause" else body


def _file(read: FileRead, zone: Zone) -> dict[str, Any]:
    return {
        "path": read.path,
        "format": read.format,
        "lines": read.lines,
        "bytes": read.bytes,
        "first": None if read.first is None else iso_text(read.first, zone),
        "last": None if read.last is None else iso_text(read.last, zone),
    }
