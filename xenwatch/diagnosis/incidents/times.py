"""Since when and until when a trouble was seen: a line without a time of its own has the time of reading at best."""

from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord


def seen_span(known: Incident, diagnosis: Diagnosis, *, at_rest: bool) -> tuple[float, float]:
    """First and last time. In logs at rest, dmesg repeats what syslog has with its time; that time counts alone."""
    if at_rest and _has_time(known.diagnosis) != _has_time(diagnosis):
        return (known.opened, known.last_seen) if _has_time(known.diagnosis) else (diagnosis.at, diagnosis.at)
    return min(known.opened, diagnosis.at), max(known.last_seen, diagnosis.at)


def _has_time(diagnosis: Diagnosis) -> bool:
    records = [piece.origin for piece in diagnosis.evidence if isinstance(piece.origin, LogRecord)]
    return not records or any(record.logged for record in records)
