"""A trouble over time: opened once, seen again, explained, resolved, reopened."""

from dataclasses import dataclass
from typing import Literal

from xenwatch.model.diagnosis import Diagnosis

State = Literal["open", "explained", "resolved"]

MOVES: dict[State, frozenset[State]] = {
    "open": frozenset({"explained", "resolved"}),
    "explained": frozenset({"open", "resolved"}),
    "resolved": frozenset({"open"}),
}
"""The one table of state moves; any other move is an error."""


@dataclass(frozen=True, slots=True)
class Incident:
    """`id` is stable over restarts: the same trouble (rule and subject) keeps it when it comes back."""

    id: str
    diagnosis: Diagnosis
    state: State
    opened: float
    last_seen: float
    times_seen: int = 1
    resolved: float | None = None
    explained_by: str | None = None
    """Id of the incident that is the cause of this one."""
    acknowledged_by: str | None = None
