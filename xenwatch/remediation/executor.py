"""Carries out one run: admit, lease, check again, journal the intent, act, verify; after a crash only look."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xenwatch.base.clock import Clock
from xenwatch.base.errors import XenwatchError
from xenwatch.model.action import ActionRun, RunState
from xenwatch.remediation.action import Action, Context, Finding, NeedsPerson, Plan, Step, Verdict, plan_hash, settle
from xenwatch.remediation.guards import breaker, budget
from xenwatch.remediation.guards.admission import HEALING, Refusal, admission, standing
from xenwatch.remediation.guards.ownership import check_owner
from xenwatch.remediation.machine.port import Answer, Machine, Order
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.store import outbox
from xenwatch.remediation.store import triggers as trouble
from xenwatch.remediation.store.async_store import AsyncRunStore
from xenwatch.remediation.store.transaction import Transaction

log = logging.getLogger(__name__)
US = "xenwatch"
_MOST_ROUNDS = 12
"""How often a plan may be asked for further steps."""


class _Refused(XenwatchError):
    """The run must not go on; nothing has been done yet."""


@dataclass(slots=True)
class _Result:
    """How the orders went: all done, one refused, or one that never answered."""

    answer: Answer = field(default_factory=lambda: Answer(0))
    verdict: Verdict | None = None
    """Where a step was not confirmed: what was seen instead."""


class Executor:
    """One for each agent. Every move and every intent is on disk before what it speaks of happens."""

    def __init__(
        self, policy: Policy, actions: Mapping[str, Action], ledger: AsyncRunStore, machine: Machine, clock: Clock
    ) -> None:
        self._policy, self._actions, self._ledger = policy, actions, ledger
        self._machine, self._clock = machine, clock

    async def carry_out(self, run: ActionRun) -> Refusal | None:
        """The whole life of a run from here. A Stop: a guard said no, and the run stays where it is."""
        action = self._actions[run.proposal.action]
        stop = await self._ledger.write(lambda tx: self._admit(tx, run, action))
        if stop is not None:
            return stop
        context = self._context(run)
        try:
            plan = await self._prepared(run, action, context)
        except Exception as error:  # noqa: BLE001 - the fence around one action before it did anything
            words = str(error) or type(error).__name__
            await self._ledger.write(lambda tx: self._abort(tx, run, words))
            return None
        await self._done(run, action, context, plan)
        return None

    async def recover(self) -> None:
        """After a start: what had no effect yet is aborted; what may have had one is looked at, never repeated."""
        await self._ledger.write(self._abort_early)
        for run in await self._ledger.read(lambda j: j.runs("executing", "verifying")):
            await self._look_after(run)

    def _abort_early(self, tx: Transaction) -> None:
        sql = "SELECT id, trouble FROM run WHERE state IN ('admitted', 'leased', 'prechecked')"
        for run, key in tx.db.execute(sql).fetchall():
            tx.move(run, "aborted", US, "the agent stopped before anything was done")
            trouble.set_handled(tx, key, False)

    def _abort(self, tx: Transaction, run: ActionRun, reason: str) -> None:
        tx.move(run.id, "aborted", US, reason)
        trouble.set_handled(tx, run.proposal.trigger.key, False)

    def _admit(self, tx: Transaction, run: ActionRun, action: Action) -> Refusal | None:
        stop = admission(tx, run, self._policy, cross_host=action.cross_host)
        if stop is not None:
            return stop
        token = int(tx.one("SELECT coalesce(max(highest), 0) FROM fence")) + 1
        tx.move(run.id, "admitted", US)
        sql = "INSERT INTO fence VALUES(?,?) ON CONFLICT(target) DO UPDATE SET highest=excluded.highest"
        tx.db.execute(sql, (run.proposal.target.key, token))
        tx.db.execute("UPDATE run SET token=? WHERE id=?", (token, run.id))
        tx.move(run.id, "leased", US, f"token {token}")
        return None

    def _context(self, run: ActionRun, before: dict[str, str] | None = None) -> Context:
        proposal = run.proposal
        guest = self._policy.inventory.guest(proposal.target) if proposal.target.kind == "domain" else None
        return Context(
            self._machine, self._clock, self._policy, proposal.target, guest, proposal.params, run.id,
            approved=proposal.needs_approval, before=before if before is not None else {},
        )  # fmt: skip

    async def _prepared(self, run: ActionRun, action: Action, context: Context) -> Plan:
        """Everything asked a second time; the run moves to `executing` only where all of it still holds."""
        findings = [*await check_owner(context), *await action.check(context)]
        _refuse_unless_all_hold(findings)
        facts = {"findings": [[f.check, f.outcome, f.detail] for f in findings]}
        await self._ledger.write(lambda tx: tx.move(run.id, "prechecked", US, "", facts))
        plan = await action.plan(context)
        if plan_hash(action, context.target, context.params, plan) != run.proposal.plan_hash:
            raise _Refused("the plan is not the one that was proposed any more")
        await self._ledger.write(lambda tx: self._begin(tx, run, context, plan))
        return plan

    def _begin(self, tx: Transaction, run: ActionRun, context: Context, plan: Plan) -> None:
        stop = standing(tx, run, self._policy)
        if stop is not None:
            raise _Refused(f"{stop.guard}: {stop.reason}")
        tx.move(run.id, "executing", US, "", {"plan": list(plan.words), "before": context.before})
        if self._actions[run.proposal.action].repairs:
            budget.note_attempt(tx, run.proposal.target.key)
        outbox.tell(tx, "started", run.id, f"{run.proposal.action} of {run.proposal.target} started")

    async def _done(self, run: ActionRun, action: Action, context: Context, plan: Plan) -> None:
        """From the first effect to the end, which is always one of succeeded, failed, unknown."""
        try:
            result = await self._perform(run, context, plan)
            await self._ledger.write(lambda tx: tx.move(run.id, "verifying", US, result.answer.words))
            verdict = await settle(context, action)
            end, reason = _judge(result, verdict)
        except Exception as error:
            log.exception("%s of %s: outcome unknown", run.proposal.action, run.proposal.target)
            end, reason = "unknown", f"{type(error).__name__}: {error}"
        await self._ledger.write(lambda tx: self._end(tx, run, end, reason))

    async def _perform(self, run: ActionRun, context: Context, plan: Plan) -> _Result:
        result = await self._steps(run, context, plan.steps)
        rounds = 0
        while plan.then is not None and result.answer.ok and result.verdict is None:
            steps = await plan.then(context)
            if not steps:
                break
            rounds += 1
            if rounds > _MOST_ROUNDS:
                raise NeedsPerson(f"still not in order after {_MOST_ROUNDS} rounds")
            result = await self._steps(run, context, steps)
        return result

    async def _steps(self, run: ActionRun, context: Context, steps: tuple[Step, ...]) -> _Result:
        token = await self._ledger.read(lambda j: j.run(run.id).token) or 0
        for step in steps:
            save_as = step.order.save_as.replace("{run}", run.id)
            order = replace(step.order, run=run.id, target=run.proposal.target.key, token=token, save_as=save_as)
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
        await self._ledger.write(lambda tx: tx.entry("intent", run.id, US, order.words, facts))
        answer = await self._machine.effect(order)
        told = {"code": answer.code, "err": answer.err[-2000:]}
        await self._ledger.write(lambda tx: tx.entry("outcome", run.id, US, answer.words, told))
        return answer

    def _end(self, tx: Transaction, run: ActionRun, end: RunState, reason: str) -> None:
        """The last move, and all that follows from it, in one transaction."""
        if tx.one("SELECT state FROM run WHERE id=?", run.id) == "executing" and end != "unknown":
            tx.move(run.id, "verifying", US)
        tx.move(run.id, end, US, reason)
        proposal = run.proposal
        summary = f"{proposal.action} of {proposal.target}: {end}" + (f": {reason}" if reason else "")
        if end in ("succeeded", "failed", "unknown"):
            outbox.tell(tx, end, run.id, summary, {"action": proposal.action, "target": str(proposal.target)})
        if end == "succeeded" and proposal.action in HEALING:
            _settle_held(tx, run)
        goes_on = end == "succeeded" and not self._actions[proposal.action].repairs
        if end == "failed" or goes_on:
            trouble.set_handled(tx, proposal.trigger.key, False)
        if breaker.note_end(tx, end, self._policy.breaker_after):
            outbox.tell(tx, "breaker_opened", run.id, f"breaker opened: {breaker.reason_open(tx)}")

    async def _look_after(self, run: ActionRun) -> None:
        """A run that a crash or a stop found at work."""
        entries = await self._ledger.read(lambda j: j.entries(run.id))
        began = next(e for e in entries if e.new == "executing")
        context = self._context(run, dict(began.facts.get("before", {})))
        try:
            verdict = await settle(context, self._actions[run.proposal.action])
        except Exception as error:
            log.exception("%s: cannot be looked at", run.id)
            verdict = Verdict(None, f"{type(error).__name__}: {error}")
        ends: dict[bool | None, RunState] = {True: "succeeded", False: "failed", None: "unknown"}
        words = f"looked at after the agent was interrupted: {verdict.reason}"
        await self._ledger.write(lambda tx: self._end(tx, run, ends[verdict.met], words))


def _settle_held(tx: Transaction, run: ActionRun) -> None:
    """A recovery put the guest in order: what was unknown about it before did not do what it was meant to."""
    sql = "SELECT id FROM run WHERE target=? AND state='unknown' AND id<>?"
    for (held,) in tx.db.execute(sql, (run.proposal.target.key, run.id)).fetchall():
        tx.move(held, "failed", f"recovery:{run.id}", f"put in order by run {run.id}")


def _refuse_unless_all_hold(findings: list[Finding]) -> None:
    failed = next((f for f in findings if not f.holds), None)
    if failed is not None:
        raise _Refused(f"{failed.check} is {failed.outcome}: {failed.detail}")


def _judge(result: _Result, verdict: Verdict) -> tuple[RunState, str]:
    """The goal decides, not an exit code; where an order never answered, a goal not met may still be on its way."""
    if verdict.met:
        return "succeeded", verdict.reason
    said = verdict.reason
    if result.verdict is not None:
        said = f"{result.verdict.reason}; {said}"
    elif not result.answer.ok:
        said = f"{result.answer.words}; {said}"
    if verdict.met is None or result.answer.code is None:
        return "unknown", said
    return "failed", said
