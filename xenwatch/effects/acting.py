"""One run as this process carries it out: it plans for itself, and gives the orders of its own plan in turn."""

from collections import deque
from dataclasses import dataclass, field, replace

from xenwatch.base.errors import InputError
from xenwatch.effects.ledger import Start
from xenwatch.effects.record import RunRecord
from xenwatch.remediation.action import Action, Context, Plan, Step, plan_hash
from xenwatch.remediation.guards.ownership import check_owner
from xenwatch.remediation.machine.port import Order

_MOST_ROUNDS = 12
"""How often a plan is asked for further steps."""


@dataclass(slots=True)
class ActingRun:
    """What is known of a run between its orders. It lives as long as the process: a restart in between ends the run."""

    record: RunRecord
    start: Start
    context: Context
    plan: Plan
    steps: deque[Step]
    done: int = 0
    last: Step | None = None
    rounds: int = 0
    failed: str = ""
    """Why it goes no further."""
    busy: bool = field(default=False)

    async def next_order(self) -> tuple[Step, Order]:
        """The order that comes now. InputError where none may: the one before was not confirmed, or all is done."""
        if self.failed:
            raise InputError(f"the run goes no further: {self.failed}")
        await self._require_confirmed()
        if not self.steps and self.plan.next_steps is not None and self.rounds < _MOST_ROUNDS:
            self.rounds += 1
            self.steps.extend(await self.plan.next_steps(self.context))
        if not self.steps:
            raise InputError("nothing is left to do in this run")
        return self.steps[0], self._order(self.steps[0])

    async def _require_confirmed(self) -> None:
        last, self.last = self.last, None
        if last is None or last.confirm is None:
            return
        verdict = await last.confirm(self.context)
        if not verdict.met:
            self.failed = f"the order before is not confirmed: {verdict.reason}"
            raise InputError(self.failed)

    def _order(self, step: Step) -> Order:
        save_as = step.order.save_as.replace("{run}", self.record.run)
        target, token = self.record.target.key, self.record.token
        return replace(step.order, run=self.record.run, target=target, token=token, save_as=save_as)

    def taken(self) -> None:
        """The order that came is being carried out."""
        self.last = self.steps.popleft()
        self.done += 1


async def planned(record: RunRecord, action: Action, context: Context, start: Start) -> ActingRun:
    """The run with this process's own plan for it.

    Everything that must hold before the action is asked of the host once more, and the plan must be the very one that
    the run was proposed with, argument for argument. InputError otherwise.
    """
    findings = [*await check_owner(context), *await action.check(context.fresh())]
    failed = next((finding for finding in findings if not finding.holds), None)
    if failed is not None:
        raise InputError(f"{failed.check} is {failed.outcome}: {failed.detail}")
    plan = await action.plan(context)
    if plan_hash(action, context.target, context.params, plan) != record.plan_hash:
        raise InputError("the plan is another one than the run was proposed with")
    return ActingRun(record, start, context, plan, deque(plan.steps))
