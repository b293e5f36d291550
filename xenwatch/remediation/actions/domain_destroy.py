"""Destroys a guest that has crashed or hangs in its shutdown, or that a person wants gone."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step
from xenwatch.remediation.checks import absence_verdict, state_finding
from xenwatch.remediation.machine import domain_commands


async def _check(context: Context) -> list[Finding]:
    states, what = ("rbpscd-", "present") if context.approved else ("sc", "shut down or crashed")
    return [(await state_finding(context, states, what))[1]]


async def _plan(context: Context) -> Plan:
    return Plan((Step(domain_commands.destroy(context.managed_guest)),))


ACTION = Action(
    name="domain_destroy",
    title="Destroy a guest's domain",
    risk="L3",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    verify=absence_verdict,
    undo="domain_start",
)
