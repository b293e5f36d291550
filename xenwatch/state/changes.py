"""What happened between two looks at an incident: the lines of its history."""

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
    """The history lines that lead from `before` to `after`; being seen once more is none."""
    found: list[Change] = []
    if before is None or before.state != after.state or before.explained_by != after.explained_by:
        found.extend(_state(before, after))
    if after.acknowledged_by and (before is None or before.acknowledged_by != after.acknowledged_by):
        found.append(Change(after.id, after.last_seen, "acknowledged", after.acknowledged_by))
    if before and before.diagnosis.severity != after.diagnosis.severity:
        found.append(Change(after.id, after.last_seen, "severity", after.diagnosis.severity))
    return found


def _state(before: Incident | None, after: Incident) -> list[Change]:
    found = [] if before else [Change(after.id, after.opened, "opened", after.diagnosis.summary)]
    match after.state:
        case "explained":
            found.append(Change(after.id, after.last_seen, "explained", after.explained_by or ""))
        case "resolved":
            found.append(Change(after.id, after.resolved or after.last_seen, "resolved"))
        case "open" if before and before.state == "resolved":
            found.append(Change(after.id, after.last_seen, "reopened", after.diagnosis.summary))
        case "open" if before:
            found.append(Change(after.id, after.last_seen, "stands alone"))
    return found
