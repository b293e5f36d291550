"""Marks this host so that no guest is moved to it."""

from xenwatch.remediation.action import Action, Context, Plan, Step, Verdict
from xenwatch.remediation.machine.port import Order, argv
from xenwatch.remediation.preflight.place import CORDON_FLAG


async def _plan(_context: Context) -> Plan:
    return Plan((Step(Order(argv("install", "-D", "-m", "644", "/dev/null", CORDON_FLAG))),))


async def _verify(context: Context) -> Verdict:
    answer = await context.read("ls", "-1", "--", CORDON_FLAG)
    return Verdict(answer.ok if answer.code is not None else None, f"{CORDON_FLAG}: {answer.summary}")


ACTION = Action(
    name="host_cordon",
    title="Take no more guests on this host",
    risk="L1",
    kinds=("host",),
    plan=_plan,
    verify=_verify,
    within=10.0,
    undo=f"remove {CORDON_FLAG}",
)
