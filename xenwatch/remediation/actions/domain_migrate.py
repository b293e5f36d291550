"""Moves a running guest to another host; every one of P1 to P24 must hold, twice."""

from xenwatch.remediation.action import Action, Context, Plan, Step, Verdict
from xenwatch.remediation.checks import health_verdict
from xenwatch.remediation.machine import domain_commands
from xenwatch.remediation.migration_recovery import MigrationEnds, source_end, target_end
from xenwatch.remediation.preflight.migrate import check_migrate, target_of


async def _plan(context: Context) -> Plan:
    target = target_of(context)
    return Plan(
        (
            Step(
                domain_commands.migrate(
                    context.machine, context.managed_guest, target.address, context.policy.migrate_timeout
                )
            ),
        )
    )


async def verify_moved(context: Context) -> Verdict:
    """Absent here and running there: done. Running here and absent there: not done, but safe. Else: unknown."""
    here, there = await context.copies(), await context.copies(target_of(context).name)
    if here is None or there is None:
        return Verdict(None, "one of the ends does not list its domains")
    ends = MigrationEnds(source_end(here, context.managed_guest.name), target_end(there, context.managed_guest.name))
    if ends == MigrationEnds("none", "run"):
        return await health_verdict(context)
    safe = ends == MigrationEnds("run", "none")
    return Verdict(False if safe else None, f"source {ends.source}, target {ends.target}")


ACTION = Action(
    name="domain_migrate",
    title="Move a running guest to another host",
    risk="L3",
    kinds=("domain",),
    params=("to",),
    check=check_migrate,
    plan=_plan,
    verify=verify_moved,
    within=60.0,
    hold=10.0,
    undo="migrate it back",
    cross_host=True,
)
