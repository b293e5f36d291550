"""Moves every guest of this host to another, one at a time, and stops at the first one that does not arrive."""

from dataclasses import replace

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.actions.domain_migrate import verify_moved
from xenwatch.remediation.checks import finding
from xenwatch.remediation.machine import domain_commands
from xenwatch.remediation.policy.inventory import Guest
from xenwatch.remediation.preflight.guest_config import read_config
from xenwatch.remediation.preflight.memory import free_mib, needed_mib
from xenwatch.remediation.preflight.migrate import check_migrate, target_of


def _context_of(context: Context, guest: Guest) -> Context:
    return replace(context, target=guest.subject, guest=guest)


async def _guests(context: Context) -> list[Guest] | None:
    """The guests on this host; None where they are unknown, or one is not a guest of the policy."""
    rows = await context.domains()
    if rows is None:
        return None
    by_uuid = {guest.uuid: guest for guest in context.inventory.guests}
    here = [by_uuid.get(row.uuid or "") for row in rows if row.domid != 0]
    return None if None in here else [guest for guest in here if guest is not None]


async def _check(context: Context) -> list[Finding]:
    """Every move must be possible before the first one starts."""
    guests = await _guests(context)
    if guests is None:
        return [
            Finding("guests", "unknown", "the domains are unknown, or one is not a guest of the policy", "xl list -v")
        ]
    findings = [finding("guests", bool(guests), f"{len(guests)} to move", "xl list -v")]
    need = 0
    for guest in guests:
        config = await read_config(_context_of(context, guest), running=True)
        need += needed_mib(config) if config else 0
        of_guest = await check_migrate(_context_of(context.fresh(), guest))
        findings += [replace(f, check=f"{guest.name}: {f.check}") for f in of_guest]
    free = await free_mib(context.fresh(), target_of(context).name)
    return [
        *findings,
        finding("P22 room for all", None if free is None else need <= free, f"{need} of {free} MiB", "xl info"),
    ]


async def _plan(context: Context) -> Plan:
    guests = await _guests(context)
    if guests is None:
        raise InputError("the guests of this host are unknown, or one is not in the policy")
    return Plan(tuple(_step(context, guest) for guest in guests))


def _step(context: Context, guest: Guest) -> Step:
    order = domain_commands.migrate(context.machine, guest, target_of(context).address, context.policy.migrate_timeout)
    return Step(order, lambda ctx: verify_moved(_context_of(ctx, guest)))


async def _verify(context: Context) -> Verdict:
    guests = await _guests(context)
    if guests is None:
        return Verdict(None, "the guests of this host are unknown, or one is not in the policy")
    return Verdict(not guests, f"{len(guests)} guest(s) left here")


ACTION = Action(
    name="host_evacuate",
    title="Move every guest of this host to another",
    risk="L3",
    kinds=("host",),
    params=("to",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=30.0,
    undo="migrate them back",
    cross_host=True,
)
