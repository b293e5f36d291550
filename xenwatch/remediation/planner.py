"""From a trigger to one proposal: which rule, which rung, which plan; or why nothing is proposed."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from xenwatch.base.clock import Clock
from xenwatch.base.errors import XenwatchError
from xenwatch.model.action import AGENT, REPEATABLE, RISKS, Proposal, Trigger
from xenwatch.model.subject import Subject
from xenwatch.remediation.action import Action, Context, Finding, Plan, plan_hash
from xenwatch.remediation.guards.admission import Refusal
from xenwatch.remediation.guards.coordination import acts_by_lease
from xenwatch.remediation.guards.ownership import check_owner
from xenwatch.remediation.machine.port import Machine
from xenwatch.remediation.policy.inventory import Guest, narrowness, selects
from xenwatch.remediation.policy.policy import Policy, PolicyRule, Rung
from xenwatch.remediation.store import runs, triggers
from xenwatch.remediation.store.async_store import AsyncRunStore
from xenwatch.remediation.store.transaction import View


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be done, with all that was checked; `refusal` says why it is not proposed."""

    trigger: Trigger
    proposal: Proposal | None = None
    refusal: Refusal | None = None
    findings: tuple[Finding, ...] = ()
    plan: tuple[str, ...] = ()
    """The steps, one line each."""


