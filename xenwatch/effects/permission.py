"""Whether a run may begin: asked of the policy that root wrote and of the ledger, never of the agent's word alone."""

from collections.abc import Container
from dataclasses import dataclass

from xenwatch.base.durations import format_duration
from xenwatch.base.errors import InputError
from xenwatch.effects.ledger import Ledger, Start
from xenwatch.effects.record import RunRecord
from xenwatch.model.action import RISKS
from xenwatch.model.subject import HOST, Subject
from xenwatch.remediation.action import Action
from xenwatch.remediation.policy.inventory import Guest, selects
from xenwatch.remediation.policy.policy import Limit, Policy, PolicyRule

_OLDEST = 86400.0
"""Seconds after which a run's id is no longer taken: the ledger remembers for longer, so no id comes back."""
_EXECUTING = "executing"


@dataclass(frozen=True, slots=True)
class Permit:
    """What a run may do it to, and whether a person agreed to its plan."""

    guest: Guest | None
    consented: bool


def permit(
    record: RunRecord, action: Action, policy: Policy, ledger: Ledger, wall: float, repairs: Container[str]
) -> Permit:
    """The permit for the first order of a run; InputError says what stands against it.

    `repairs`: the actions after which the target is left alone for a while.
    """
    if not policy.enabled:
        raise InputError("remediation is disabled in the policy")
    require_executing(record)
    if record.policy_hash != policy.hash:
        raise InputError("the run was planned under another policy")
    _require_new(record, ledger, wall)
    guest = _target(record, action, policy)
    if unexpected := record.params.keys() - set(action.params):
        raise InputError(f"{action.name} has no parameter {', '.join(sorted(unexpected))}")
    consented = _consented(record, action, policy, ledger)
    if not consented:
        _require_rule(record, action, policy, guest)
        _require_rested(record, action, policy, ledger, repairs)
    return Permit(guest, consented)


def require_executing(record: RunRecord) -> None:
    """InputError where the run is in another state than the one in which it acts."""
    if record.state != _EXECUTING:
        raise InputError(f"the run is {record.state}, and only one that is {_EXECUTING} acts")


def budget_of(record: RunRecord, action: Action, policy: Policy, ledger: Ledger, active: list[Start]) -> Start:
    """What the run takes from the budgets; InputError where one of them is used up. `active`: what acts just now."""
    here = policy.inventory.here
    start = Start(record.run, action.name, record.target.key, here, action.risk, ledger.now)
    for key, limit in policy.limits.items():
        if _counts_for(key, start, start) and not action.message_only:
            _require_left(key, limit, start, ledger, active)
    return start


def _require_left(key: str, limit: Limit, start: Start, ledger: Ledger, active: list[Start]) -> None:
    since = ledger.now - limit.window
    used = sum(_counts_for(key, start, other) and other.at > since for other in ledger.starts)
    if used >= limit.max_actions:
        window = format_duration(limit.window)
        raise InputError(f"budget {key}: {used} of {limit.max_actions} actions in {window} are used")
    busy = sum(_counts_for(key, start, other) for other in active)
    if limit.max_concurrent and busy >= limit.max_concurrent:
        raise InputError(f"budget {key}: {busy} of {limit.max_concurrent} concurrent run(s) are active")


def _counts_for(key: str, start: Start, other: Start) -> bool:
    """Whether `other` uses up the budget `key` of `start`. What only reads uses up that of its class and its action."""
    kind, _, name = key.partition(".")
    if kind == "class":
        return name == start.risk == other.risk
    if kind == "action":
        return name == start.action == other.action
    changes = RISKS[0] not in (start.risk, other.risk)
    same = {"global": True, "host": start.host == other.host, "guest": start.target == other.target}
    return changes and same.get(kind, False)


