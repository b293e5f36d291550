"""Destroys a guest and starts it anew; the start waits for the proof that the old one is gone everywhere."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import absent, may_run, nowhere_else, one_row, serving, storage_lease
from xenwatch.remediation.machine import domain_commands as toolstack
from xenwatch.remediation.preflight.create import check_create


async def _check(context: Context) -> list[Finding]:
    row, state = await one_row(context, "rbpsc-", "there")
    if row is not None:
        context.before["domid"] = str(row.domid)
    findings = [may_run(context), storage_lease(context), state, await nowhere_else(context)]
    return findings if not all(f.holds for f in findings) else [*findings, *await check_create(context, replaces=True)]


async def _plan(context: Context) -> Plan:
    guest = context.known
    dump = (Step(toolstack.dump_core(guest, context.policy.core_dump_dir)),) if guest.core_dump else ()
    return Plan((*dump, Step(toolstack.destroy(guest), confirm=absent), Step(toolstack.start(guest))))


async def _verify(context: Context) -> Verdict:
    row = await context.row()
    if row is not None and str(row.domid) == context.before["domid"]:
        return Verdict(False, f"{row.name} is still domain {row.domid}")
    return await serving(context)


ACTION = Action(
    name="domain_hard_restart",
    title="Destroy a guest and start it anew",
    risk="L3",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=180.0,
    hold=30.0,
    undo="none",
)
