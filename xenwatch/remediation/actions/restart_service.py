"""Restarts a failed toolstack service from a fixed list; xenstored is never on it, for it cannot be restarted."""

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import finding
from xenwatch.remediation.machine.port import Order, argv, name_of

_MAY = frozenset(
    {
        "xend", "xenconsoled", "xenconsoled.service", "libvirtd", "libvirtd.service", "virtxend.service", "virtxend",
        "xl-devd", "xendriverdomain.service", "xen-watchdog.service", "prometheus-node-exporter.service",
    }
)  # fmt: skip
_NEVER = ("xenstored", "oxenstored", "xen-init-dom0", "proc-xen")
_ECHO = {
    "xend": ("xm", "list"),
    "libvirtd": ("virsh", "--readonly", "-c", "xen:///system", "list"),
    "virtxend": ("virsh", "--readonly", "-c", "xen:///system", "list"),
}
"""What must answer again: a service that is active may still not serve."""
_PAUSE = 5.0


def _unit(context: Context) -> str:
    unit = name_of(context.param("unit"), "a service")
    if unit.startswith(_NEVER) or unit not in _MAY | set(context.policy.services):
        raise InputError(f"{unit} is not a service that may be restarted")
    return unit


async def _state(context: Context, unit: str) -> bool | None:
    """True active, False failed or stopped, None anything else."""
    answer = await context.read("systemctl", "is-active", "--", unit)
    if answer.code is not None and answer.code != 127:  # noqa: PLR2004 - the shell's "not found": no systemd here
        return {"active": True, "inactive": False, "failed": False}.get(answer.out.strip())
    code = (await context.read("service", unit, "status")).code
    return {0: True, 1: False, 3: False}.get(code) if code is not None else None


async def _check(context: Context) -> list[Finding]:
    unit = _unit(context)
    looks = [await _state(context, unit)]
    await context.clock.sleep(_PAUSE)
    looks.append(await _state(context, unit))
    down = None if None in looks else looks == [False, False]
    cluster = (await context.read("pidof", "pacemakerd")).code
    alone = {0: False, 1: True}.get(cluster) if cluster is not None else None
    return [
        finding("service", down, f"{unit} in two looks: {looks}; it must be down in both", "systemctl is-active"),
        finding("no cluster", alone, "with a cluster manager, the cluster decides", "pidof pacemakerd"),
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
    echo = _ECHO.get(unit.removesuffix(".service"))
    answer = await context.read(*echo) if echo else None
    return Verdict(
        answer is None or answer.ok, f"{unit} is active" + (f"; {echo[0]}: {answer.summary}" if echo and answer else "")
    )


ACTION = Action(
    name="restart_service",
    title="Restart a failed service of the toolstack",
    risk="L1",
    kinds=("host",),
    params=("unit",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=60.0,
    hold=60.0,
    undo="none",
)
