"""A trouble over time: opened once, seen again, explained, resolved, reopened."""

from dataclasses import dataclass
from typing import Literal, get_args

from xenwatch.model.diagnosis import Diagnosis

State = Literal["open", "explained", "resolved"]

MOVES: dict[State, frozenset[State]] = {
    "open": frozenset({"explained", "resolved"}),
    "explained": frozenset({"open", "resolved"}),
    "resolved": frozenset({"open"}),
}
"""The one table of state moves; any other move is an error."""


RemarkKind = Literal["acknowledged", "taken back", "closed", "note", "right", "wrong"]
REMARK_KINDS: tuple[RemarkKind, ...] = get_args(RemarkKind)
VERDICTS: tuple[RemarkKind, ...] = ("right", "wrong")
"""What a person says of the diagnosis itself, for the authors of rules."""
LONGEST_REMARK = 1000
"""Characters of a remark's text."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person did or said about an incident; `taken back` ends an acknowledgement, `closed` the incident."""

    at: float
    who: str
    what: RemarkKind
    text: str = ""
    until: float | None = None
    """Of an acknowledgement: when it ends by itself. None: with the incident."""


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
    acknowledged_until: float | None = None
    """When the acknowledgement ends by itself."""
    remarks: tuple[Remark, ...] = ()
    """What people did and said, oldest first."""
