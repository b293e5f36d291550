"""What to do about an interrupted `xl migrate`, by what is left at both ends once both xl processes are dead."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from xenwatch.remediation.machine.presence import ListedDomain

Source = Literal["none", "run", "suspended", "away", "unclear"]
"""At the source: nothing, running, suspended under its name, suspended as N--migratedaway, anything else."""
Target = Literal["none", "incoming", "paused", "run", "unclear"]
"""At the target: nothing, N--incoming paused, N paused, N running, anything else."""
Move = Literal["done", "destroy_target", "resume_source", "destroy_source", "unpause_target", "person"]


@dataclass(frozen=True, slots=True)
class MigrationEnds:
    """Both ends at one moment."""

    source: Source
    target: Target


def source_end(rows: Sequence[ListedDomain], name: str) -> Source:
    """What the guest's rows at the source are."""
    if not rows:
        return "none"
    row = rows[0]
    if len(rows) > 1 or {"c", "d"} & set(row.state):
        return "unclear"
    if row.name == f"{name}--migratedaway":
        return "away" if "s" in row.state else "unclear"
    if row.name != name:
        return "unclear"
    return "suspended" if "s" in row.state else "unclear" if "p" in row.state else "run"


def target_end(rows: Sequence[ListedDomain], name: str) -> Target:
    """What the guest's rows at the target are."""
    if not rows:
        return "none"
    row = rows[0]
    if len(rows) > 1 or {"c", "d", "s"} & set(row.state):
        return "unclear"
    if row.name == f"{name}--incoming":
        return "incoming"
    if row.name != name:
        return "unclear"
    return "paused" if "p" in row.state else "run"


def next_move(ends: MigrationEnds) -> Move:
    """One move, after which both ends are looked at again. Right only while no xl lives at either end.

    The loser is destroyed, and seen gone, before the winner goes on: a copy that could still be woken up would
    otherwise run beside it. Of a suspended source and a paused target the source wins: it has everything.
    """
    source, target = ends.source, ends.target
    if "unclear" in (source, target):
        return "person"
    if source == "run":
        return {"none": "done", "run": "person"}.get(target, "destroy_target")  # type: ignore[return-value]
    if source in ("suspended", "away"):
        return {"none": "resume_source", "run": "destroy_source"}.get(target, "destroy_target")  # type: ignore[return-value]
    return {"none": "person", "run": "done"}.get(target, "unpause_target")  # type: ignore[return-value]
