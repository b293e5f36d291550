"""Takes the power from a guest of a pool, through xapi: what the guest had not written is lost."""

from functools import partial

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step
from xenwatch.remediation.checks import finding
from xenwatch.remediation.pool_view import guest_findings, pool_order, state_verdict, the_guest


async def _check(context: Context) -> list[Finding]:
    guest = context.managed_guest
    wanted = guest.desired != "unmanaged" or context.approved
    desired = finding("desired", wanted, f"{guest.name} is meant to be {guest.desired}", "policy")
    return [desired, *guest_findings(await the_guest(context), "hard_shutdown", "Running")]


async def _plan(context: Context) -> Plan:
    return Plan((Step(pool_order(context, "VM.hard_shutdown", context.managed_guest.uuid, deadline=120.0)),))


ACTION = Action(
    name="pool_vm_hard_shutdown",
    title="Take the power from a guest of a pool",
    risk="L3",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    verify=partial(state_verdict, state="Halted"),
    within=60.0,
    undo="pool_vm_start",
    of_pool=True,
)
