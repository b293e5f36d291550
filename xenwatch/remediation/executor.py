"""Carries out one run: admit, lease, check again, record the intent, act, verify; after a crash it only verifies."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xenwatch.base.clock import Clock
from xenwatch.base.errors import XenwatchError
from xenwatch.model.action import AGENT, IN_EFFECT, ActionRun, RunState
from xenwatch.model.coordination import Alone, Coordinator, Denied, Grant
from xenwatch.remediation.action import (
    Action,
    Context,
    Finding,
    NeedsPerson,
    Plan,
    Step,
    Verdict,
    await_goal,
    plan_hash,
)
from xenwatch.remediation.dry_run import would_refuse
from xenwatch.remediation.guards import approvals, breaker, cooldown
from xenwatch.remediation.guards.admission import Refusal, admission, validity
from xenwatch.remediation.guards.coordination import announce, claim_of, needs_fleet
from xenwatch.remediation.guards.ownership import check_owner
from xenwatch.remediation.machine.apart import EffectsGate
from xenwatch.remediation.machine.port import Answer, Machine, Order
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.store import entries, fence, outbox, runs, triggers
from xenwatch.remediation.store.async_store import AsyncRunStore
from xenwatch.remediation.store.transaction import Transaction

log = logging.getLogger(__name__)
_MAX_ROUNDS = 12
"""How often a plan may be asked for further steps."""


class _Refused(XenwatchError):
    """The run must not go on; nothing has been done yet."""


@dataclass(slots=True)
class _Result:
    """The result of the orders: all succeeded, or the first one that did not."""

    answer: Answer = field(default_factory=lambda: Answer(0))
    verdict: Verdict | None = None
    """Where a step was not confirmed: what was found instead."""


class Executor:
    """One for each agent. Every move and every intent is on disk before it takes effect."""

    def __init__(
        self,
        policy: Policy,
        actions: Mapping[str, Action],
        store: AsyncRunStore,
        machine: Machine,
        clock: Clock,
        gate: EffectsGate | None = None,
        coordinator: Coordinator | None = None,
    ) -> None:
        """`gate`: of the process that carries out orders, where that is another one."""
        self._policy, self._actions, self._store = policy, actions, store
        self._machine, self._clock, self._gate = machine, clock, gate
        self._fleet = coordinator or Alone()

    async def carry_out(self, run: ActionRun) -> Refusal | None:
        """Everything from admission to the end of a run. A Refusal: a guard refused it, and the run stays as it is."""
        action = self._actions[run.proposal.action]
        refusal = await self._shut(action)
        if refusal is not None:
            return refusal
        if not self._fleet.is_fleet or not needs_fleet(action):
            return await self._admit_and_do(run, action, Grant())
        refusal = await would_refuse(self._store, run, action, self._policy)
        if refusal is not None:
            return refusal
        approver = await self._store.read(lambda view: approvals.approver(view, run))
        grant = await self._fleet.take(claim_of(run, action, self._policy, is_approved=approver is not None))
        if isinstance(grant, Denied):
            return Refusal(grant.guard, grant.reason)
        try:
            return await self._admit_and_do(run, action, grant)
        finally:
            await self._fleet.release(grant)

    async def _admit_and_do(self, run: ActionRun, action: Action, grant: Grant) -> Refusal | None:
        is_fleet = bool(grant.token)
        refusal = await self._store.write(lambda transaction: self._admit(transaction, run, action, is_fleet=is_fleet))
        if refusal is not None:
            return refusal
        context = self._context(run)
        try:
            await announce(self._machine, context, action, grant)
            plan = await self._prepare(run, action, context)
        except Exception as error:  # noqa: BLE001 - one action must not stop the others, and it has done nothing yet
            reason = str(error) or type(error).__name__
            await self._store.write(lambda transaction: self._abort(transaction, run, reason))
            return None
        await self._finish(run, action, context, plan, grant)
        return None

    async def _shut(self, action: Action) -> Refusal | None:
        """Without those who carry out orders nothing starts: the run waits, and the reason is told."""
        if self._gate is None or action.message_only or action.of_pool:
            return None
        reason = await self._gate.refusal()
        return None if reason is None else Refusal("effects", reason)

    async def recover(self) -> None:
        """After a start: a run without an effect is aborted; one that may have had one is verified, never repeated."""
        await self._store.write(self._abort_early)
        for run in await self._store.read(lambda view: runs.select(view, *IN_EFFECT)):
            await self._verify_interrupted(run)

    def _abort_early(self, transaction: Transaction) -> None:
        for run, key in runs.before_effect(transaction):
            runs.move(transaction, run, "aborted", AGENT, "the agent stopped before anything was done")
            triggers.set_handled(transaction, key, False)

    def _abort(self, transaction: Transaction, run: ActionRun, reason: str) -> None:
        runs.move(transaction, run.id, "aborted", AGENT, reason)
        triggers.set_handled(transaction, run.proposal.trigger.key, False)

    def _admit(self, transaction: Transaction, run: ActionRun, action: Action, *, is_fleet: bool) -> Refusal | None:
        refusal = admission(transaction, run, action, self._policy, is_fleet=is_fleet)
        if refusal is not None:
            return refusal
        runs.move(transaction, run.id, "admitted", AGENT)
        token = fence.next_token(transaction, run.proposal.target.key)
        runs.set_token(transaction, run.id, token)
        runs.move(transaction, run.id, "leased", AGENT, f"token {token}")
        return None

    def _context(self, run: ActionRun, baseline: dict[str, str] | None = None) -> Context:
        proposal = run.proposal
        guest = self._policy.inventory.guest(proposal.target) if proposal.target.kind == "domain" else None
        return Context(
            self._machine, self._clock, self._policy, proposal.target, guest, proposal.params, run.id,
            approved=proposal.needs_approval, baseline=baseline if baseline is not None else {},
        )  # fmt: skip

    async def _prepare(self, run: ActionRun, action: Action, context: Context) -> Plan:
        """Check everything a second time; the run moves to `executing` only where all of it still holds."""
        findings = [*await check_owner(context), *await action.check(context.fresh())]
        _require_all(findings)
        facts = {"findings": [[f.check, f.outcome, f.detail] for f in findings]}
        await self._store.write(lambda transaction: runs.move(transaction, run.id, "prechecked", AGENT, "", facts))
        plan = await action.plan(context)
        if plan_hash(action, context.target, context.params, plan) != run.proposal.plan_hash:
            raise _Refused("the plan is no longer the one that was proposed")
        await self._store.write(lambda transaction: self._begin(transaction, run, context, plan))
        return plan

    def _begin(self, transaction: Transaction, run: ActionRun, context: Context, plan: Plan) -> None:
        refusal = validity(transaction, run, self._policy)
        if refusal is not None:
            raise _Refused(f"{refusal.guard}: {refusal.reason}")
        runs.move(
            transaction, run.id, "executing", AGENT, "", {"plan": list(plan.description), "before": context.baseline}
        )
        if self._actions[run.proposal.action].repairs:
            cooldown.record_attempt(transaction, run.proposal.target.key)
        outbox.enqueue(transaction, "started", run.id, f"{run.proposal.action} of {run.proposal.target} started")

    async def _finish(self, run: ActionRun, action: Action, context: Context, plan: Plan, grant: Grant) -> None:
        """From the first effect to the end, which is always one of succeeded, failed, unknown."""
        try:
            result = await self._perform(run, context, plan, grant)
            await self._store.write(
                lambda transaction: runs.move(transaction, run.id, "verifying", AGENT, result.answer.summary)
            )
            verdict = await await_goal(context, action)
            end, reason = _judge(result, verdict)
        except Exception as error:
            log.exception("%s of %s: outcome unknown", run.proposal.action, run.proposal.target)
            end, reason = "unknown", f"{type(error).__name__}: {error}"
        await self._store.write(lambda transaction: self._end(transaction, run, end, reason))

    async def _perform(self, run: ActionRun, context: Context, plan: Plan, grant: Grant) -> _Result:
        result = await self._steps(run, context, plan.steps, grant)
        rounds = 0
        while plan.next_steps is not None and result.answer.ok and result.verdict is None:
            steps = await plan.next_steps(context)
            if not steps:
                break
            rounds += 1
            if rounds > _MAX_ROUNDS:
                raise NeedsPerson(f"the goal is not reached after {_MAX_ROUNDS} rounds")
            result = await self._steps(run, context, steps, grant)
        return result

    async def _steps(self, run: ActionRun, context: Context, steps: tuple[Step, ...], grant: Grant) -> _Result:
        token = await self._store.read(lambda view: runs.find(view, run.id).token) or 0
        for step in steps:
            save_as = step.order.save_as.replace("{run}", run.id)
            order = replace(
                step.order, run=run.id, action=run.proposal.action, target=run.proposal.target.key, token=token,
                lease=grant.token, save_as=save_as,
            )  # fmt: skip
            if grant.token and not await self._fleet.holds(grant):
                return _Result(Answer(1, "", f"the fleet's lease on {order.target} is lost: nothing more is done"))
            answer = await self._effect(run, order)
            if not answer.ok:
                return _Result(answer)
            if step.confirm is not None:
                verdict = await step.confirm(context)
                if not verdict.met:
                    return _Result(answer, verdict)
        return _Result()

    async def _effect(self, run: ActionRun, order: Order) -> Answer:
        facts = {"argv": list(order.argv), "host": order.host, "token": order.token}
        facts |= {"lease": order.lease} if order.lease else {}

        def note(transaction: Transaction) -> int:
            number = entries.count(transaction, "intent", run.id)
            entries.append(transaction, "intent", run.id, AGENT, order.description, facts)
            return number

        number = await self._store.write(note)
        answer = await self._machine.effect(replace(order, number=number))
        result = {"code": answer.code, "err": answer.err[-2000:]}
        await self._store.write(
            lambda transaction: entries.append(transaction, "outcome", run.id, AGENT, answer.summary, result)
        )
        return answer

    def _end(self, transaction: Transaction, run: ActionRun, end: RunState, reason: str) -> None:
        """The last move, and all that follows from it, in one transaction."""
        if runs.state_of(transaction, run.id) == "executing" and end != "unknown":
            runs.move(transaction, run.id, "verifying", AGENT)
        runs.move(transaction, run.id, end, AGENT, reason)
        proposal, action = run.proposal, self._actions[run.proposal.action]
        summary = f"{proposal.action} of {proposal.target}: {end}" + (f": {reason}" if reason else "")
        if end in ("succeeded", "failed", "unknown"):
            outbox.enqueue(
                transaction, end, run.id, summary, {"action": proposal.action, "target": str(proposal.target)}
            )
        if end == "succeeded" and action.recovery:
            _settle_unknown(transaction, run)
        if end == "failed" or (end == "succeeded" and not action.repairs):
            triggers.set_handled(transaction, proposal.trigger.key, False)
        if breaker.record_end(transaction, end, self._policy.breaker_after):
            outbox.enqueue(
                transaction, "breaker_opened", run.id, f"the circuit breaker opened: {breaker.open_reason(transaction)}"
            )

    async def _verify_interrupted(self, run: ActionRun) -> None:
        """A run that a crash or a stop interrupted after its first order."""
        steps = await self._store.read(lambda view: entries.entries_of(view, run.id))
        start = next(entry for entry in steps if entry.new == "executing")
        context = self._context(run, dict(start.facts.get("before", {})))
        try:
            verdict = await await_goal(context, self._actions[run.proposal.action])
        except Exception as error:
            log.exception("%s: cannot be verified", run.id)
            verdict = Verdict(None, f"{type(error).__name__}: {error}")
        ends: dict[bool | None, RunState] = {True: "succeeded", False: "failed", None: "unknown"}
        reason = f"verified after the agent was interrupted: {verdict.reason}"
        await self._store.write(lambda transaction: self._end(transaction, run, ends[verdict.met], reason))


def _settle_unknown(transaction: Transaction, run: ActionRun) -> None:
    """A recovery repaired the guest: an earlier run of unknown outcome did not reach its goal."""
    for unknown in runs.unknown_on(transaction, run.proposal.target.key, run.id):
        runs.move(transaction, unknown, "failed", f"recovery:{run.id}", f"repaired by run {run.id}")


def _require_all(findings: list[Finding]) -> None:
    failed = next((f for f in findings if not f.holds), None)
    if failed is not None:
        raise _Refused(f"{failed.check} is {failed.outcome}: {failed.detail}")


def _judge(result: _Result, verdict: Verdict) -> tuple[RunState, str]:
    """The goal decides, not an exit code. Where an order never answered, the goal may still be reached: unknown."""
    if verdict.met:
        return "succeeded", verdict.reason
    reason = verdict.reason
    if result.verdict is not None:
        reason = f"{result.verdict.reason}; {reason}"
    elif not result.answer.ok:
        reason = f"{result.answer.summary}; {reason}"
    if verdict.met is None or result.answer.code is None:
        return "unknown", reason
    return "failed", reason
