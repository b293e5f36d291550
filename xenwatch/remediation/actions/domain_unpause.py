"""Lets a guest run that stays paused and that nothing paused on purpose."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step
from xenwatch.remediation.checks import absent_elsewhere, finding, running_verdict, state_finding
from xenwatch.remediation.machine import domain_commands

_WATCH = 60.0
_LABEL = "paused-on-purpose"


async def _check(context: Context) -> list[Finding]:
    row, state = await state_finding(context, "p", "paused")
    if row is None or not state.holds:
        return [state]
    labelled = _LABEL in context.managed_guest.tags
    findings = [
        state,
        finding("built", row.vcpus > 0, f"{row.vcpus} vcpus; a domain without one is half built and cannot run"),
        finding("label", not labelled, f"label {_LABEL}: {labelled}", "policy"),
        await _at_work(context),
    ]
    await context.clock.sleep(_WATCH)
    again, later = await state_finding(context, "p", "still paused after 60 s")
    same = again is not None and again.domid == row.domid and again.cpu_seconds == row.cpu_seconds
    return [
        *findings,
        later,
        finding("idle", same, "the same domain, and it used no processor time"),
        await absent_elsewhere(context),
    ]


async def _at_work(context: Context) -> Finding:
    """A save, backup or migration pauses its guest and unpauses it by itself."""
    answer = await context.read(
        "pgrep", "-l", "-f", "--", "xl (save|migrate|restore)|libxl-save-helper|xc_save|xc_restore"
    )
    holds = {0: False, 1: True}.get(answer.code) if answer.code is not None else None
    return finding("no save or migration", holds, answer.out.strip()[:120] or "none is running", "pgrep")


async def _plan(context: Context) -> Plan:
    row = await context.sole_copy()
    return Plan((Step(domain_commands.unpause(context.managed_guest, row.domid if row else 0)),))


ACTION = Action(
    name="domain_unpause",
    title="Unpause a guest",
    risk="L2",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    verify=running_verdict,
    within=60.0,
    hold=10.0,
    undo="pause the domain",
)
