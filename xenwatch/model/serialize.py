"""Events as JSON and back, so that correlation goes on after a restart."""

from typing import Any

from xenwatch.model.event import Event
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.subject import Subject


def subject_state(subject: Subject) -> list[Any]:
    """A subject as JSON."""
    return [subject.kind, subject.name, subject.uuid, subject.domid]


def subject_from(state: list[Any]) -> Subject:
    """The subject of `subject_state`."""
    kind, name, uuid, domid = state
    return Subject(str(kind), str(name), uuid, domid)


def event_state(event: Event) -> dict[str, Any]:
    """An event as JSON, its record included."""
    return {
        "kind": event.kind,
        "subject": subject_state(event.subject),
        "at": event.at,
        "fields": dict(event.fields),
        "rule": event.rule,
        "record": record_state(event.record) if event.record else None,
    }


def event_from(state: dict[str, Any]) -> Event:
    """The event of `event_state`."""
    record = record_from(state["record"]) if state["record"] else None
    fields = {str(k): str(v) for k, v in state["fields"].items()}
    return Event(state["kind"], subject_from(state["subject"]), float(state["at"]), fields, record, state["rule"])


def record_state(record: LogRecord) -> list[Any]:
    """A record as JSON."""
    source = record.source
    return [source.path, source.format.name, record.text, record.at, record.logged, list(record.position), record.guest]


def record_from(state: list[Any]) -> LogRecord:
    """The record, with its dialect known by name alone: it is evidence now and will not be cut again."""
    path, format_name, text, at, logged, position, *guest = state
    source = Source(path, LogFormat(format_name, format_name))
    return LogRecord(source, text, float(at), bool(logged), Position(*position), guest=any(guest))
