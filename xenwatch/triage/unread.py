"""The error lines that no rule knows, as the report shows them, and those that stand around what a rule knows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from operator import itemgetter

from xenwatch.base import lazy_re as re
from xenwatch.base.text_shape import text_shape
from xenwatch.diagnosis.matching.errors import UnreadErrors
from xenwatch.model.diagnosis import Evidence
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.triage.report import UnmatchedError

NEAR = 4096
"""Bytes before a symptom in which an unread error may be its reason."""
MOST_BESIDE = 4
_FEW_LINES, _FEWER_LINES = 12, 1
"""How far from a known line an unread one belongs to it; where many write at once, only the next line does.

Those of one process belong together there, too, and those that the kernel or the hypervisor itself wrote: where a
kernel stood when it failed is ten lines below what it failed of.
"""
_DEVICE_MODEL = "device-model"
_PROCESS = re.compile(r"(?:[\w./()-]+\[\d+\]|kernel)(?=: )")
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
    everyone = list(incidents)
    guests = {str(i.diagnosis.subject) for i in everyone if i.diagnosis.subject.kind == "domain"}
    return [_quoting(i, latest, sole=len(guests) == 1) if _is_told_first(i) else i for i in everyone]


def _is_told_first(incident: Incident) -> bool:
    return incident.explained_by is None and incident.diagnosis.severity != "info"


def _quoting(incident: Incident, latest: Mapping[str, list[LogRecord]], *, sole: bool) -> Incident:
    """`sole`: nothing is told of any other guest."""
    own = [e.origin for e in incident.diagnosis.evidence if isinstance(e.origin, LogRecord)]
    before = _before(own[0], latest) if own and incident.diagnosis.depth == "symptom" else ()
    around = chain(_beside(own, latest), _of_helpers(incident, own, latest, sole=sole))
    beside = _in_order([r for r in around if r not in before][:MOST_BESIDE])
    if not before and not beside:
        return incident
    evidence = (*map(_quoted, before), *incident.diagnosis.evidence, *map(_quoted, beside))
    return replace(incident, diagnosis=replace(incident.diagnosis, evidence=evidence))


def _before(first: LogRecord, latest: Mapping[str, list[LogRecord]]) -> tuple[LogRecord, ...]:
    """The first error not far before it."""
    near = (r for r in latest.get(first.source.path, ()) if 0 < first.position.offset - r.position.offset <= NEAR)
    found = next((record for record in near if record.guest == first.guest), None)
    return () if found is None else (found,)


def _beside(own: Sequence[LogRecord], latest: Mapping[str, list[LogRecord]]) -> Iterator[LogRecord]:
    """The errors a few lines from one of its own, each kind once, the nearest first."""
    found: list[tuple[int, LogRecord]] = []
    places: defaultdict[tuple[str, bool], list[int]] = defaultdict(list)
    for record in own:
        quotes_many = record.guest and not record.source.format.guest_written  # the next line may be another guest's
        if not quotes_many:
            places[record.source.path, record.guest].append(record.position.line)
    for (path, guest), lines in places.items():
        writers = {_writer(record) for record in own if record.source.path == path} - {None}
        for record in latest.get(path, ()):
            of_one = not record.source.format.shared or _writer(record) in writers
            near = _FEW_LINES if of_one else _FEWER_LINES
            away = min((abs(record.position.line - line) for line in lines if line), default=0)
            if 0 < away <= near and record.guest == guest:
                found.append((away, record))
    found.sort(key=itemgetter(0))
    seen: set[str] = set()
    for _, record in found:
        if (shape := text_shape(record.text)) not in seen:
            seen.add(shape)
            yield record


def _writer(record: LogRecord) -> str | None:
    """Who wrote a line in a log of many; None where that is not said."""
    if record.source.format.opening is not None and not record.guest:
        return ""  # on the machine's serial line all but the guests' lines is the hypervisor's own
    found = _PROCESS.match(record.text)
    return found[0] if found else None


def _of_helpers(
    incident: Incident, own: Iterable[LogRecord], latest: Mapping[str, list[LogRecord]], *, sole: bool
) -> Iterator[LogRecord]:
    """What the device model or the boot loader of the guest said, where it failed or nothing more is known."""
    diagnosis, known = incident.diagnosis, {record.source.path for record in own}
    subject, failed = diagnosis.subject, any(piece.phase == _DEVICE_MODEL for piece in diagnosis.evidence)
    if subject.kind != "domain" or (diagnosis.depth == "cause" and not failed):
        return
    for path, records in latest.items():
        source = records[0].source
        theirs = sole if source.subject is None else source.subject.name == subject.name
        if source.format.guest_prompts and theirs and path not in known:
            yield from {text_shape(record.text): record for record in reversed(records)}.values()


def _in_order(records: Iterable[LogRecord]) -> list[LogRecord]:
    """As they stand in their logs."""
    return sorted(records, key=lambda record: (record.source.path, record.position.offset))


def _quoted(record: LogRecord) -> Evidence:
    line = record.text.strip().split("\n", 1)[0][:400]
    return Evidence(record.at, f"{line} (no rule knows this line)", record)
