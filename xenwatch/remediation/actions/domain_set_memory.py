"""Sets a guest's memory target within the bounds its policy entry gives."""

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import finding, state_finding
from xenwatch.remediation.machine import domain_commands
from xenwatch.remediation.preflight.memory import free_mib

_TOLERANCE = 0.01


def _wanted(context: Context) -> int:
    text = context.param("mib")
    if not text.isdecimal():
        raise InputError(f"mib={text}: write an integer number of MiB")
    return int(text)


async def _check(context: Context) -> list[Finding]:
    guest, mib = context.managed_guest, _wanted(context)
    row, state = await state_finding(context, "rb-", "running")
    if row is None:
        return [state]
    context.baseline["mib"] = str(row.memory_mib)
    bounds = bool(guest.memory_min_mib) and guest.memory_min_mib <= mib <= guest.memory_max_mib
    free = await free_mib(context)
    fits = None if free is None else mib - row.memory_mib <= free
    return [
        state,
        finding("bounds", bounds, f"{mib} MiB; allowed {guest.memory_min_mib} to {guest.memory_max_mib}", "policy"),
        finding("room", fits, f"{row.memory_mib} MiB now, {free} MiB free on the host", "xl info"),
    ]


async def _plan(context: Context) -> Plan:
    return Plan((Step(domain_commands.set_memory(context.managed_guest, _wanted(context))),))


async def _verify(context: Context) -> Verdict:
    row = await context.sole_copy()
    if row is None:
        return Verdict(None, "the guest's memory is unknown")
    near = abs(row.memory_mib - _wanted(context)) <= max(1, _TOLERANCE * _wanted(context))
    return Verdict(near, f"{row.name} has {row.memory_mib} MiB")


ACTION = Action(
    name="domain_set_memory",
    title="Set a guest's memory",
    risk="L1",
    kinds=("domain",),
    params=("mib",),
    required=("mib",),
    check=_check,
    plan=_plan,
    verify=_verify,
    undo="set it back to what the run recorded as `mib`",
)
