"""Destroys a guest and starts it again; the start waits for the proof that the old domain is absent everywhere."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import (
    absence_verdict,
    absent_elsewhere,
    desired_state,
    running_verdict,
    state_finding,
    storage_lease,
)
from xenwatch.remediation.machine import domain_commands
from xenwatch.remediation.preflight.create import check_create


async def _check(context: Context) -> list[Finding]:
    row, state = await state_finding(context, "rbpsc-", "present")
    if row is not None:
        context.baseline["domid"] = str(row.domid)
    findings = [desired_state(context), storage_lease(context), state, await absent_elsewhere(context)]
    return findings if not all(f.holds for f in findings) else [*findings, *await check_create(context, replaces=True)]


async def _plan(context: Context) -> Plan:
    guest = context.managed_guest
    dump = (Step(domain_commands.dump_core(guest, context.policy.core_dump_dir)),) if guest.core_dump else ()
    return Plan(
        (*dump, Step(domain_commands.destroy(guest), confirm=absence_verdict), Step(domain_commands.start(guest)))
    )


async def _verify(context: Context) -> Verdict:
    row = await context.sole_copy()
    if row is not None and str(row.domid) == context.baseline["domid"]:
        return Verdict(False, f"{row.name} is still domain {row.domid}")
    return await running_verdict(context)


ACTION = Action(
    name="domain_hard_restart",
    title="Destroy a guest and start it again",
    risk="L3",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=180.0,
    hold=30.0,
    undo="none",
)
