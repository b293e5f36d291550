"""What the administrator allows: modes, limits, rules with their ladders, guests and hosts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from xenwatch.model.action import MODES, Mode, Risk, Trigger
from xenwatch.remediation.policy.inventory import ManagedInventory

HOUR, DAY = 3600.0, 86400.0
BLOCKERS = ("alert", "diagnosis", "class")
"""What `blocked_by` may name: an alert, a known failure by its rule's id, or any failure of a class."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `max_actions` runs started within `window` seconds, `max_concurrent` at one time (0: no bound)."""

    max_actions: int
    window: float
    max_concurrent: int = 0


@dataclass(frozen=True, slots=True)
class CooldownLimits:
    """After a run on a guest the next one waits `cooldown`, doubled each time; `stability` of health resets it."""

    cooldown: float = 600.0
    stability: float = HOUR
    longest: float = DAY


@dataclass(frozen=True, slots=True)
class StormLimit:
    """Many watched objects that fail at once have one cause: then nothing automatic starts."""

    max_unhealthy: float = 0.3
    min_count: int = 3
    within: float = 300.0
    cooldown: float = 900.0


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder."""

    action: str
    params: Mapping[str, str] = field(default_factory=dict)
    max: int = 1
    every: float = 600.0
    needs_approval: bool = False


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """For which incident or alert, on which targets, which actions in which order."""

    name: str
    mode: Mode
    max_risk: Risk
    diagnosis: str
    class_: str
    alert: str
    labels: Mapping[str, str]
    holds_for: float
    selectors: tuple[str, ...]
    max_targets: int
    blocked_by: tuple[str, ...]
    ladder: tuple[Rung, ...]

    def matches(self, trigger: Trigger) -> bool:
        """Whether this rule is for such a trigger; a rule that names none is for nothing."""
        ids = (trigger.name, *trigger.aliases)
        is_named = (
            (trigger.source == "incident" and bool(self.diagnosis) and self.diagnosis in ids)
            or (trigger.source == "incident" and trigger.class_ == self.class_ != "")
            or (trigger.source == "alert" and trigger.name == self.alert != "")
        )
        return is_named and all(trigger.labels.get(key) == value for key, value in self.labels.items())


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole file; every run keeps its `hash`, so that a run of an older policy is never carried out."""

    inventory: ManagedInventory
    enabled: bool = True
    mode: Mode = "observe"
    limits: Mapping[str, Limit] = field(default_factory=dict)
    """Keys: global, host, guest, class.L0 …, action.<name>."""
    fleet: Limit = Limit(20, HOUR, 2)
    """Of all hosts of the fleet together: `max_concurrent` is how many slots there are."""
    cooldown: CooldownLimits = CooldownLimits()
    storm: StormLimit = StormLimit()
    breaker_after: int = 3
    approval_ttl: float = 900.0
    four_eyes_from: Risk = "L3"
    maintenance_ttl: float = 3 * DAY
    services: tuple[str, ...] = ()
    """Units that may be restarted beside the built-in ones."""
    core_dump_dir: str = "/var/lib/xen/dump"
    migrate_timeout: float = HOUR
    min_free_mib: int = 256
    rules: tuple[PolicyRule, ...] = ()
    hash: str = ""

    def effective(self, rule: PolicyRule) -> Mode:
        """The lower of the global mode and the rule's."""
        return min(self.mode, rule.mode, key=MODES.index)


DEFAULT_LIMITS = {
    "global": Limit(6, HOUR, 1),
    "host": Limit(3, HOUR, 1),
    "guest": Limit(2, 6 * HOUR, 1),
    "class.L3": Limit(2, DAY),
}
