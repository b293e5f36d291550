"""Repairs an interrupted migration: both xl processes are killed first, then one copy, and only one, runs on."""

import re

from xenwatch.remediation.action import Action, Context, Finding, NeedsPerson, Plan, Step, Verdict
from xenwatch.remediation.checks import finding, health_verdict
from xenwatch.remediation.machine import domain_commands
from xenwatch.remediation.machine.port import Order, argv
from xenwatch.remediation.migration_recovery import MigrationEnds, Move, next_move, source_end, target_end
from xenwatch.remediation.policy.inventory import HERE
from xenwatch.remediation.preflight.cpu import version
from xenwatch.remediation.preflight.memory import host_info
from xenwatch.remediation.preflight.migrate import target_of

_PAUSE = 5.0
_PROCESS = re.compile(r"\s*(\d+)\s+(.*)")
_SENDER = re.compile(r"(?:\S*/)?xl\s+(?:-\S+\s+)*migrate(?:\s.*)?\s(\S+)\s+\S+\s*$")
_RECEIVER = re.compile(
    r"(?:\S*/)?xl\s+(?:-\S+\s+)*migrate-receive\b|(?:\S*/)?libxl-save-helper\b"
    r"|(?:\S*python\S*\s+(?:-\S+\s+)*)?\S*xenwatch\s+fence\s.*\smigrate-receive\b"
)
"""The last one: its token is being checked, and it becomes xl at once."""


async def _processes(context: Context, host: str) -> list[int] | None:
    """The pids of a migration at one end; None: unknown. At the source only those of this very guest."""
    answer = await context.read("ps", "-eo", "pid=,args=", host=host)
    if not answer.ok or not answer.out.strip():
        return None
    pids = []
    for line in answer.out.splitlines():
        pid, words = (m[1], m[2]) if (m := _PROCESS.fullmatch(line)) else ("0", "")
        sender = _SENDER.match(words)
        if (sender and sender[1] == context.managed_guest.name) or _RECEIVER.match(words):
            pids.append(int(pid))
    return pids


async def _ends(context: Context) -> MigrationEnds | None:
    """The state of both ends, read twice with the same result; None: unknown, or still changing."""
    states = []
    for nth in range(2):
        if nth:
            await context.clock.sleep(_PAUSE)
        here, there = await context.copies(HERE), await context.copies(target_of(context).name)
        if here is None or there is None:
            return None
        name = context.managed_guest.name
        states.append(MigrationEnds(source_end(here, name), target_end(there, name)))
    return states[0] if states[0] == states[1] else None


async def _check(context: Context) -> list[Finding]:
    """Both ends must answer: nothing may be assumed about an end that does not; a person fences it, or decides."""
    findings = []
    for host in (HERE, target_of(context).name):
        alive, rows = await _processes(context, host), await context.copies(host)
        holds = None if alive is None or rows is None else True
        findings.append(
            finding("end answers", holds, f"{host or 'this host'}: {len(rows or ())} copies", "ps, xl list -v")
        )
    xl = context.managed_guest.toolstack == "xl"
    return [
        *findings,
        finding(
            "toolstack", xl, f"the guest's is {context.managed_guest.toolstack}; only xl has this procedure", "policy"
        ),
    ]


async def _plan(context: Context) -> Plan:
    """Only the procedure is fixed in advance: each move depends on the state of both ends right before it."""
    to = target_of(context).name
    words = (f"kill xl here and on {to}, check that both are dead, read both ends, make one move at a time",)
    return Plan((), _next, words)


async def _kills(context: Context, host: str) -> list[Step]:
    """One step for an end: kill every process of the migration; then none may be left."""

    async def dead(ctx: Context) -> Verdict:
        left = await _processes(ctx, host)
        return Verdict(None if left is None else not left, f"processes left on {host or 'this host'}: {left}")

    pids = await _processes(context, host)
    return [Step(Order(argv("kill", "-KILL", *pids), host), dead)] if pids else []


async def _next(context: Context) -> tuple[Step, ...]:
    """The next move. Every time, both ends are first checked to have no running xl."""
    to = target_of(context).name
    alive = [await _processes(context, host) for host in (HERE, to)]
    if None in alive:
        raise NeedsPerson("one of the ends does not report whether xl still runs there")
    if any(alive):
        return (*await _kills(context, HERE), *await _kills(context, to))
    ends = await _ends(context)
    if ends is None:
        raise NeedsPerson("the state of the two ends is unknown, or still changes")
    move = next_move(ends)
    if move == "done":
        return ()
    if move == "person":
        raise NeedsPerson(f"the source is {ends.source} and the target {ends.target}: a person must decide")
    if context.baseline.get("move") == move:
        raise NeedsPerson(f"{move} was done, and the state did not change")
    context.baseline["move"] = move
    return await _steps(context, move, to)


async def _steps(context: Context, move: Move, to: str) -> tuple[Step, ...]:
    guest = context.managed_guest
    host = to if move in ("destroy_target", "unpause_target") else HERE
    rows = await context.copies(host)
    if rows is None or len(rows) != 1:
        raise NeedsPerson(f"there is no longer exactly one copy on {host or 'this host'}")
    domid, name = rows[0].domid, rows[0].name
    if move in ("destroy_target", "destroy_source"):
        return (Step(domain_commands.destroy(guest, domid, host), lambda ctx: _gone(ctx, host)),)
    rename = (Step(domain_commands.rename(domid, guest.name, host)),) if name != guest.name else ()
    if move == "unpause_target":
        return (*rename, Step(Order(argv("xl", "unpause", domid), host)))
    xen = version(await host_info(context))
    if xen is None:
        raise NeedsPerson("the version of Xen is unknown, and so is how to resume a domain")
    return (*rename, Step(domain_commands.resume(domid, xen)))


async def _gone(context: Context, host: str) -> Verdict:
    rows = await context.copies(host)
    return Verdict(None if rows is None else rows == (), f"{len(rows or ())} copies on {host or 'this host'}")


async def _verify(context: Context) -> Verdict:
    """Exactly one copy, running under its own name, and healthy."""
    to = target_of(context).name
    here, there = await context.copies(HERE), await context.copies(to)
    if here is None or there is None:
        return Verdict(None, "one of the ends does not list its domains")
    ends = MigrationEnds(source_end(here, context.managed_guest.name), target_end(there, context.managed_guest.name))
    if ends in (MigrationEnds("run", "none"), MigrationEnds("none", "run")):
        return await health_verdict(context)
    return Verdict(None, f"source {ends.source}, target {ends.target}")


ACTION = Action(
    name="recover_interrupted_migration",
    title="Repair an interrupted migration",
    risk="L3",
    kinds=("domain",),
    params=("to",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=60.0,
    hold=5.0,
    undo="none",
    cross_host=True,
    recovery=True,
)
