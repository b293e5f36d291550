"""Finds the operation that a line belongs to by what the line names and by when it was written."""

from xenwatch.diagnosis.operations.marks import PlacedMark
from xenwatch.diagnosis.operations.placement import LASTS, host_of, may_be_before, may_be_under_way, time_of
from xenwatch.diagnosis.operations.seen import SeenOperations
from xenwatch.model.event import Event

_MOST_UNDER_WAY = 64
"""The newest operations, among which one that is under way is looked for."""


def nearest(
    operations: SeenOperations,
    name: str | None,
    domid: int | None,
    near: Event | PlacedMark,
    other_log: str | None = None,
) -> str | None:
    """The operation on that guest nearest in time, in whatever log it was seen."""
    at, latest = time_of(near), None
    for operation in operations.about(host_of(near), name, domid, other_log=other_log):
        if at is None and may_be_before(operation, near.at):
            return operation.id
        if at is not None and (operation.started is None or abs(at - (operation.last_seen or at)) <= LASTS):
            return operation.id
        latest = latest or operation.id
    return latest if at is None else None


def under_way(operations: SeenOperations, event: Event) -> str | None:
    """The one operation during which a dated line that names nobody was written; None where there are several."""
    recent = operations.recent(_MOST_UNDER_WAY)
    possible = {o.target or o.id: o.id for o in recent if may_be_under_way(o, event)}
    return next(iter(possible.values())) if len(possible) == 1 else None