def _require_new(record: RunRecord, ledger: Ledger, wall: float) -> None:
    try:
        age = wall - int(record.run.partition("-")[0], 16) / 1000
    except ValueError:
        raise InputError(f"{record.run[:80]} is not the id of a run") from None
    if abs(age) > _OLDEST:
        raise InputError("the run is older than a day, or from the future")
    if ledger.begun(record.run):
        raise InputError("the run was begun before, and what it had reached is not known here any more")
    if record.token <= ledger.highest_token[record.target.key]:
        raise InputError(f"its token {record.token} is not above the highest that acted on {record.target}")


def _target(record: RunRecord, action: Action, policy: Policy) -> Guest | None:
    target, inventory = record.target, policy.inventory
    if action.of_pool:
        raise InputError(f"{action.name} goes through xapi, for which nobody needs this helper")
    if not action.acts_on(target):
        raise InputError(f"there is no action {action.name} for a {target.kind}")
    if target.kind == HOST.kind and target.name != inventory.here:
        raise InputError(f"{target} is not this host")
    resolved = inventory.resolve(target)
    if resolved is None or resolved[0].key != target.key:
        raise InputError(f"{target} is not a guest of the policy")
    return resolved[1]


def _consented(record: RunRecord, action: Action, policy: Policy, ledger: Ledger) -> bool:
    consent = ledger.consents.get(record.run)
    if consent is None or consent.plan_hash != record.plan_hash:
        return False
    if ledger.now - consent.at > policy.approval_ttl:
        raise InputError(f"the consent of {consent.who} is older than {format_duration(policy.approval_ttl)}")
    if _needs_second(action, policy) and f"human:{consent.who}" == record.requester:
        raise InputError(f"{consent.who} asked for it, so somebody else must consent to it")
    return True


def _needs_second(action: Action, policy: Policy) -> bool:
    return RISKS.index(action.risk) >= RISKS.index(policy.four_eyes_from)


def _require_rule(record: RunRecord, action: Action, policy: Policy, guest: Guest | None) -> None:
    """A rule of the policy must let this action happen by itself, with these parameters, to this target."""
    rule = next((rule for rule in policy.rules if rule.name == record.rule), None)
    if rule is None:
        raise InputError("no person consented to this plan, and no rule of the policy is for it")
    if policy.effective(rule) != "auto":
        raise InputError(f"no person consented to this plan, and the mode of {rule.name} is {policy.effective(rule)}")
    if not _has_rung(rule, record):
        raise InputError(f"{rule.name} has no such step: {action.name} with these parameters, without approval")
    if _needs_second(action, policy) or action.cross_host or action.risk == RISKS[-1]:
        raise InputError(f"{action.name} needs the consent of a person, and nobody consented to this plan")
    if RISKS.index(action.risk) > RISKS.index(rule.max_risk):
        raise InputError(f"{action.name} is {action.risk}, above what {rule.name} allows")
    here = Subject(HOST.kind, policy.inventory.here)
    if not selects(rule.selectors, record.target, guest) and (guest or not selects(rule.selectors, here, None)):
        raise InputError(f"{rule.name} is not for {record.target}")


def _require_rested(record: RunRecord, action: Action, policy: Policy, ledger: Ledger, repairs: Container[str]) -> None:
    """Half of the pause that the policy wants at least: the agent counts it from another moment, and doubles it."""
    if not action.changes_something:
        return
    before = [one.at for one in ledger.starts if one.target == record.target.key and one.action in repairs]
    rested = ledger.now - max(before, default=float("-inf"))
    pause = min(policy.cooldown.cooldown, policy.cooldown.stability) / 2
    if rested < pause:
        ago, wanted = format_duration(rested), format_duration(pause)
        raise InputError(f"something was done to {record.target} {ago} ago, and at least {wanted} must pass")


def _has_rung(rule: PolicyRule, record: RunRecord) -> bool:
    return any(
        rung.action == record.action and dict(rung.params) == dict(record.params) and not rung.needs_approval
        for rung in rule.ladder
    )
