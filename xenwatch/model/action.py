"""What remediation proposes and does: triggers, proposals, runs, and the words both are counted by."""

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
UNDERWAY: tuple[RunState, ...] = ("admitted", "leased", "prechecked", "executing", "verifying")
ENDED: tuple[RunState, ...] = ("succeeded", "failed", "unknown", "aborted", "expired", "rejected", "cancelled")

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
    """Why remediation is asked: an incident of ours, an alert from outside, or a person. A hint, never a proof."""

    source: Literal["incident", "alert", "manual"]
    name: str
    """The rule's id of an incident, the alert's name, or the action a person asked for."""
    target: Subject
    fingerprint: str
    """With `starts_at` it says which trouble this is; a second delivery of the same one starts nothing."""
    starts_at: str
    class_: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    explained_by: str = ""
    """Fingerprint of the trouble that is this one's cause; empty: it has none that is known."""
    acknowledged_by: str = ""
    """Who said that they look after it."""
    aliases: tuple[str, ...] = ()
    """Former ids of the rule: a policy that names one of them means it."""

    @property
    def key(self) -> str:
        """The trouble's own name: the same for every delivery of it."""
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
    """The steps in words, each with the very arguments it would run with."""
    needs_approval: bool
    expires: float
    """Journal time at which it lapses."""
    requester: str = "xenwatch"
    four_eyes: bool = False


@dataclass(frozen=True, slots=True)
class ActionRun:
    """A proposal with its place in the journal and the state it has reached."""

    id: str
    proposal: Proposal
    state: RunState
    created: float
    """Journal time, seconds."""
    wall: float
    """Wall clock of the same moment, for display."""
    reason: str = ""
    token: int | None = None

    @property
    def is_ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a delivery from outside, checked in form only."""

    fingerprint: str
    starts_at: str
    firing: bool
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RemediationEvent:
    """Something people and other systems are told; `id` stays the same over every attempt to deliver it."""

    id: str
    kind: EventKind
    at: float
    run: str
    summary: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemediationFigures:
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
    """Guests repaired three times or more within seven days: a root cause nobody has found."""
    oldest_open_seconds: float
    fsync_seconds: float
    """The slowest commit since start."""
