"""What a person's remark changes in an incident: who looks after it and until when, and what is kept of it."""

from dataclasses import replace

from xenwatch.model.incident import Incident, Remark

MOST_REMARKS = 100
"""The oldest is dropped for one more."""


def with_remark(incident: Incident, remark: Remark) -> Incident:
    """The incident with the remark; whether it is over is for the tracker to say."""
    kept = replace(incident, remarks=(*incident.remarks, remark)[-MOST_REMARKS:])
    if remark.what == "acknowledged":
        return replace(kept, acknowledged_by=remark.who, acknowledged_until=remark.until)
    if remark.what == "taken back":
        return replace(kept, acknowledged_by=None, acknowledged_until=None)
    return kept


def without_late_acknowledgement(incident: Incident, now: float) -> Incident:
    """The same, unless the time for which somebody wanted to look after it is over."""
    if incident.acknowledged_until is None or now < incident.acknowledged_until:
        return incident
    return replace(incident, acknowledged_by=None, acknowledged_until=None)
