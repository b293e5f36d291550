"""The error lines that no rule knows, as the report shows them, and those that stand before a known symptom."""

from collections.abc import Iterable
from dataclasses import replace

from xenwatch.base import lazy_re as re
from xenwatch.diagnosis.matching.errors import UnreadErrors
from xenwatch.model.diagnosis import Evidence
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.triage.report import UnmatchedError

NEAR = 4096
"""Bytes before a symptom in which an unread error may be its reason."""
XEN = re.compile(
    rb"(?i:\bxen|libxl|\bxapi|qubes|hvmloader|pygrub|hypervisor)|\bxl[ :(]|\bxm [a-z]|\bdom(?:U|0)\b"
    rb"|\bDomain-0|\bxvd[a-z]|\bvif\d|\(XEN\)|\bqemu-dm|\bvirsh |\bvirt-install|libvirt"
)
"""What marks a log of any kind as one that a host or a guest of Xen wrote."""


def unmatched(unread: UnreadErrors) -> tuple[UnmatchedError, ...]:
    """Like by like, the host's own first, the most frequent first."""
    return tuple(UnmatchedError(r.source.path, r.position.line, r.text, count, r.guest) for r, count in unread.kinds())


def with_unread(incidents: Iterable[Incident], unread: UnreadErrors) -> list[Incident]:
    """A symptom without a known cause quotes the first error before it that no rule knows: it may be the cause."""
    latest = list(unread.latest())
    return [_quoting(incident, latest) if _lacks_a_cause(incident) else incident for incident in incidents]


def _lacks_a_cause(incident: Incident) -> bool:
    return incident.explained_by is None and incident.diagnosis.depth == "symptom"


def _quoting(incident: Incident, latest: list[LogRecord]) -> Incident:
    first = next((e.origin for e in incident.diagnosis.evidence if isinstance(e.origin, LogRecord)), None)
    if first is None:
        return incident
    before = next((record for record in latest if _is_before(record, first)), None)
    if before is None:
        return incident
    line = before.text.strip().split("\n", 1)[0][:400]
    quoted = Evidence(before.at, f"{line} (no rule knows this line)", before)
    return replace(incident, diagnosis=replace(incident.diagnosis, evidence=(quoted, *incident.diagnosis.evidence)))


def _is_before(record: LogRecord, first: LogRecord) -> bool:
    one_log = record.source.path == first.source.path and record.guest == first.guest
    return one_log and 0 < first.position.offset - record.position.offset <= NEAR
