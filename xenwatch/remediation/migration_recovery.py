"""What to do about an interrupted `xl migrate`, by the state of both ends after both xl processes are dead."""

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
    """The state of both ends at one moment."""

    source: Source
    target: Target


def source_end(rows: Sequence[ListedDomain], name: str) -> Source:
    """The state at the source, by the guest's domains there."""
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
    """The state at the target, by the guest's domains there."""
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
    """One move, after which both ends are checked again. It is correct only while no xl runs at either end.

    One copy is destroyed, and proven absent, before the other one runs: a copy that could still be resumed would
    otherwise run beside it. Of a suspended source and a paused target the source is kept: it has everything.
    """
    source, target = ends.source, ends.target
    if "unclear" in (source, target):
        return "person"
    if source == "run":
        return {"none": "done", "run": "person"}.get(target, "destroy_target")  # type: ignore[return-value]
    if source in ("suspended", "away"):
        return {"none": "resume_source", "run": "destroy_source"}.get(target, "destroy_target")  # type: ignore[return-value]
    return {"none": "person", "run": "done"}.get(target, "unpause_target")  # type: ignore[return-value]
