"""What remediation proposes and does: triggers, proposals, runs, events and statistics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from xenwatch.model.subject import Subject

Mode = Literal["observe", "propose", "auto"]
MODES: tuple[Mode, ...] = get_args(Mode)
"""From the most cautious up; the effective mode is the lower of the global one and the rule's."""

Risk = Literal["L0", "L1", "L2", "L3", "L4"]
RISKS: tuple[Risk, ...] = get_args(Risk)
"""L0 reads only, L1 is reversible, L2 interrupts a guest, L3 may lose data or service, L4 is never automatic."""

RunState = Literal[
    "new", "proposed", "awaiting_approval", "admitted", "leased", "prechecked", "executing", "verifying",
    "succeeded", "failed", "unknown", "aborted", "expired", "rejected", "cancelled",
]  # fmt: skip

PENDING: tuple[RunState, ...] = ("proposed", "awaiting_approval")
BEFORE_EFFECT: tuple[RunState, ...] = ("admitted", "leased", "prechecked")
"""Admitted, and nothing has been done to the target yet."""
IN_EFFECT: tuple[RunState, ...] = ("executing", "verifying")
"""An order may have reached the target."""
ACTIVE: tuple[RunState, ...] = (*BEFORE_EFFECT, *IN_EFFECT)
ENDED: tuple[RunState, ...] = ("succeeded", "failed", "unknown", "aborted", "expired", "rejected", "cancelled")
WITHOUT_EFFECT: tuple[RunState, ...] = ("aborted", "cancelled")
"""Ends of a run that did nothing: its budget is given back."""
UNUSED: tuple[RunState, ...] = ("aborted", "expired")
"""Ends that do not use up one of the attempts that a rung of the ladder has."""
REPEATABLE: tuple[RunState, ...] = ("failed", *UNUSED)
"""Ends after which the same trigger may have another run."""
UNSUCCESSFUL: tuple[RunState, ...] = ("failed", "unknown")
"""Ends that the circuit breaker counts."""

HOLDING: tuple[RunState, ...] = (*ACTIVE, *UNSUCCESSFUL)
"""States in which a run keeps its slot of the fleet's budget: only success, or nothing done, gives it back."""

AGENT = "xenwatch"
"""The actor of every step that no person took."""

RUN_MOVES: dict[RunState, tuple[RunState, ...]] = {
    "new": ("proposed",),
    "proposed": ("awaiting_approval", "admitted", "expired", "rejected", "cancelled", "aborted"),
    "awaiting_approval": ("admitted", "expired", "rejected", "cancelled", "aborted"),
    "admitted": ("leased", "aborted", "cancelled"),
    "leased": ("prechecked", "aborted", "cancelled"),
    "prechecked": ("executing", "aborted", "cancelled"),
    "executing": ("verifying", "unknown"),
    "verifying": ("succeeded", "failed", "unknown"),
    "unknown": ("succeeded", "failed"),
}
"""The one table of a run's moves; the database refuses any other. Only a person or a recovery leaves `unknown`."""

EventKind = Literal["proposed", "started", "succeeded", "failed", "unknown", "breaker_opened", "page"]


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why remediation is considered: an incident of ours, an alert from outside, or a person. A hint, never a proof."""

    source: Literal["incident", "alert", "manual"]
    name: str
    """The rule's id of an incident, the alert's name, or the action a person asked for."""
    target: Subject
    fingerprint: str
    """With `starts_at` it identifies the trigger; a second delivery of the same one starts nothing."""
    starts_at: str
    class_: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    explained_by: str = ""
    """Fingerprint of the incident that is the cause of this one; empty: no cause is known."""
    acknowledged_by: str = ""
    """Who acknowledged it and works on it."""
    aliases: tuple[str, ...] = ()
    """Former ids of the rule: a policy that names one of them means this rule."""

    @property
    def key(self) -> str:
        """Identifies the trigger: the same for every delivery of it."""
        return f"{self.source}|{self.fingerprint}|{self.starts_at}|{self.name}|{self.target.key}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One action on one target, planned out, not yet admitted."""

    action: str
    target: Subject
    params: Mapping[str, str]
    rule: str
    mode: Mode
    risk: Risk
    trigger: Trigger
    host: str
    dedupe_key: str
    policy_hash: str
    plan_hash: str
    plan: tuple[str, ...]
    """The steps, one line each, with the arguments they would run with."""
    needs_approval: bool
    expires: float
    """Store time at which it expires."""
    requester: str = "xenwatch"
    four_eyes: bool = False


@dataclass(frozen=True, slots=True)
class ActionRun:
    """A proposal in the run store, with the state it has reached."""

    id: str
    proposal: Proposal
    state: RunState
    created: float
    """Store time, seconds."""
    wall: float
    """Wall clock of the same moment, for display."""
    reason: str = ""
    token: int | None = None

    @property
    def is_ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a delivery from outside; only its form was checked."""

    fingerprint: str
    starts_at: str
    firing: bool
    labels: Mapping[str, str]
    sender: str = ""
    """By which way and from which address it came."""


@dataclass(frozen=True, slots=True)
class RemediationEvent:
    """Something reported to people and other systems; `id` stays the same over every attempt to deliver it."""

    id: str
    kind: EventKind
    at: float
    run: str
    summary: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemediationStatistics:
    """What /metrics shows of remediation, as plain numbers."""

    runs: Mapping[tuple[str, str], int]
    """By action and the state the run ended in."""
    blocked: Mapping[str, int]
    """Admissions refused, by guard."""
    in_progress: Mapping[str, int]
    budget_remaining: Mapping[str, int]
    breaker_open: bool
    storm_active: bool
    maintenance_active: bool
    switched_off: bool
    approval_pending: int
    unknown_runs: int
    repeated_successes: int
    """Targets repaired three times or more within seven days: nobody has found the root cause."""
    oldest_open_seconds: float
    fsync_seconds: float
    """The slowest commit since start."""


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One budget of the policy and what is left of it."""

    scope: str
    left: int | None
    """None: each guest has its own."""
    of: int
    window: float
    """Seconds over which it is counted."""


@dataclass(frozen=True, slots=True)
class RemediationOverview:
    """What a person sees of remediation at one moment."""

    mode: Mode
    enabled: bool
    """Whether the policy lets anything happen."""
    switched_off: str | None
    """Who turned the kill switch and why; None while it is on."""
    breaker: str | None
    """Why no run starts after failures; None while they may."""
    statistics: RemediationStatistics
    budgets: tuple[BudgetLine, ...]
    waiting: tuple[ActionRun, ...]
    """Proposed, and not started."""
    active: tuple[ActionRun, ...]
    ended: tuple[ActionRun, ...]
    """The latest first."""
    approved_by: Mapping[str, str] = field(default_factory=dict)
    """Who approved a waiting run, by its id."""
