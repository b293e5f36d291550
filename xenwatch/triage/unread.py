"""The error lines that no rule knows, as the report shows them, and those that stand around what a rule knows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from xenwatch.base import lazy_re as re
from xenwatch.base.text_shape import text_shape
from xenwatch.diagnosis.matching.errors import UnreadErrors
from xenwatch.model.diagnosis import Evidence
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.triage.report import UnmatchedError

NEAR = 4096
"""Bytes before a symptom in which an unread error may be its reason."""
MOST_BESIDE = 3
_FEW_LINES, _FEWER_LINES = 5, 1
"""How far from a known line an unread one belongs to it; where many write at once, only the next line does."""
XEN = re.compile(
    rb"(?i:\bxen|libxl|\bxapi|qubes|hvmloader|pygrub|hypervisor)|\bxl[ :(]|\bxm [a-z]|\bdom(?:U|0)\b"
    rb"|\bDomain-0|\bxvd[a-z]|\bvif\d|\(XEN\)|/local/domain/\d|\bOpaqueRef:|\bqemu-dm|\bvirsh |\bvirt-install|libvirt"
)
"""What marks a log of any kind as one that a host or a guest of Xen wrote."""


def unmatched(unread: UnreadErrors) -> tuple[UnmatchedError, ...]:
    """Like by like, the host's own first, the most frequent first."""
    return tuple(UnmatchedError(r.source.path, r.position.line, r.text, count, r.guest) for r, count in unread.kinds())


def with_unread(incidents: Iterable[Incident], unread: UnreadErrors) -> list[Incident]:
    """What nothing explains, with the errors that no rule knows around its lines: they belong to the same story.

    A symptom without a known cause quotes the first before it ahead of everything else: that may be the cause.
    """
    latest: defaultdict[str, list[LogRecord]] = defaultdict(list)
    for record in unread.latest():
        latest[record.source.path].append(record)
    return [_quoting(incident, latest) if _is_told_first(incident) else incident for incident in incidents]


def _is_told_first(incident: Incident) -> bool:
    return incident.explained_by is None and incident.diagnosis.severity != "info"


def _quoting(incident: Incident, latest: Mapping[str, list[LogRecord]]) -> Incident:
    own = [e.origin for e in incident.diagnosis.evidence if isinstance(e.origin, LogRecord)]
    before = _before(own[0], latest) if own and incident.diagnosis.depth == "symptom" else ()
    beside = [r for r in _beside(own, latest) if r not in before][:MOST_BESIDE]
    if not before and not beside:
        return incident
    evidence = (*map(_quoted, before), *incident.diagnosis.evidence, *map(_quoted, beside))
    return replace(incident, diagnosis=replace(incident.diagnosis, evidence=evidence))


def _before(first: LogRecord, latest: Mapping[str, list[LogRecord]]) -> tuple[LogRecord, ...]:
    """The first error not far before it."""
    near = (r for r in latest.get(first.source.path, ()) if 0 < first.position.offset - r.position.offset <= NEAR)
    found = next((record for record in near if record.guest == first.guest), None)
    return () if found is None else (found,)


def _beside(own: Iterable[LogRecord], latest: Mapping[str, list[LogRecord]]) -> Iterator[LogRecord]:
    """The errors a few lines from one of its own, each kind once, in the order of the log."""
    seen: set[str] = set()
    places: defaultdict[tuple[str, bool], list[int]] = defaultdict(list)
    for record in own:
        quotes_many = record.guest and not record.source.format.guest_written  # the next line may be another guest's
        if not quotes_many:
            places[record.source.path, record.guest].append(record.position.line)
    for (path, guest), lines in places.items():
        for record in latest.get(path, ()):
            near = _FEWER_LINES if record.source.format.shared else _FEW_LINES
            is_near = any(0 < abs(record.position.line - line) <= near for line in lines if line)
            if is_near and record.guest == guest and (shape := text_shape(record.text)) not in seen:
                seen.add(shape)
                yield record


def _quoted(record: LogRecord) -> Evidence:
    line = record.text.strip().split("\n", 1)[0][:400]
    return Evidence(record.at, f"{line} (no rule knows this line)", record)
