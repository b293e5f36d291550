"""Starts a guest that should run and is proven to run nowhere."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step
from xenwatch.remediation.checks import absent_everywhere, desired_state, running_verdict, storage_lease
from xenwatch.remediation.machine import domain_commands
from xenwatch.remediation.preflight.create import check_create


async def _check(context: Context) -> list[Finding]:
    quick = [desired_state(context), storage_lease(context)]
    if not all(finding.holds for finding in quick):
        return quick
    return [*quick, await absent_everywhere(context), *await check_create(context)]


async def _plan(context: Context) -> Plan:
    return Plan((Step(domain_commands.start(context.managed_guest)),))


ACTION = Action(
    name="domain_start",
    title="Start a guest",
    risk="L2",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    verify=running_verdict,
    within=180.0,
    hold=30.0,
    undo="domain_shutdown",
)
