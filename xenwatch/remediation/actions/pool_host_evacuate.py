"""Empties a host of a pool through xapi: it takes no new guests, and those that it has move to the others."""

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import finding
from xenwatch.remediation.pool_view import SOURCE, PoolAnswer, ask_pool, pool_order, silent


async def _host(context: Context) -> PoolAnswer:
    return await ask_pool(context, "host", context.target.name)


async def _check(context: Context) -> list[Finding]:
    answer = await _host(context)
    if answer.told is None:
        return silent(answer)
    told, uuid = answer.told, answer.told["uuid"]
    others = sorted(name for other, name in answer.usable_hosts().items() if other != uuid)
    stays = ", ".join(f"{name} ({' '.join(error)})" for name, error in sorted(told["preventing"].items()))
    operations = told["hosts"][uuid]["operations"]
    armed = "high availability is armed, and decides" if told["ha_armed"] else "it is not armed"
    return [
        finding("HA", not told["ha_armed"], armed, SOURCE),
        finding("host", uuid in answer.usable_hosts() or told["enabled"], "it is up and takes guests", SOURCE),
        finding("operations", not operations, f"under way: {', '.join(operations) or 'nothing'}", SOURCE),
        finding("place", bool(others), f"guests can move to {', '.join(others) or 'nobody'}", SOURCE),
        finding("guests", not stays, f"cannot move: {stays or 'none'}", SOURCE),
    ]


async def _plan(context: Context) -> Plan:
    answer = await _host(context)
    if answer.told is None:
        raise InputError(f"the pool does not say: {answer.reason}")
    uuid, guests = answer.told["uuid"], answer.told["guests"]
    disable = pool_order(context, "host.disable", uuid, deadline=60.0)
    evacuate = pool_order(context, "host.evacuate", uuid, deadline=context.policy.migrate_timeout)
    return Plan((Step(disable), Step(evacuate)), summary=(f"moves {', '.join(guests) or 'no guest'}",))


async def _verify(context: Context) -> Verdict:
    answer = await _host(context)
    if answer.told is None:
        return Verdict(None, f"the pool does not say: {answer.reason}")
    left, enabled = answer.told["guests"], answer.told["enabled"]
    words = f"{len(left)} guest(s) left on {context.target.name}" + (", which takes guests again" if enabled else "")
    return Verdict(not left and not enabled, words)


ACTION = Action(
    name="pool_host_evacuate",
    title="Move every guest of a host to the others of its pool",
    risk="L3",
    kinds=("host",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=30.0,
    undo="enable the host: xe host-enable",
    of_pool=True,
)
