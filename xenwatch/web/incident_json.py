"""An incident as the API shows it, its times in UTC."""

from datetime import UTC, datetime
from typing import Any

from xenwatch.model.incident import Incident
from xenwatch.model.public_json import public_incident, public_row


def incident_json(incident: Incident) -> dict[str, Any]:
    """All that is known of an incident."""
    return public_incident(incident, stamp)


def incident_row(incident: Incident) -> dict[str, Any]:
    """One line of a list."""
    return public_row(incident, stamp)


def stamp(at: float | None) -> str | None:
    """A moment in UTC, such as 2026-03-01T12:00:00Z; None where it is unknown or is no moment."""
    if at is None:
        return None
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None
