"""Everything that may stop a run from starting, asked in order, in the transaction that lets it start."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from xenwatch.model.action import RISKS, ActionRun, Trigger
from xenwatch.remediation.action import Action
from xenwatch.remediation.guards import approvals, breaker, budget, cooldown, kill_switch, storm
from xenwatch.remediation.policy.policy import Policy, PolicyRule
from xenwatch.remediation.store import runs, triggers
from xenwatch.remediation.store.transaction import Transaction, View


@dataclass(frozen=True, slots=True)
class Refusal:
    """Which guard refused, and why."""

    guard: str
    reason: str


def admission(
    transaction: Transaction, run: ActionRun, action: Action, policy: Policy, *, is_fleet: bool = False
) -> Refusal | None:
    """None where the run may start: its budget is then reserved. Otherwise the refusal of the first guard.

    `is_fleet`: a lease of the fleet is held, or will be asked for after this; without it a person must approve.
    """
    approver = approvals.approver(transaction, run)
    refusal = _guards_for_all(transaction, run, action, policy, has_leave=is_fleet or approver is not None)
    if refusal is None and approver is None:
        refusal = _guards_without_approval(transaction, run, action, policy)
    if refusal is None:
        refusal = _budget_guards(transaction, run, action, policy)
    if refusal is None:
        approvals.mark_used(transaction, run)
    return refusal


def validity(view: View, run: ActionRun, policy: Policy) -> Refusal | None:
    """Asked again in the transaction that moves to `executing`: what admitted the run must still be valid."""
    if (reason := kill_switch.off_reason(view)) is not None:
        return Refusal("switch", reason)
    if run.proposal.policy_hash != policy.hash:
        return Refusal("superseded", "the policy was changed after this was planned")
    if view.at >= run.proposal.expires:
        return Refusal("expired", "the time to act on this plan is over")
    if run.proposal.needs_approval and approvals.approver(view, run) is None:
        return Refusal("approval", "this run waits for a person's approval")
    return None


def _guards_for_all(view: View, run: ActionRun, action: Action, policy: Policy, *, has_leave: bool) -> Refusal | None:
    """What holds back an approved run too."""
    if not policy.enabled:
        return Refusal("switch", "remediation is disabled in the policy")
    if (refusal := validity(view, run, policy)) is not None:
        return refusal
    if action.cross_host and not has_leave:
        return Refusal(
            "coordination", "there is no lease over several hosts, so an action on another host needs an approval"
        )
    return None if action.message_only or action.recovery else _guards_after_failures(view, run, action)


def _guards_after_failures(view: View, run: ActionRun, action: Action) -> Refusal | None:
    """What earlier runs hold back."""
    unknown = runs.unknown_on(view, run.proposal.target.key, run.id)
    if unknown:
        return Refusal("unknown", f"run {unknown[0]} on this target ended unknown; a person must settle it first")
    breaker_reason = breaker.open_reason(view)
    if breaker_reason is not None and action.changes_something:
        return Refusal("breaker", breaker_reason)
    return None


def _guards_without_approval(view: View, run: ActionRun, action: Action, policy: Policy) -> Refusal | None:
    """What holds back only a run that nobody approved."""
    proposal = run.proposal
    if proposal.mode != "auto" or proposal.risk == RISKS[-1]:
        return Refusal("mode", f"the mode is {proposal.mode} and the risk {proposal.risk}")
    reason = kill_switch.maintenance_reason(view, f"host/{proposal.host}", proposal.target.key)
    if reason is not None:
        return Refusal("maintenance", reason)
    if storm.is_active(view) and not action.message_only:
        return Refusal("storm", "too much fails at once")
    rule = next((rule for rule in policy.rules if rule.name == proposal.rule), None)
    return None if rule is None else _blocker(view, rule)


def _blocker(view: View, rule: PolicyRule) -> Refusal | None:
    """Another incident or alert during which a rule does not act; `*` stands for anything."""
    active = triggers.active(view)
    for blocker in rule.blocked_by:
        kind, _, pattern = blocker.partition(":")
        if any(fnmatchcase(name, pattern) for trigger in active for name in _names_as(trigger, kind)):
            return Refusal("blocked_by", f"{blocker} is active too")
    return None


def _names_as(trigger: Trigger, kind: str) -> tuple[str, ...]:
    """The names of a trigger as a `kind` (one of BLOCKERS), former ids included; none where it is not of that kind."""
    if kind == "class":
        return (trigger.class_,) if trigger.class_ else ()
    is_kind = trigger.source == {"alert": "alert", "diagnosis": "incident"}[kind]
    return (trigger.name, *trigger.aliases) if is_kind else ()


def _budget_guards(transaction: Transaction, run: ActionRun, action: Action, policy: Policy) -> Refusal | None:
    proposal = run.proposal
    limits = {} if action.message_only else policy.limits
    if action.changes_something:
        reason = cooldown.refusal_reason(transaction, proposal.target.key, policy.cooldown)
        if reason is not None:
            return Refusal("cooldown", reason)
    else:
        limits = {key: limit for key, limit in limits.items() if key.startswith(("class.", "action."))}
    reason = budget.reserve(transaction, run.id, proposal, limits)
    return None if reason is None else Refusal("budget", reason)
