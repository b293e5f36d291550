"""P20, P21: how the guest's memory travels: over ssh for xl and libvirt, through xend's relocation port for xm."""

import re

from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import finding
from xenwatch.remediation.policy.inventory import ManagedHost
from xenwatch.remediation.preflight.guest_config import GuestConfig

_XEND_PORT = 8002
_XEND_CONFIG = "/etc/xen/xend-config.sxp"
_MIB_A_SECOND = 80
"""What a gigabit link carries; a slower one only makes the estimate too good, never the migration unsafe."""


async def check_transport(context: Context, target: ManagedHost) -> list[Finding]:
    """The target answers, is the machine that the policy means, and has the toolstack."""
    identity = await context.read("cat", "--", "/etc/machine-id", host=target.name)
    same = identity.out.strip() == target.machine_id if identity.ok and target.machine_id else None
    findings = [
        finding(
            "P20 right machine", same, f"machine-id {identity.out.strip() or identity.summary}", "ssh, /etc/machine-id"
        )
    ]
    if context.managed_guest.toolstack == "xm":
        return [*findings, *await _xend(context, target)]
    tool = "virsh" if context.managed_guest.toolstack == "libvirt" else "xl"
    answer = await context.read("which", tool, host=target.name)
    return [
        *findings,
        finding("P20 toolstack", answer.ok if answer.code is not None else None, answer.summary, f"which {tool}"),
    ]


async def _xend(context: Context, target: ManagedHost) -> list[Finding]:
    """Xend listens on a port of its own, in plain text, for the hosts that its configuration allows."""
    opens = await context.machine.connect(target.address, _XEND_PORT, 5.0)
    text = await context.read("cat", "--", _XEND_CONFIG, host=target.name)
    settings = dict(re.findall(r"^\s*\(([\w-]+)\s+'?(.*?)'?\)", text.out, re.MULTILINE))
    server = settings.get("xend-relocation-server") == "yes" if text.ok else None
    allowed = _allowed(settings.get("xend-relocation-hosts-allow", ""), context.inventory.here) if text.ok else None
    return [
        finding("P20 relocation port", opens, f"{target.address}:{_XEND_PORT}", "TCP connection"),
        finding(
            "P20 relocation server",
            server,
            f"xend-relocation-server {settings.get('xend-relocation-server')}",
            _XEND_CONFIG,
        ),
        finding(
            "P20 hosts allowed",
            allowed,
            settings.get("xend-relocation-hosts-allow", "")[:200] or "every host",
            _XEND_CONFIG,
        ),
    ]


def _allowed(patterns: str, here: str) -> bool | None:
    """Each pattern is a regular expression for the sender's name; None (unknown) where one cannot be compiled."""
    try:
        return not patterns or any(re.search(pattern, here) for pattern in patterns.split())
    except re.error:
        return None


def check_duration(context: Context, config: GuestConfig) -> Finding:
    """P21: twice the memory (changed pages are sent again) must fit through a gigabit link within the time allowed."""
    seconds = 2 * config.memory_mib / _MIB_A_SECOND
    holds = seconds <= context.policy.migrate_timeout
    return finding("P21 duration", holds, f"about {seconds:.0f} s of {context.policy.migrate_timeout:g} s", "estimate")
