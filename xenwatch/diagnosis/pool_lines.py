"""Where an agent also reads the logs of a pool: which host a line is about, its own or one that the pool names."""

from dataclasses import replace

from xenwatch.diagnosis.hosts import host_name
from xenwatch.model.event import Event
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import HOST_NAME, Subject

_API = "xapi:"
"""What a log is called that is no file but what the API of a pool tells: of the pool as a whole."""


def on_its_host(event: Event) -> Event:
    """On a running host all is its own, but for logs that are known to be of another: those of a pool's API."""
    record = event.record
    if record is None or record.source.host is None:
        return event
    return event._replace(subject=_in_pool(event.subject, record).on(record.source.host))


def _in_pool(subject: Subject, record: LogRecord) -> Subject:
    """Each host of a pool counts its domids from 1, so that a domid alone is nobody there: the host is told of."""
    named = host_name(record.host) if record.host and not record.source.path.startswith(_API) else None
    wrote = Subject("host", named or HOST_NAME)
    if subject.kind == "domain":
        return wrote if subject.name.isdigit() or not subject.is_named else replace(subject, domid=None)
    return wrote if subject.is_host else subject
