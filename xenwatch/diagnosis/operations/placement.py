"""What an event or a mark says of guest, time and place, as far as operations need it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from xenwatch.diagnosis.operations.marks import STARTING, PlacedMark, command_of, story_in
from xenwatch.diagnosis.operations.phases import TEARDOWN
from xenwatch.model.event import Event
from xenwatch.model.operation import Operation
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import FIRST_OWN_DOMID, Subject

SAME_COMMAND = 4096
"""Bytes within which `Parsing config from web.cfg` repeats the `xl create web.cfg` before it."""
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
    nameless = subject.name.isdigit() or subject.name == subject.uuid
    if nameless and operation.target and subject.domid == operation.domid:
        return replace(subject, name=operation.target)
    return subject


def guest_of(event: Event) -> tuple[str | None, int | None]:
    """Name and domid of the guest that the event names; None for what it does not say."""
    subject = event.subject
    if subject.kind != "domain" or not subject.is_named:
        domid = event.fields.get("domid", "")
        return None, int(domid) if domid.isdigit() and 0 < int(domid[:9]) < FIRST_OWN_DOMID else None
    name = None if subject.name.isdigit() or subject.name == subject.uuid else subject.name
    return name, subject.domid


def placed_in(event: Event, subject: Subject, key: str | None, phase: str | None, operation: Operation | None) -> Event:
    """The event with its place in an operation."""
    if key is None and operation is None and phase == event.phase and subject is event.subject:
        return event
    return Event(
        event.kind, subject, event.at, event.fields, event.record, event.rule, key, phase,
        verb=(operation.verb or None) if operation is not None else None,
        target=operation.target if operation is not None else None,
        guest_phase=event.guest_phase,
        times=event.times,
    )  # fmt: skip


def time_of(of: Event | PlacedMark) -> float | None:
    """When it was written; None where the record carries no time of its own."""
    if isinstance(of, PlacedMark):
        return of.at if of.place.logged else None
    return of.at if of.record is not None and of.record.logged else None


def are_near(earlier: Event, later: Event | PlacedMark) -> bool:
    """Whether both may belong to one burst of lines."""
    one, other = time_of(earlier), time_of(later)
    return one is None or other is None or abs(other - one) <= BURST


def lasts(operation: Operation, event: Event) -> bool:
    """Whether the operation may still be under way when the event comes."""
    at = time_of(event)
    return at is None or operation.last_seen is None or at - operation.last_seen <= LASTS


def may_be_before(operation: Operation, changed: float) -> bool:
    """Whether it may have begun by the time at which a log without times was changed last."""
    if operation.started is not None:
        return operation.started <= changed
    return operation.last_seen is None or operation.last_seen <= changed + LASTS


def is_about(operation: Operation, mark: PlacedMark) -> bool:
    """Whether the mark names the guest of the operation."""
    same_name = mark.target is not None and mark.target == operation.target
    return same_name or (mark.domid is not None and mark.domid == operation.domid)


def is_under_way_for(operation: Operation, mark: PlacedMark) -> bool:
    """The same, of an operation that has not ended."""
    return operation.outcome == "under way" and is_about(operation, mark)


def is_known(current: Operation | None, mark: PlacedMark) -> bool:
    """Whether what the mark says of the guest is known, or nothing that this log is believed about."""
    if mark.mark.step == "config":  # beside a command it may be any guest's
        return current is not None or mark.place.source.format.shared
    return mark.mark.step in ("about", "told") and current is not None and is_under_way_for(current, mark)


def may_be_under_way(operation: Operation, event: Event) -> bool:
    """Whether a dated line that names nobody may have been written during the operation."""
    at = time_of(event)
    if at is None or operation.started is None or operation.host != event.subject.host:
        return False
    if operation.outcome == "running" or not (operation.verb in STARTING or _is_typed_in_log_of(operation, event)):
        return False
    longest = AFTERWARDS if operation.phase == TEARDOWN else LASTS
    return operation.started <= at <= (operation.last_seen or at) + longest


def _is_typed_in_log_of(operation: Operation, event: Event) -> bool:
    """Whether what one command wrote is of the command that stands in the same log before it.

    sudo writes down what it runs, and so does systemd of a unit that is only a command line:
    `Started save-web.service - /usr/sbin/xl save web /srv/web.save.`
    """
    record = event.record
    if record is None or not command_of(record.source, record.text):
        return False
    return operation.id.rpartition(":")[0] == record.source.path


def repeats(current: Operation, mark: PlacedMark) -> bool:
    """`Parsing config from web.cfg` is what `xl create web.cfg` says first, not another creation."""
    behind = _bytes_behind(current, mark)
    if behind is None or current.outcome != "under way":
        return False
    if behind == 0:  # two words for it in one line
        return is_about(current, mark)
    if mark.is_named_by_file and current.from_config in ("", mark.target):
        return True  # the file is that of the configuration, which says how the guest is called
    said_itself = "config" in mark.fields or mark.domid is not None
    return said_itself and (mark.target is None or current.target in (None, mark.target))


def names_anew(current: Operation, mark: PlacedMark) -> bool:
    """`xm create web.sxp`, and then `Started domain shop`: the toolstack knows the name, the file only lends one.

    Nor does a host name that was typed short, where the full one is said next.
    """
    if mark.target is None or mark.target == current.target:
        return False
    if current.outcome != "under way" or _bytes_behind(current, mark) is None:
        return False
    typed_short = current.target is not None and mark.target.startswith(f"{current.target}.")
    said = mark.mark.step == "running" and not mark.is_named_by_file
    return typed_short or (current.named_by_file and said)


def _bytes_behind(operation: Operation, mark: PlacedMark) -> int | None:
    """How far behind the begin of an operation in the same log the mark stands; None: elsewhere, or too far."""
    path, _, offset = operation.id.rpartition(":")
    behind = mark.offset - int(offset)
    return behind if path == mark.path and 0 <= behind <= SAME_COMMAND else None


def in_turn(
    by_story: Mapping[str, Sequence[tuple[int, int, PlacedMark | int]]], events: Sequence[Event]
) -> Iterable[str]:
    """The stories in the order in which they are read; each has marks, and events by their index."""
    if len(by_story) == 1:
        return by_story
    return sorted(by_story, key=lambda story: turn_of(story, (line_of(item, events) for *_, item in by_story[story])))


def turn_of(story: str, lines: Iterable[Event | PlacedMark]) -> tuple[bool, float, bool, str]:
    """In which order stories are read, whichever was read first: by time, and what many wrote to after all others.

    Its nameless lines are of what was under way, and that has to be known by then; so do those of a file without times,
    and the commands may stand in another one.
    """
    told = list(lines)
    first = min((at for line in told if (at := time_of(line)) is not None), default=float("inf"))
    begins_nothing = not any(isinstance(line, PlacedMark) for line in told)
    return any(in_shared_log(line) for line in told if isinstance(line, Event)), first, begins_nothing, story


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


def is_a_guess(event: Event, *, at_rest: bool) -> bool:
    """Whether only a guess tells which guest wrote it; the helpers of a start are the host's."""
    record = event.record
    if event.subject.is_named or record is None or not record.guest:
        return False
    return not (at_rest and record.source.format.guest_prompts)


def line_of(item: PlacedMark | int, events: Sequence[Event]) -> Event | PlacedMark:
    """A mark as it is, an event by its place in the list."""
    return item if isinstance(item, PlacedMark) else events[item]
