"""Puts a guest's existing network interface back on the bridge its backend names."""

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import finding, json_of, state_finding
from xenwatch.remediation.machine.port import Order, argv, name_of
from xenwatch.remediation.machine.privileges import Privileges

_LINKS = Privileges(capabilities=("CAP_NET_ADMIN",))


async def _vif(context: Context) -> tuple[str, str]:
    """The interface's name in dom0 and the bridge that xenstore says it belongs to."""
    device = context.params.get("device", "0")
    row = await context.sole_copy()
    if not device.isdecimal() or row is None:
        raise InputError(f"{context.target} has no interface {device}, or it is unknown")
    answer = await context.read("xenstore-read", f"/local/domain/0/backend/vif/{row.domid}/{device}/bridge")
    return f"vif{row.domid}.{device}", name_of(answer.out.strip(), "a bridge") if answer.ok else ""


async def _link(context: Context, name: str) -> dict[str, object] | None:
    links = json_of(await context.read("ip", "-j", "link", "show", "dev", name))
    return links[0] if links else None


async def _check(context: Context) -> list[Finding]:
    _, state = await state_finding(context, "rb-", "running")
    if not state.holds:
        return [state]
    vif, bridge = await _vif(context)
    link, over = await _link(context, vif), await _link(context, bridge) if bridge else None
    stray = link is not None and not link.get("master")
    return [
        state,
        finding(
            "bridge named", bool(bridge), f"{vif} belongs on {bridge or 'no bridge'}", "xenstore backend/vif/…/bridge"
        ),
        finding("bridge present", over is not None, f"{bridge}", "ip link"),
        finding(
            "interface", stray, f"{vif} is on {link.get('master') if link else 'nothing: there is none'}", "ip link"
        ),
    ]


async def _plan(context: Context) -> Plan:
    vif, bridge = await _vif(context)
    return Plan(
        (
            Step(Order(argv("ip", "link", "set", "dev", vif, "master", bridge), privileges=_LINKS)),
            Step(Order(argv("ip", "link", "set", "dev", vif, "up"), privileges=_LINKS)),
        )
    )


async def _verify(context: Context) -> Verdict:
    vif, bridge = await _vif(context)
    link = await _link(context, vif)
    if link is None:
        return Verdict(None, f"{vif} cannot be read")
    return Verdict(link.get("master") == bridge, f"{vif} is on {link.get('master')}")


ACTION = Action(
    name="vif_reattach",
    title="Put a guest's interface back on its bridge",
    risk="L1",
    kinds=("domain",),
    params=("device",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=30.0,
    undo="ip link set dev VIF nomaster",
)
