"""Since when and until when a trouble was seen: a line without a time of its own has the time of reading at best."""

from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.record import LogRecord

ZONES = 14 * 3600.0
"""Seconds by which a local time of an unknown zone may be ahead."""


def is_dated(diagnosis: Diagnosis) -> bool:
    """Whether one of its lines carries its own time, or nothing of it is a line."""
    records = [piece.origin for piece in diagnosis.evidence if isinstance(piece.origin, LogRecord)]
    return not records or any(record.logged for record in records)


def seen_span(known: tuple[float, float], at: float, *, known_is_dated: bool, is_dated: bool) -> tuple[float, float]:
    """First and last time, with one more sighting in logs at rest.

    dmesg repeats what syslog has with its time; that time counts alone.
    """
    if known_is_dated != is_dated:
        return known if known_is_dated else (at, at)
    return min(known[0], at), max(known[1], at)
