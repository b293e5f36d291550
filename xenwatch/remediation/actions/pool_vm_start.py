"""Starts a guest of a pool through xapi, which chooses the host and lets it run on one alone."""

from functools import partial

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step
from xenwatch.remediation.checks import desired_state, finding
from xenwatch.remediation.pool_view import SOURCE, guest_findings, pool_order, state_verdict, the_guest


async def _check(context: Context) -> list[Finding]:
    answer = await the_guest(context)
    findings = [desired_state(context), *guest_findings(answer, "start", "Halted")]
    if answer.told is None:
        return findings
    hosts = answer.usable_hosts()
    fits = sorted(hosts[uuid] for uuid in answer.told["possible"] if uuid in hosts)
    words = f"it can run on {', '.join(fits)}" if fits else "no host that is up has its disks, networks and memory"
    return [*findings, finding("place", bool(fits), words, SOURCE)]


async def _plan(context: Context) -> Plan:
    return Plan((Step(pool_order(context, "VM.start", context.managed_guest.uuid, deadline=300.0)),))


ACTION = Action(
    name="pool_vm_start",
    title="Start a guest of a pool",
    risk="L2",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    verify=partial(state_verdict, state="Running"),
    within=180.0,
    hold=30.0,
    undo="pool_vm_shutdown",
    of_pool=True,
)
