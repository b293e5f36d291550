"""Restarts a failed service of the toolstack; never xenstored, which cannot be restarted."""

from collections.abc import Callable, Mapping

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import finding
from xenwatch.remediation.machine.port import Machine, Order, argv, name_of
from xenwatch.remediation.machine.virsh import virsh_reading


def _xm_lists(_: Machine) -> tuple[str, ...]:
    return ("xm", "list")


def _virsh_lists(machine: Machine) -> tuple[str, ...]:
    return virsh_reading(machine, "list")


_SERVICES: Mapping[str, Callable[[Machine], tuple[str, ...]] | None] = {
    "xend": _xm_lists,
    "libvirtd": _virsh_lists,
    "virtxend": _virsh_lists,
    "xenconsoled": None,
    "xl-devd": None,
    "xendriverdomain": None,
    "xen-watchdog": None,
    "prometheus-node-exporter": None,
}
"""What may be restarted, with or without `.service`, and the command that must then work: active is not yet serving."""
_NEVER = ("xenstored", "oxenstored", "xen-init-dom0", "proc-xen")
"""A policy cannot add these: restarting them loses the state of every guest."""
_PAUSE = 5.0


def _unit(context: Context) -> str:
    unit = name_of(context.param("unit"), "a service")
    if unit.startswith(_NEVER):
        raise InputError(f"{unit} is never restarted: that would lose the state of every guest")
    if _base_name(unit) not in _SERVICES and unit not in context.policy.services:
        raise InputError(f"{unit} is not a service that may be restarted; the policy may add it to `services`")
    return unit


def _base_name(unit: str) -> str:
    return unit.removesuffix(".service")


async def _state(context: Context, unit: str) -> bool | None:
    """True active, False failed or stopped, None anything else."""
    answer = await context.read("systemctl", "is-active", "--", unit)
    if answer.code is not None and answer.code != 127:  # noqa: PLR2004 - the shell's "not found": no systemd here
        return {"active": True, "inactive": False, "failed": False}.get(answer.out.strip())
    code = (await context.read("service", unit, "status")).code
    return {0: True, 1: False, 3: False}.get(code) if code is not None else None


async def _exists(context: Context) -> Finding:
    """Systemd calls a unit that it does not have inactive, as one that only stands still."""
    unit = _unit(context)
    answer = await context.read("systemctl", "show", "--property=LoadState", "--value", "--", unit)
    if not answer.ok:
        script = f"/etc/init.d/{_base_name(unit)}"
        without = answer.code == 127 or "not been booted with systemd" in answer.err  # noqa: PLR2004
        there = (await context.read("test", "-x", script)).ok or (False if without else None)
        return finding("unit", there, script, "test -x")
    state = answer.out.strip()
    there = state == "loaded" if state else None
    return finding("unit", there, f"{unit} is {state or 'not known'} to systemd", "systemctl show")


async def _check(context: Context) -> list[Finding]:
    unit, exists = _unit(context), await _exists(context)
    if exists.outcome == "fail":
        return [exists]
    states = [await _state(context, unit)]
    await context.clock.sleep(_PAUSE)
    states.append(await _state(context, unit))
    down = None if None in states else states == [False, False]
    cluster = (await context.read("pidof", "pacemakerd")).code
    alone = {0: False, 1: True}.get(cluster) if cluster is not None else None
    return [
        exists,
        finding("service", down, f"{unit} active, read twice: {states}; it must be down twice", "systemctl is-active"),
        finding("no cluster", alone, "where a cluster manager runs, the cluster decides", "pidof pacemakerd"),
    ]


async def _plan(context: Context) -> Plan:
    unit = _unit(context)
    systemd = (await context.read("systemctl", "is-active", "--", unit)).code not in (None, 127)
    words = argv("systemctl", "restart", "--", unit) if systemd else argv("service", unit, "restart")
    return Plan((Step(Order(words, deadline=90.0)),))


async def _verify(context: Context) -> Verdict:
    unit = _unit(context)
    state = await _state(context, unit)
    if not state:
        return Verdict(state, f"{unit} is not active")
    proof = _SERVICES.get(_base_name(unit))
    if proof is None:
        return Verdict(True, f"{unit} is active")
    command = proof(context.machine)
    answer = await context.read(*command)
    return Verdict(answer.ok, f"{unit} is active; {command[0]}: {answer.summary}")


ACTION = Action(
    name="restart_service",
    title="Restart a failed service of the toolstack",
    risk="L1",
    kinds=("host",),
    params=("unit",),
    required=("unit",),
    exists=_exists,
    check=_check,
    plan=_plan,
    verify=_verify,
    within=60.0,
    hold=60.0,
    undo="none",
)
