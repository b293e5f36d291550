"""Shuts a guest down here and, once it is proven absent everywhere, starts it on another host."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.actions.domain_migrate import verify_moved
from xenwatch.remediation.checks import desired_state, finding, storage_lease
from xenwatch.remediation.machine import domain_commands
from xenwatch.remediation.policy.inventory import HERE
from xenwatch.remediation.preflight.migrate import check_move, target_of

_TRIES = 15
"""How often, every ten seconds, it is checked whether the guest has shut down."""


async def _check(context: Context) -> list[Finding]:
    guest = context.managed_guest
    shared = finding(
        "shared storage", guest.shared_storage, f"{guest.name}'s disks must be reachable from both hosts", "policy"
    )
    quick = [desired_state(context), storage_lease(context), shared]
    return quick if not all(f.holds for f in quick) else [*quick, *await check_move(context)]


async def _gone(context: Context) -> Verdict:
    """The guest is proven absent everywhere; it gets time to shut down."""
    verdict = Verdict(None, "not checked")
    for _ in range(_TRIES):
        proof = await context.absence_proof()
        verdict = Verdict({"absent": True, "running": False}.get(proof.presence), proof.reason)
        if verdict.met is not False:
            break
        await context.clock.sleep(10.0)
    return verdict


async def _plan(context: Context) -> Plan:
    """A guest that does not run is not shut down."""
    guest, target = context.managed_guest, target_of(context)
    rows = await context.copies(HERE)
    stop = (Step(domain_commands.shutdown(guest), confirm=_gone),) if rows else ()
    return Plan((*stop, Step(domain_commands.start(guest, target.name))))


ACTION = Action(
    name="domain_cold_move",
    title="Stop a guest here and start it on another host",
    risk="L3",
    kinds=("domain",),
    params=("to",),
    check=_check,
    plan=_plan,
    verify=verify_moved,
    within=180.0,
    hold=30.0,
    undo="move it back",
    cross_host=True,
)
