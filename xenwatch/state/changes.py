"""What changed between two states of an incident: the lines of its history."""

from dataclasses import dataclass

from xenwatch.base.durations import format_duration
from xenwatch.model.incident import Incident, Remark


@dataclass(frozen=True, slots=True)
class Change:
    """`what` is opened, reopened, explained, stands alone, resolved, severity, or the kind of a person's remark."""

    incident: str
    at: float
    what: str
    detail: str = ""


def changes(before: Incident | None, after: Incident) -> list[Change]:
    """The history lines from `before` to `after`; being seen once more makes none."""
    history: list[Change] = []
    if before is None or before.state != after.state or before.explained_by != after.explained_by:
        history.extend(_state(before, after))
    known = frozenset(before.remarks if before else ())
    new = [remark for remark in after.remarks if remark not in known]
    history.extend(Change(after.id, remark.at, remark.what, _words(remark)) for remark in new)
    history.extend(_acknowledgement(before, after, new))
    if before and before.diagnosis.severity != after.diagnosis.severity:
        history.append(Change(after.id, after.last_seen, "severity", after.diagnosis.severity))
    return history


def _state(before: Incident | None, after: Incident) -> list[Change]:
    history = [] if before else [Change(after.id, after.opened, "opened", after.diagnosis.summary)]
    match after.state:
        case "explained":
            history.append(Change(after.id, after.last_seen, "explained", after.explained_by or ""))
        case "resolved":
            history.append(Change(after.id, after.resolved or after.last_seen, "resolved"))
        case "open" if before and before.state == "resolved":
            history.append(Change(after.id, after.last_seen, "reopened", after.diagnosis.summary))
        case "open" if before:
            history.append(Change(after.id, after.last_seen, "stands alone"))
    return history


def _acknowledgement(before: Incident | None, after: Incident, said: list[Remark]) -> list[Change]:
    """What no remark says: one of a version that kept none, and the end of one that had a time."""
    was = before.acknowledged_by if before else None
    if was == after.acknowledged_by or any(remark.what in {"acknowledged", "taken back"} for remark in said):
        return []
    if after.acknowledged_by:
        return [Change(after.id, after.last_seen, "acknowledged", after.acknowledged_by)]
    ended = before.acknowledged_until if before else None
    return [] if ended is None else [Change(after.id, ended, "acknowledgement over", was or "")]


def _words(remark: Remark) -> str:
    until = f" for {format_duration(remark.until - remark.at)}" if remark.until is not None else ""
    return f"{remark.who}{until}" + (f": {remark.text}" if remark.text else "")
