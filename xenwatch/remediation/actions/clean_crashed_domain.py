"""Destroys the domain of a crashed guest that its configuration preserved, after a core dump where one is wanted."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step
from xenwatch.remediation.checks import absence_verdict, dom0_free_mib, finding, state_finding
from xenwatch.remediation.machine import domain_commands


async def _check(context: Context) -> list[Finding]:
    row, state = await state_finding(context, "c", "crashed")
    if row is None or not context.managed_guest.core_dump:
        return [state]
    folder = context.policy.core_dump_dir
    free = await dom0_free_mib(context, folder)
    fits = None if free is None else free >= row.memory_mib + context.policy.min_free_mib
    return [state, finding("core dump", fits, f"{free} MiB free in {folder} for {row.memory_mib} MiB", "df")]


async def _plan(context: Context) -> Plan:
    guest = context.managed_guest
    dump = (Step(domain_commands.dump_core(guest, context.policy.core_dump_dir)),) if guest.core_dump else ()
    return Plan((*dump, Step(domain_commands.destroy(guest))))


ACTION = Action(
    name="clean_crashed_domain",
    title="Destroy a crashed guest's domain",
    risk="L2",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    repairs=False,
    verify=absence_verdict,
    undo="domain_start",
)
