"""Lets xapi look again at what a storage repository holds, where disks are marked as missing."""

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import finding
from xenwatch.remediation.pool_view import SOURCE, PoolAnswer, ask_pool, pool_order, silent


async def _repository(context: Context) -> PoolAnswer:
    return await ask_pool(context, "repository", context.target.name)


async def _check(context: Context) -> list[Finding]:
    answer = await _repository(context)
    if answer.told is None:
        return silent(answer)
    attached = any(pbd["attached"] for pbd in answer.told["pbds"].values())
    missing = ", ".join(answer.told["missing"])
    return [
        finding("attached", attached, "a host has it attached" if attached else "no host has it attached", SOURCE),
        finding("missing", bool(missing) or context.approved, f"missing disks: {missing or 'none'}", SOURCE),
    ]


async def _plan(context: Context) -> Plan:
    answer = await _repository(context)
    if answer.told is None:
        raise InputError(f"the pool does not say: {answer.reason}")
    return Plan((Step(pool_order(context, "SR.scan", answer.told["uuid"], deadline=300.0)),))


async def _verify(context: Context) -> Verdict:
    answer = await _repository(context)
    if answer.told is None:
        return Verdict(None, f"the pool does not say: {answer.reason}")
    missing = ", ".join(answer.told["missing"])
    return Verdict(not missing, f"missing disks: {missing or 'none'}")


ACTION = Action(
    name="pool_sr_scan",
    title="Look again at what a storage repository holds",
    risk="L1",
    kinds=("sr",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=30.0,
    undo="none",
    of_pool=True,
)
