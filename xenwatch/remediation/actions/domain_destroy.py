"""Destroys a guest that has crashed or hangs in its shutdown, or that a person wants gone."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step
from xenwatch.remediation.checks import absent, one_row
from xenwatch.remediation.machine import domain_commands as toolstack


async def _check(context: Context) -> list[Finding]:
    states, what = ("rbpscd-", "there") if context.approved else ("sc", "shut down or crashed")
    return [(await one_row(context, states, what))[1]]


async def _plan(context: Context) -> Plan:
    return Plan((Step(toolstack.destroy(context.known)),))


ACTION = Action(
    name="domain_destroy",
    title="Destroy a guest's domain",
    risk="L3",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    verify=absent,
    undo="domain_start",
)
