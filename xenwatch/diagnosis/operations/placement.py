"""What an event or a mark says of guest, time and place, as far as operations need it."""

from dataclasses import replace

from xenwatch.diagnosis.operations.marks import PlacedMark, command_of, story_in
from xenwatch.model.event import Event
from xenwatch.model.operation import Operation
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import Subject

LASTS = 180.0
"""Seconds for which an operation takes lines without a name: xend waits 100 s for devices, libxl 40 s a script."""
AFTERWARDS = 5.0
"""Seconds for which they still may once it is being torn down: nobody waits for anything then."""
BURST = 60.0
"""Dated lines of one log that lie so near belong to one burst."""


def subject_in(subject: Subject, operation: Operation) -> Subject:
    """A guest that is known by number only, or not at all, is the one that the operation is about."""
    if subject.kind != "domain":
        return subject
    if not subject.is_named:
        name = operation.target or (str(operation.domid) if operation.domid is not None else None)
        return subject if name is None else Subject("domain", name, operation.uuid, operation.domid, subject.host)
    if subject.name.isdigit() and operation.target and subject.domid == operation.domid:
        return replace(subject, name=operation.target)
    return subject


def guest_of(event: Event) -> tuple[str | None, int | None]:
    """Name and domid of the guest that the event names; None for what it does not say."""
    subject = event.subject
    if subject.kind != "domain" or not subject.is_named:
        domid = event.fields.get("domid", "")
        return None, int(domid) if domid.isdigit() and 0 < len(domid) < 9 and domid != "0" else None  # noqa: PLR2004
    name = None if subject.name.isdigit() or subject.name == subject.uuid else subject.name
    return name, subject.domid


def time_of(of: Event | PlacedMark) -> float | None:
    """When it was written; None where the record carries no time of its own."""
    if isinstance(of, PlacedMark):
        return of.at if of.place.logged else None
    return of.at if of.record is not None and of.record.logged else None


def are_near(earlier: Event, later: Event) -> bool:
    """Whether both may belong to one burst of lines."""
    one, other = time_of(earlier), time_of(later)
    return one is None or other is None or abs(other - one) <= BURST


def lasts(operation: Operation, event: Event) -> bool:
    """Whether the operation may still be under way when the event comes."""
    at = time_of(event)
    return at is None or operation.last_seen is None or at - operation.last_seen <= LASTS


def host_of(of: Event | PlacedMark) -> str | None:
    """The host that it is of."""
    return of.host if isinstance(of, PlacedMark) else of.subject.host


def story_of(record: LogRecord) -> str:
    """What the record is told in: its log, or what one command wrote to a log of many."""
    return story_in(record.source.path, command_of(record.source, record.text))


def in_shared_log(event: Event) -> bool:
    """Whether the line before it may be of anybody."""
    record = event.record
    return record is not None and record.source.format.shared and not command_of(record.source, record.text)
