"""From a trouble to one proposal: which rule, which rung, what plan; or why nothing is proposed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xenwatch.base.clock import Clock
from xenwatch.base.errors import XenwatchError
from xenwatch.model.action import RISKS, Proposal, Trigger
from xenwatch.model.subject import Subject
from xenwatch.remediation.action import Action, Context, Finding, Plan, plan_hash
from xenwatch.remediation.guards.admission import Refusal
from xenwatch.remediation.guards.ownership import check_owner
from xenwatch.remediation.machine.port import Machine
from xenwatch.remediation.policy.inventory import Guest, nearness, selects
from xenwatch.remediation.policy.policy import Policy, PolicyRule, Rung
from xenwatch.remediation.store import triggers as trouble
from xenwatch.remediation.store.runs import RunStore

_NEXT = ("failed", "aborted", "expired")
"""Ends after which a trouble may have another run."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be done, with all that was checked; `stop` says why it is not proposed."""

    trigger: Trigger
    proposal: Proposal | None = None
    stop: Refusal | None = None
    findings: tuple[Finding, ...] = ()
    words: tuple[str, ...] = field(default=())


class Planner:
    """Reads the policy, the journal and the machine; changes none of them."""

    def __init__(
        self, policy: Policy, actions: Mapping[str, Action], journal: RunStore, machine: Machine, clock: Clock
    ) -> None:
        self._policy, self._actions, self._journal = policy, actions, journal
        self._machine, self._clock = machine, clock

    async def draft(self, trigger: Trigger) -> Draft:
        """For a trouble: the proposal of the nearest, least destructive rule, or what stands against it."""
        resolved = self._policy.inventory.resolve(trigger.target)
        if resolved is None:
            return Draft(trigger, stop=Refusal("inventory", f"{trigger.target} is not a guest the policy names"))
        target, guest = resolved
        rule = self._rule(trigger, target, guest)
        if rule is None and guest is None:  # a disk or an array of the host: what is for the host is for it
            here = Subject("host", self._policy.inventory.here)
            rule = self._rule(trigger, here, None)
            target = here if rule is not None else target
        if rule is None:
            return Draft(trigger, stop=Refusal("no_rule", f"no rule of the policy is for {trigger.name} of {target}"))
        chosen = self._left_to_others(trigger, rule) or self._rung(rule, trigger, target)
        if isinstance(chosen, Refusal):
            return Draft(trigger, stop=chosen)
        return await self._drafted(trigger, target, guest, rule, chosen)

    async def asked(self, action: str, subject: Subject, params: Mapping[str, str], requester: str) -> Draft:
        """For a person's request: the same checks; the risk decides whether somebody else must approve."""
        starts_at = f"{self._clock.now():.3f}"
        trigger = Trigger("manual", action, subject, f"{requester}/{action}/{sorted(params.items())}", starts_at)
        resolved = self._policy.inventory.resolve(subject)
        if resolved is None:
            return Draft(trigger, stop=Refusal("inventory", f"{subject} is not a guest the policy names"))
        target, guest = resolved
        trigger = replace(trigger, target=target)
        rung = Rung(action, dict(params), needs_approval=True)
        return await self._build(trigger, target, guest, rule=None, rung=rung, requester=requester)

    def _rule(self, trigger: Trigger, target: Subject, guest: Guest | None) -> PolicyRule | None:
        fitting = [r for r in self._policy.rules if r.fits(trigger) and selects(r.selectors, target, guest)]
        risk = {rule.name: RISKS.index(self._actions[rule.ladder[0].action].risk) for rule in fitting}
        return min(fitting, key=lambda r: (-nearness(r.selectors), risk[r.name], r.name), default=None)

    def _left_to_others(self, trigger: Trigger, rule: PolicyRule) -> Refusal | None:
        """A person who said so looks after it, or the rule for its cause does: a symptom is mended only without one."""
        if trigger.acknowledged_by and self._policy.effective(rule) == "auto":
            return Refusal("acknowledged", f"{trigger.acknowledged_by} looks after it")
        if not trigger.explained_by:
            return None
        begins = f"incident|{trigger.explained_by}|%"
        for (said,) in self._journal.query("SELECT trigger FROM trouble WHERE firing=1 AND key LIKE ?", begins):
            cause = trouble.read(said)
            resolved = self._policy.inventory.resolve(cause.target)
            other = resolved and self._rule(cause, *resolved)
            if other:
                return Refusal("cause", f"{cause.name} is its cause, and {other.name} is for that")
        return None

    def _rung(self, rule: PolicyRule, trigger: Trigger, target: Subject) -> Rung | Refusal:
        noted = self._journal.query("SELECT at FROM trouble WHERE key=?", trigger.key)
        if noted and self._journal.now() - noted[0][0] < rule.holds_for:
            return Refusal("too_early", f"{trigger.name} must last {rule.holds_for:g} s")
        sql = "SELECT count(DISTINCT target) FROM run WHERE rule=? AND target<>? AND state IN ("
        others = self._journal.query(
            sql + "'proposed','awaiting_approval','admitted','leased','prechecked','executing','verifying')",
            rule.name,
            target.key,
        )
        if others[0][0] >= rule.max_targets:
            return Refusal("max_targets", f"{rule.name} is at work on {others[0][0]} other target(s)")
        for rung in rule.ladder:
            sql = (
                "SELECT count(*) FILTER (WHERE state NOT IN ('aborted','expired')), max(created),"
                " count(*) FILTER (WHERE state = 'succeeded') FROM run"
                " WHERE trouble=? AND rule=? AND action=? AND state<>'cancelled'"
            )
            used, last, done = self._journal.query(sql, trigger.key, rule.name, rung.action)[0]
            if used < rung.max and not done:
                wait = last + rung.every - self._journal.now() if last is not None else 0.0
                return Refusal("every", f"{rung.action} again in {wait:.0f} s") if wait > 0 else rung
        told = rule.ladder[-1].action == "notify"
        return Refusal("told" if told else "ladder", f"every rung of {rule.name} was used")

    async def _drafted(
        self, trigger: Trigger, target: Subject, guest: Guest | None, rule: PolicyRule, rung: Rung
    ) -> Draft:
        draft = await self._build(trigger, target, guest, rule=rule, rung=rung, requester="xenwatch")
        if draft.proposal is not None and self._policy.effective(rule) == "observe":
            words = f"observe only; would propose {rung.action} of {target}"
            return Draft(trigger, draft.proposal, Refusal("mode", words), draft.findings, draft.words)
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
        if action is None or target.kind not in action.kinds:
            return Draft(trigger, stop=Refusal("catalogue", f"there is no action {rung.action!r} for a {target.kind}"))
        strange = set(rung.params) - set(action.params)
        if strange:
            return Draft(trigger, stop=Refusal("catalogue", f"{rung.action} takes no {', '.join(sorted(strange))}"))
        context = Context(self._machine, self._clock, self._policy, target, guest, rung.params, approved=rule is None)
        try:
            findings = [*await check_owner(context), *await action.check(context)]
            plan = await action.plan(context) if all(f.holds for f in findings) else Plan()
        except XenwatchError as error:
            return Draft(trigger, stop=Refusal("precondition", str(error)))
        failed = next((f for f in findings if not f.holds), None)
        if failed is not None:
            stop = Refusal("precondition", f"{failed.check} is {failed.outcome}: {failed.detail}")
            return Draft(trigger, stop=stop, findings=tuple(findings))
        proposal = self._proposal(trigger, target, action, plan=plan, rule=rule, rung=rung, requester=requester)
        return Draft(trigger, proposal, findings=tuple(findings), words=plan.words)

    def _proposal(
        self,
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
            trigger=trigger, host=policy.inventory.here, dedupe_key=self._dedupe_key(trigger, name, target),
            policy_hash=policy.hash, plan_hash=plan_hash(action, target, rung.params, plan), plan=plan.words,
            needs_approval=mode != "auto" or rung.needs_approval or four_eyes or action.cross_host,
            expires=self._journal.now() + policy.approval_ttl, requester=requester, four_eyes=four_eyes,
        )  # fmt: skip

    def _dedupe_key(self, trigger: Trigger, rule: str, target: Subject) -> str:
        """The same trouble has one run; a next one only after the one before ended, as a step of the ladder."""
        sql = "SELECT action, state FROM run WHERE trouble=? AND rule=?"
        ended = self._journal.query(sql, trigger.key, rule)
        tried = sum(state in _NEXT or (state == "succeeded" and not self._actions[a].repairs) for a, state in ended)
        whole = "|".join((trigger.key, rule, self._policy.hash if rule else "", target.key, str(tried)))
        return hashlib.sha256(whole.encode()).hexdigest()
