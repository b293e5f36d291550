"""What changed between two states of an incident: the lines of its history."""

from dataclasses import dataclass

from xenwatch.model.incident import Incident


@dataclass(frozen=True, slots=True)
class Change:
    """`what` is opened, reopened, explained, stands alone, resolved, acknowledged or severity."""

    incident: str
    at: float
    what: str
    detail: str = ""


def changes(before: Incident | None, after: Incident) -> list[Change]:
    """The history lines from `before` to `after`; being seen once more makes none."""
    history: list[Change] = []
    if before is None or before.state != after.state or before.explained_by != after.explained_by:
        history.extend(_state(before, after))
    if after.acknowledged_by and (before is None or before.acknowledged_by != after.acknowledged_by):
        history.append(Change(after.id, after.last_seen, "acknowledged", after.acknowledged_by))
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
