"""The report for programs: a JSON document; its shape is promised to scripts (version 1)."""

import json
import re
from typing import Any

from xenwatch.base.zones import Zone
from xenwatch.cli.report.format import iso_text
from xenwatch.model.incident import Incident
from xenwatch.model.public_json import LONGEST_TEXT, public_incident
from xenwatch.triage.report import FileRead, Report

VERSION = 1
_UNSEEN = re.compile("[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
"""Characters that drive a terminal or turn text around; json itself writes those below the blank as escapes."""


def render(report: Report) -> str:
    """One JSON object, as text."""
    return as_text(document(report))


def as_text(document: dict[str, Any]) -> str:
    """JSON that people can read on a terminal: only what drives it, or turns text around, is written as escapes."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return _UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text)


def document(report: Report) -> dict[str, Any]:
    """`incidents` in the report's order, the most likely root cause first.

    `interrupted` (the file that Ctrl-C cut short), `years_assumed` (logs without a known year) and a file's
    `kernels` (which kernel writes there, and what shows it) are there only where there is something to say.
    """
    body: dict[str, Any] = {
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
        body["interrupted"] = report.interrupted
    if report.years_assumed:
        body["years_assumed"] = sorted(report.years_assumed)
    return body


def _incident(incident: Incident, report: Report) -> dict[str, Any]:
    body = public_incident(incident, lambda at: None if at is None else iso_text(at, report.utc_offset))
    return {**body, "role": "earlier"} if incident.id in report.earlier and body["role"] == "cause" else body


def _file(read: FileRead, zone: Zone) -> dict[str, Any]:
    kernels = [{"role": k.role, "host": k.host or None, "evidence": list(k.evidence)} for k in read.kernels]
    return {
        "path": read.path,
        "format": read.format,
        "lines": read.lines,
        "bytes": read.bytes,
        "first": None if read.first is None else iso_text(read.first, zone),
        "last": None if read.last is None else iso_text(read.last, zone),
        **({"kernels": kernels} if kernels else {}),
    }