class Planner:
    """Reads the policy, the run store and the machine; changes none of them."""

    def __init__(
        self,
        policy: Policy,
        actions: Mapping[str, Action],
        store: AsyncRunStore,
        machine: Machine,
        clock: Clock,
        *,
        is_fleet: bool = False,
    ) -> None:
        """`is_fleet`: leases over hosts exist, so an action on two of them may do without a person."""
        self._policy, self._actions, self._store = policy, actions, store
        self._machine, self._clock, self._is_fleet = machine, clock, is_fleet

    async def draft(self, trigger: Trigger) -> Draft:
        """For a trigger: the proposal of the rule with the narrowest scope, or the reason against one."""
        resolved = self._policy.inventory.resolve(trigger.target)
        if resolved is None:
            return Draft(trigger, refusal=Refusal("inventory", f"{trigger.target} is not a guest of the policy"))
        target, guest = resolved
        rule, target = self._rule_and_target(trigger, target, guest)
        if rule is None:
            return Draft(
                trigger, refusal=Refusal("no_rule", f"no rule of the policy is for {trigger.name} of {target}")
            )
        rung = await self._store.read(
            lambda view: self._reserved(view, trigger, rule) or self._rung(view, rule, trigger, target)
        )
        if isinstance(rung, Refusal):
            return Draft(trigger, refusal=rung)
        if guest is None and not self._acts_on(rung, target) and self._acts_on(rung, resolved[0]):
            target = resolved[0]  # a rule for the host, an action for the volume that the trigger names
        return await self._draft_rung(trigger, target, guest, rule, rung)

    async def requested(self, action: str, subject: Subject, params: Mapping[str, str], requester: str) -> Draft:
        """For a person's request: the same checks; the risk decides whether a second person must approve."""
        starts_at = f"{self._clock.now():.3f}"
        trigger = Trigger("manual", action, subject, f"{requester}/{action}/{sorted(params.items())}", starts_at)
        resolved = self._policy.inventory.resolve(subject)
        if resolved is None:
            return Draft(trigger, refusal=Refusal("inventory", f"{subject} is not a guest of the policy"))
        target, guest = resolved
        trigger = replace(trigger, target=target)
        rung = Rung(action, dict(params), needs_approval=True)
        return await self._build(trigger, target, guest, rule=None, rung=rung, requester=requester)

    def _acts_on(self, rung: Rung, target: Subject) -> bool:
        action = self._actions.get(rung.action)
        return action is not None and action.acts_on(target)

    def _rule_and_target(
        self, trigger: Trigger, target: Subject, guest: Guest | None
    ) -> tuple[PolicyRule | None, Subject]:
        """The rule for a trigger, and what it acts on: a rule for the host is also for a disk or an array of it."""
        rule = self._rule(trigger, target, guest)
        if rule is None and guest is None and not target.host:
            here = Subject("host", self._policy.inventory.here)
            rule = self._rule(trigger, here, None)
            target = here if rule is not None else target
        return rule, target

    def _rule(self, trigger: Trigger, target: Subject, guest: Guest | None) -> PolicyRule | None:
        matching = [
            r
            for r in self._policy.rules
            if r.matches(trigger) and selects(r.selectors, target, guest) and self._is_for_side(r, target)
        ]
        risk = {rule.name: RISKS.index(self._actions[rule.ladder[0].action].risk) for rule in matching}
        return min(matching, key=lambda r: (-narrowness(r.selectors), risk[r.name], r.name), default=None)

    def _is_for_side(self, rule: PolicyRule, target: Subject) -> bool:
        """A tag may be on guests of this host and of a pool: the rule that can do something for this one counts."""
        actions = [self._actions[rung.action] for rung in rule.ladder]
        return any(action.message_only or action.of_pool == bool(target.host) for action in actions)

    def _reserved(self, view: View, trigger: Trigger, rule: PolicyRule) -> Refusal | None:
        """A person has acknowledged the incident, or the rule for its cause acts instead."""
        if trigger.acknowledged_by and self._policy.effective(rule) == "auto":
            return Refusal(
                "acknowledged", f"{trigger.acknowledged_by} acknowledged it, so nothing starts automatically"
            )
        if not trigger.explained_by:
            return None
        for cause in triggers.active_of_incident(view, trigger.explained_by):
            resolved = self._policy.inventory.resolve(cause.target)
            other = self._rule_and_target(cause, *resolved)[0] if resolved is not None else None
            if other is not None:
                return Refusal("cause", f"its cause is {cause.name}, and the rule {other.name} acts on that")
        return None

    def _rung(self, view: View, rule: PolicyRule, trigger: Trigger, target: Subject) -> Rung | Refusal:
        first_seen = triggers.first_seen(view, trigger.key)
        if first_seen is not None and view.at - first_seen < rule.holds_for:
            return Refusal("too_early", f"{trigger.name} must last {rule.holds_for:g} s")
        others = runs.other_targets(view, rule.name, target.key)
        if others >= rule.max_targets:
            return Refusal("max_targets", f"{rule.name} is acting on {others} other target(s)")
        allowed: Counter[str] = Counter()
        for rung in rule.ladder:
            allowed[rung.action] += rung.max  # a later rung with the same action begins where the earlier one ended
            attempts = runs.attempts(view, trigger.key, rule.name, rung.action)
            if attempts.used < allowed[rung.action] and not attempts.succeeded:
                pause = attempts.last + rung.every - view.at if attempts.last is not None else 0.0
                return Refusal("every", f"{rung.action} may be tried again in {pause:.0f} s") if pause > 0 else rung
        notified = self._actions[rule.ladder[-1].action].message_only
        return Refusal("told" if notified else "ladder", f"every rung of {rule.name} was used")

    async def _draft_rung(
        self, trigger: Trigger, target: Subject, guest: Guest | None, rule: PolicyRule, rung: Rung
    ) -> Draft:
        draft = await self._build(trigger, target, guest, rule=rule, rung=rung, requester=AGENT)
        if draft.proposal is not None and self._policy.effective(rule) == "observe":
            reason = f"the mode is observe; otherwise {rung.action} of {target} would be proposed"
            return replace(draft, refusal=Refusal("mode", reason))
        return draft

    async def _build(
        self,
        trigger: Trigger,
        target: Subject,
        guest: Guest | None,
        *,
        rule: PolicyRule | None,
        rung: Rung,
        requester: str,
    ) -> Draft:
        action = self._actions.get(rung.action)
        if action is None or not action.acts_on(target):
            what = f"a {target.kind} of a pool" if target.host else f"a {target.kind}"
            return Draft(trigger, refusal=Refusal("catalogue", f"there is no action {rung.action!r} for {what}"))
        unexpected = set(rung.params) - set(action.params)
        if unexpected:
            return Draft(
                trigger, refusal=Refusal("catalogue", f"{rung.action} has no parameter {', '.join(sorted(unexpected))}")
            )
        context = Context(self._machine, self._clock, self._policy, target, guest, rung.params, approved=rule is None)
        try:
            findings = [*await check_owner(context), *await action.check(context.fresh())]
            plan = await action.plan(context) if all(f.holds for f in findings) else Plan()
        except XenwatchError as error:
            return Draft(trigger, refusal=Refusal("precondition", str(error)))
        failed = next((f for f in findings if not f.holds), None)
        if failed is not None:
            refusal = Refusal("precondition", f"{failed.check} is {failed.outcome}: {failed.detail}")
            return Draft(trigger, refusal=refusal, findings=tuple(findings))
        proposal = await self._store.read(
            lambda view: self._proposal(
                view, trigger, target, action, plan=plan, rule=rule, rung=rung, requester=requester
            )
        )
        return Draft(trigger, proposal, findings=tuple(findings), plan=plan.description)

    def _proposal(
        self,
        view: View,
        trigger: Trigger,
        target: Subject,
        action: Action,
        *,
        plan: Plan,
        rule: PolicyRule | None,
        rung: Rung,
        requester: str,
    ) -> Proposal:
        policy = self._policy
        mode = policy.effective(rule) if rule else "propose"
        four_eyes = RISKS.index(action.risk) >= RISKS.index(policy.four_eyes_from)
        name = rule.name if rule else ""
        return Proposal(
            action=action.name, target=target, params=dict(rung.params), rule=name, mode=mode, risk=action.risk,
            trigger=trigger, host=target.host or policy.inventory.here,
            dedupe_key=self._dedupe_key(view, trigger, name, target),
            policy_hash=policy.hash, plan_hash=plan_hash(action, target, rung.params, plan), plan=plan.description,
            needs_approval=mode != "auto" or rung.needs_approval or four_eyes or self._needs_person(action, target),
            expires=view.at + policy.approval_ttl, requester=requester, four_eyes=four_eyes,
        )  # fmt: skip

    def _needs_person(self, action: Action, target: Subject) -> bool:
        guest = self._policy.inventory.guest(target) if target.kind == "domain" else None
        return action.cross_host and not (self._is_fleet and acts_by_lease(action, guest))

    def _dedupe_key(self, view: View, trigger: Trigger, rule: str, target: Subject) -> str:
        """The same trigger has one run at a time; the next one only after that ended, as a step of the ladder."""
        outcomes = runs.outcomes(view, trigger.key, rule)
        done = sum(
            state in REPEATABLE or (state == "succeeded" and not self._actions[action].repairs)
            for action, state in outcomes
        )
        content = "|".join((trigger.key, rule, self._policy.hash if rule else "", target.key, str(done)))
        return hashlib.sha256(content.encode()).hexdigest()


def proposal_of(draft: Draft) -> Proposal:
    """The proposal of a draft that nothing refuses."""
    if draft.proposal is None:
        raise XenwatchError(
            f"{draft.trigger.name} of {draft.trigger.target}: the planner gave neither a proposal nor a refusal; "
            "nothing is done. This is a mistake in xenwatch: please report it."
        )
    return draft.proposal
