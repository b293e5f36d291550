"""P13, P14: a guest's bridges are there, up, alike at both ends, and lead somewhere."""

from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import backends, parsed, passes
from xenwatch.remediation.machine.port import name_of
from xenwatch.remediation.policy.inventory import HERE
from xenwatch.remediation.preflight.guest_config import GuestConfig


async def _bridge(context: Context, bridge: str, host: str) -> dict[str, object] | None:
    """The bridge's link, `{}` where there is none, None where it cannot be told."""
    answer = await context.read("ip", "-j", "-d", "link", "show", host=host)
    links = parsed(answer)
    if links is None:
        return None
    link: dict[str, object] = next((link for link in links if link.get("ifname") == bridge), {})
    ports = [
        port for port in links if port.get("master") == bridge and not str(port["ifname"]).startswith(("vif", "tap"))
    ]
    return {**link, "carrier": any("LOWER_UP" in port.get("flags", []) for port in ports)} if link else {}


async def check_bridges(context: Context, config: GuestConfig, host: str = HERE) -> list[Finding]:
    """For a start: every bridge there and up."""
    found = []
    for name in sorted({vif.bridge for vif in config.vifs}):
        link = await _bridge(context, name_of(name, "a bridge"), host)
        up = None if link is None else bool(link) and "UP" in str(link.get("flags", ""))
        found.append(
            passes("P13 bridge", up, f"{name} " + ("is there and up" if up else "is missing or down"), "ip link")
        )
    return found


async def check_same_network(context: Context, config: GuestConfig, target: str) -> list[Finding]:
    """For a move: bridges of the same names and MTU, an uplink with carrier, no MAC of the guest at the target."""
    found = await check_bridges(context, config, target)
    for name in sorted({vif.bridge for vif in config.vifs}):
        here, there = await _bridge(context, name, HERE), await _bridge(context, name, target)
        known = bool(here) and bool(there)
        same = here["mtu"] == there["mtu"] if here and there else None
        found.append(passes("P13 MTU", same if known else None, f"{name} at both ends", "ip link"))
        carrier = bool(there["carrier"]) if there else None
        found.append(
            Finding("P14 uplink", "pass" if carrier else "warn", f"{name} at {target}: carrier {carrier}", "ip link")
        )
    return [*found, await _macs(context, config, target)]


async def _macs(context: Context, config: GuestConfig, target: str) -> Finding:
    used = await backends(context, target)
    taken = [vif.mac for vif in config.vifs if vif.mac and vif.mac.lower() in (used or "").lower()]
    holds = None if used is None else not taken
    return passes(
        "P13 MAC", holds, f"at {target} already: {', '.join(taken)}" if taken else "free at the target", "xenstore-ls"
    )
