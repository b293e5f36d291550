"""Attaches a storage repository again on the hosts of its pool that have lost it, through xapi."""

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import finding
from xenwatch.remediation.pool_view import SOURCE, PoolAnswer, ask_pool, pool_order, silent


async def _repository(context: Context) -> PoolAnswer:
    return await ask_pool(context, "repository", context.target.name)


def _detached(answer: PoolAnswer) -> dict[str, str]:
    """Uuids of the PBDs to plug, with the names of their hosts; a host that is down would only keep xapi waiting."""
    hosts, pbds = answer.usable_hosts(), (answer.told or {})["pbds"]
    return {uuid: hosts[pbd["host"]] for uuid, pbd in pbds.items() if not pbd["attached"] and pbd["host"] in hosts}


async def _check(context: Context) -> list[Finding]:
    answer = await _repository(context)
    if answer.told is None:
        return silent(answer)
    names = ", ".join(sorted(_detached(answer).values()))
    words = f"not attached on {names}" if names else "every host that is up has it attached"
    return [finding("detached", bool(names), words, SOURCE)]


async def _plan(context: Context) -> Plan:
    answer = await _repository(context)
    if answer.told is None:
        raise InputError(f"the pool does not say: {answer.reason}")
    pbds = sorted(_detached(answer).items(), key=lambda item: item[1])
    return Plan(tuple(Step(pool_order(context, "PBD.plug", uuid, deadline=300.0)) for uuid, _ in pbds))


async def _verify(context: Context) -> Verdict:
    answer = await _repository(context)
    if answer.told is None:
        return Verdict(None, f"the pool does not say: {answer.reason}")
    left = ", ".join(sorted(_detached(answer).values()))
    return Verdict(not left, f"{context.target.name} is " + (f"not attached on {left}" if left else "attached"))


ACTION = Action(
    name="pool_pbd_plug",
    title="Attach a storage repository again",
    risk="L1",
    kinds=("sr",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=30.0,
    hold=10.0,
    undo="xe pbd-unplug",
    of_pool=True,
)
