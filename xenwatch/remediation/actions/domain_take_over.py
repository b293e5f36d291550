"""Takes the power from a host that does not answer and, once it is read back as off, starts a guest of it here."""

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import desired_state, finding, running_verdict, storage_lease
from xenwatch.remediation.machine import domain_commands
from xenwatch.remediation.machine.port import Command
from xenwatch.remediation.machine.power import power_off, power_state, steady_state
from xenwatch.remediation.machine.presence import prove_absent
from xenwatch.remediation.policy.inventory import ManagedHost
from xenwatch.remediation.preflight.create import check_create

_NO_LOGIN = 255
"""Exit code of ssh that did not get through."""
_LOOKS = 3
_SECONDS = 5.0
_TRIES = 6
"""How often, every ten seconds, the state is read while the host still has power."""


def _host_of(context: Context) -> ManagedHost:
    name = context.param("from")
    host = context.inventory.host(name)
    if host is None or name == context.inventory.here:
        raise InputError(f"{name} is not another host of the policy")
    return host


async def _check(context: Context) -> list[Finding]:
    guest, host = context.managed_guest, _host_of(context)
    may = guest.shared_storage and host.name in guest.placement
    quick = [
        desired_state(context),
        storage_lease(context),
        finding("shared storage", may, f"{guest.name} may run on {', '.join(guest.placement)}", "policy"),
        finding("power", bool(host.power), f"the policy says how {host.name} loses its power: {bool(host.power)}"),
    ]
    if not all(one.holds for one in quick):
        return quick
    slow = [await _silent(context, host), await _board(context, host), await _absent(context, host)]
    return [*quick, *slow, _others(context, host), *await check_create(context)]


async def _silent(context: Context, host: ManagedHost) -> Finding:
    """A host that answers keeps its power: its guests can be moved or shut down."""
    for nth in range(_LOOKS):
        if nth:
            await context.clock.sleep(_SECONDS)
        answer = await context.machine.read(Command(("xl", "list", "-v"), host.name))
        if answer.code not in (None, _NO_LOGIN):
            return Finding("silent", "fail", f"{host.name} answers: move the guest instead", "xl list -v over ssh")
    return Finding("silent", "pass", f"{host.name} answered none of {_LOOKS} times", "xl list -v over ssh")


async def _board(context: Context, host: ManagedHost) -> Finding:
    state = await power_state(context.machine, host)
    known = None if state == "unknown" else True
    return finding("power state", known, f"{host.name}: {state}", f"{host.power[0]} --action=status")


async def _absent(context: Context, host: ManagedHost) -> Finding:
    guest = context.managed_guest
    hosts = [place for place in context.inventory.places(guest) if place != host.name]
    proof = await prove_absent(context.machine, context.clock, hosts, guest.name, guest.uuid, guest.toolstack)
    return finding("location", {"absent": True, "running": False}.get(proof.presence), proof.reason, "xl list -v")


def _others(context: Context, host: ManagedHost) -> Finding:
    """For the person who approves: what else loses its power."""
    names = [g.name for g in context.inventory.guests if host.name in g.placement and g != context.managed_guest]
    words = f"also off with {host.name}, where they run there: {', '.join(names) or 'no other guest of the policy'}"
    return Finding("other guests", "warn" if names else "pass", words, "policy")


async def _off(context: Context) -> Verdict:
    """By the state that is read back, never by what the order answered."""
    host = _host_of(context)
    state = await steady_state(context.machine, context.clock, host)
    for _ in range(_TRIES):
        if state != "on":
            break
        await context.clock.sleep(10.0)
        state = await steady_state(context.machine, context.clock, host)
    return Verdict({"off": True, "on": False}.get(state), f"the power of {host.name} is read back as {state}")


async def _plan(context: Context) -> Plan:
    return Plan((Step(power_off(_host_of(context)), confirm=_off), Step(domain_commands.start(context.managed_guest))))


async def _verify(context: Context) -> Verdict:
    """The guest runs here, and its former host still has no power: else a second copy may be starting there."""
    verdict, host = await running_verdict(context), _host_of(context)
    if not verdict.met:
        return verdict
    state = await power_state(context.machine, host)
    return verdict if state == "off" else Verdict(None, f"{verdict.reason}, and {host.name} has power again: {state}")


ACTION = Action(
    name="domain_take_over",
    title="Take the power from a host that does not answer, and start its guest here",
    risk="L4",
    kinds=("domain",),
    params=("from",),
    required=("from",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=180.0,
    hold=30.0,
    undo="power the host on, and move the guest back",
    cross_host=True,
    fences="from",
)
