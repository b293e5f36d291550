"""Reboots a guest that hangs by two independent signs, or that a person wants to reboot."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import finding, health_verdict, running_verdict, state_finding
from xenwatch.remediation.machine import domain_commands

_WATCH = 10.0
_SPINNING = 0.95


async def _check(context: Context) -> list[Finding]:
    row, state = await state_finding(context, "rb-", "running or blocked")
    if row is None or not state.holds or {"p", "s", "c", "d"} & set(row.state):
        return [
            state
            if not state.holds
            else finding("state", False, f"{row.name if row else ''} is not running", "xl list")
        ]
    context.baseline.update(domid=str(row.domid), cpu_seconds=str(row.cpu_seconds))
    return [state] if context.approved else [state, *await _hangs(context)]


async def _hangs(context: Context) -> list[Finding]:
    """Two signs: its processors are idle or spin, and it does not answer its health probe."""
    before = await context.sole_copy()
    await context.clock.sleep(_WATCH)
    after = await context.sole_copy()
    if before is None or after is None or before.domid != after.domid:
        return [Finding("hangs", "unknown", "its processor time could not be read twice", "xl list -v")]
    used = after.cpu_seconds - before.cpu_seconds
    stuck = used <= 0 or used >= _SPINNING * _WATCH * after.vcpus
    silent = bool(context.managed_guest.health) and not (await health_verdict(context)).met
    return [
        finding(
            "hangs: processors", stuck, f"used {used:.1f} s of processor time in {_WATCH:g} s", "xl list -v, twice"
        ),
        finding(
            "hangs: health", silent, "health probes fail" if silent else "no failing health probe", "health probes"
        ),
    ]


async def _plan(context: Context) -> Plan:
    return Plan((Step(domain_commands.reboot(context.managed_guest)),))


async def _verify(context: Context) -> Verdict:
    """Another domid, or processor time that began again: an exit code of 0 proves nothing about a hung guest."""
    row = await context.sole_copy()
    if row is None:
        return Verdict(False if await context.copies() == () else None, "it is not listed, or its state is unknown")
    rebooted = row.domid != int(context.baseline["domid"]) or row.cpu_seconds < float(context.baseline["cpu_seconds"])
    return await running_verdict(context) if rebooted else Verdict(False, f"{row.name} is still domain {row.domid}")


ACTION = Action(
    name="domain_reboot",
    title="Reboot a guest",
    risk="L2",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=300.0,
    hold=10.0,
    undo="none",
)
