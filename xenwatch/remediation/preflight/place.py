"""P1 to P3, P22 to P24: the guest may leave, the target may take it, and both hosts are well enough."""

from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import dom0_free_mib, nowhere_else, one_row, passes
from xenwatch.remediation.guards.ownership import check_owner
from xenwatch.remediation.machine.presence import presence
from xenwatch.remediation.policy.inventory import HERE, ManagedHost

CORDON_FLAG = "/var/lib/xenwatch/cordoned"
"""A host on which this file lies takes no more guests."""
_SKEW = 5.0
_WATCH = 60.0


async def check_place(context: Context, target: ManagedHost, *, live: bool) -> list[Finding]:
    """Who may go where."""
    found = [*await _target(context, target)]
    if live:
        found += await _stable(context)
    found += [await nowhere_else(context), *await check_owner(context), await _apart(context, target)]
    if live:
        fencing = context.inventory.host(context.inventory.here)
        both = bool(target.fencing) and bool(fencing and fencing.fencing)
        found.append(Finding("P24 fencing", "pass" if both else "warn", f"a way to fence both hosts: {both}", "policy"))
    return [*found, *[await _room(context, host) for host in (HERE, target.name)]]


async def _target(context: Context, target: ManagedHost) -> list[Finding]:
    cordoned = await context.read("ls", "-1", "--", CORDON_FLAG, host=target.name)
    free = {0: False, 2: True}.get(cordoned.code) if cordoned.code is not None else None
    clock = await context.read("date", "+%s.%N", host=target.name)
    try:
        skew = abs(float(clock.out) - context.clock.now()) if clock.ok else None
    except ValueError:
        skew = None
    other = target.name != context.inventory.here and target.name in context.known.placement
    return [
        passes(
            "P1 target",
            other,
            f"{target.name}; {context.known.name} may run on {', '.join(context.known.placement)}",
            "policy",
        ),
        passes("P1 not cordoned", free, f"{target.name}: {CORDON_FLAG}: {cordoned.words}", "ls over ssh"),
        passes("P1 clock", None if skew is None else skew < _SKEW, f"clocks differ by {skew} s", "date over ssh"),
    ]


async def _stable(context: Context) -> list[Finding]:
    """P2: running, the same domain, over a minute."""
    row, state = await one_row(context, "rb-", "running")
    if row is None or set("pscd") & set(row.state):
        return [Finding("P2 stable", "unknown" if state.outcome == "unknown" else "fail", state.detail, "xl list -v")]
    await context.clock.sleep(_WATCH)
    again, _ = await one_row(context, "rb-", "running")
    same = again is not None and again.domid == row.domid and not set("pscd") & set(again.state)
    return [passes("P2 stable", same, f"domain {row.domid} for {_WATCH:g} s", "xl list -v, twice")]


async def _apart(context: Context, target: ManagedHost) -> Finding:
    """P22: no guest there that must not share a host with it, and no other move underway to it."""
    rows = await context.rows(target.name)
    if rows is None:
        return Finding("P22 target's guests", "unknown", f"{target.name} does not list its domains", "xl list -v")
    moving = [row.name for row in rows if "--incoming" in row.name or row.name.startswith("migrating-")]
    tags = set(context.known.keep_apart)
    near = [
        guest.name
        for guest in context.inventory.guests
        if tags & set(guest.tags) and guest != context.known and presence(rows, guest.name, guest.uuid) == "running"
    ]
    words = f"must not be together: {', '.join(near)}; arriving: {', '.join(moving)}"
    return passes("P22 target's guests", not near and not moving, words, "xl list -v at the target")


async def _room(context: Context, host: str) -> Finding:
    """P23: room for logs and state on dom0's file systems; xenstored answers the listing of the other checks."""
    free = await dom0_free_mib(context, "/var", host)
    holds = None if free is None else free >= context.policy.min_free_mib
    return passes("P23 dom0 room", holds, f"{free} MiB free in /var of {host or 'this host'}", "df")
