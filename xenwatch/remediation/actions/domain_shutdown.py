"""Asks a guest to shut down and waits until it is proven gone."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step
from xenwatch.remediation.checks import absent, one_row, passes
from xenwatch.remediation.machine import domain_commands as toolstack


async def _check(context: Context) -> list[Finding]:
    guest = context.known
    wanted = guest.desired == "stopped" or context.approved
    _, state = await one_row(context, "rb-", "running")
    return [passes("desired", wanted, f"{guest.name} is meant to be {guest.desired}", "policy"), state]


async def _plan(context: Context) -> Plan:
    return Plan((Step(toolstack.shutdown(context.known)),))


ACTION = Action(
    name="domain_shutdown",
    title="Shut a guest down",
    risk="L2",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    verify=absent,
    within=300.0,
    undo="domain_start",
)
