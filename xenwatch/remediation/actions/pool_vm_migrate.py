"""Moves a running guest to another host of its pool, through xapi, which keeps it running on one of the two."""

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import finding
from xenwatch.remediation.pool_view import SOURCE, PoolAnswer, guest_findings, pool_order, state_verdict, the_guest


def _target(context: Context, answer: PoolAnswer) -> str:
    """The uuid of the host that the parameter names; empty where the pool has none, or it takes no guests now."""
    named = [uuid for uuid, name in answer.usable_hosts().items() if context.param("to") in (uuid, name)]
    return named[0] if len(named) == 1 else ""


async def _check(context: Context) -> list[Finding]:
    answer = await the_guest(context)
    findings = guest_findings(answer, "pool_migrate", "Running")
    if answer.told is None:
        return findings
    target, to = _target(context, answer), context.param("to")
    there = target != "" and target != answer.told["on"]
    place = f"it moves from {answer.host_name(answer.told['on'])} to {to}" if there else f"it cannot move to {to}"
    fits = f"{to} has its disks, networks and memory" if target in answer.told["possible"] else f"{to} cannot run it"
    return [
        *findings,
        finding("target", there, place, SOURCE),
        finding("place", target in answer.told["possible"], fits, SOURCE),
    ]


async def _plan(context: Context) -> Plan:
    target = _target(context, await the_guest(context))
    if not target:
        raise InputError(f"the pool has no host {context.param('to')} that takes guests")
    order = pool_order(
        context, "VM.pool_migrate", context.managed_guest.uuid, target, deadline=context.policy.migrate_timeout
    )
    return Plan((Step(order),))


async def _verify(context: Context) -> Verdict:
    verdict = await state_verdict(context, "Running")
    answer = await the_guest(context)
    if not verdict.met or answer.told is None:
        return verdict
    where = answer.host_name(answer.told["on"])
    arrived = context.param("to") in (where, answer.told["on"])
    return Verdict(arrived, f"it runs on {where}")


ACTION = Action(
    name="pool_vm_migrate",
    title="Move a guest to another host of its pool",
    risk="L3",
    kinds=("domain",),
    params=("to",),
    required=("to",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=60.0,
    hold=10.0,
    undo="migrate it back",
    of_pool=True,
)
