"""P1 to P3, P22 to P24: the guest may leave, the target may take it, and both hosts have room for the move."""

from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import absent_elsewhere, dom0_free_mib, finding, state_finding
from xenwatch.remediation.guards.ownership import check_owner
from xenwatch.remediation.machine.port import EFFECTS_FOLDER
from xenwatch.remediation.machine.presence import presence
from xenwatch.remediation.policy.inventory import HERE, ManagedHost

CORDON_FLAG = f"{EFFECTS_FOLDER}/cordoned"
"""No guest is moved to a host that has this file."""
_SKEW = 5.0
_WATCH = 60.0


async def check_place(context: Context, target: ManagedHost, *, live: bool) -> list[Finding]:
    """Whether this guest may go to this target."""
    findings = [*await _target(context, target)]
    if live:
        findings += await _stable(context)
    findings += [await absent_elsewhere(context), *await check_owner(context), await _apart(context, target)]
    if live:
        fencing = context.inventory.host(context.inventory.here)
        both = all(host is not None and (host.fencing or host.power) for host in (target, fencing))
        findings.append(
            Finding(
                "P24 fencing",
                "pass" if both else "warn",
                f"the policy names a way to fence both hosts: {both}",
                "policy",
            )
        )
    return [*findings, *[await _room(context, host) for host in (HERE, target.name)]]


async def _target(context: Context, target: ManagedHost) -> list[Finding]:
    cordoned = await context.read("ls", "-1", "--", CORDON_FLAG, host=target.name)
    free = {0: False, 2: True}.get(cordoned.code) if cordoned.code is not None else None
    clock = await context.read("date", "+%s.%N", host=target.name)
    try:
        skew = abs(float(clock.out) - context.clock.now()) if clock.ok else None
    except ValueError:
        skew = None
    other = target.name != context.inventory.here and target.name in context.managed_guest.placement
    return [
        finding(
            "P1 target",
            other,
            f"{target.name}; {context.managed_guest.name} may run on {', '.join(context.managed_guest.placement)}",
            "policy",
        ),
        finding("P1 not cordoned", free, f"{target.name}: {CORDON_FLAG}: {cordoned.summary}", "ls over ssh"),
        finding("P1 clock", None if skew is None else skew < _SKEW, f"clocks differ by {skew} s", "date over ssh"),
    ]


async def _stable(context: Context) -> list[Finding]:
    """P2: the guest runs, as the same domain, for a minute."""
    row, state = await state_finding(context, "rb-", "running")
    if row is None or set("pscd") & set(row.state):
        return [Finding("P2 stable", "unknown" if state.outcome == "unknown" else "fail", state.detail, "xl list -v")]
    await context.clock.sleep(_WATCH)
    again, _ = await state_finding(context, "rb-", "running")
    same = again is not None and again.domid == row.domid and not set("pscd") & set(again.state)
    return [finding("P2 stable", same, f"domain {row.domid} for {_WATCH:g} s", "xl list -v, twice")]


async def _apart(context: Context, target: ManagedHost) -> Finding:
    """P22: no guest on the target must be kept apart from it, and no other guest is being moved there."""
    rows = await context.domains(target.name)
    if rows is None:
        return Finding("P22 target's guests", "unknown", f"{target.name} does not list its domains", "xl list -v")
    moving = [row.name for row in rows if "--incoming" in row.name or row.name.startswith("migrating-")]
    tags = set(context.managed_guest.keep_apart)
    near = [
        guest.name
        for guest in context.inventory.guests
        if tags & set(guest.tags)
        and guest != context.managed_guest
        and presence(rows, guest.name, guest.uuid) == "running"
    ]
    words = f"to be kept apart: {', '.join(near) or 'none'}; arriving: {', '.join(moving) or 'none'}"
    return finding("P22 target's guests", not near and not moving, words, "xl list -v on the target")


async def _room(context: Context, host: str) -> Finding:
    """P23: room for logs and state on dom0's file systems."""
    free = await dom0_free_mib(context, "/var", host)
    holds = None if free is None else free >= context.policy.min_free_mib
    return finding("P23 dom0 room", holds, f"{free} MiB free in /var of {host or 'this host'}", "df")
