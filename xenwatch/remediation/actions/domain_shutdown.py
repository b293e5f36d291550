"""Asks a guest to shut down and waits until it is proven absent."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step
from xenwatch.remediation.checks import absence_verdict, finding, state_finding
from xenwatch.remediation.machine import domain_commands


async def _check(context: Context) -> list[Finding]:
    guest = context.managed_guest
    wanted = guest.desired == "stopped" or context.approved
    _, state = await state_finding(context, "rb-", "running")
    return [finding("desired", wanted, f"{guest.name} is meant to be {guest.desired}", "policy"), state]


async def _plan(context: Context) -> Plan:
    return Plan((Step(domain_commands.shutdown(context.managed_guest)),))


ACTION = Action(
    name="domain_shutdown",
    title="Shut a guest down",
    risk="L2",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    verify=absence_verdict,
    within=300.0,
    undo="domain_start",
)
