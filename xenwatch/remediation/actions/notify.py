"""Sends people a message, and changes nothing."""

from xenwatch.remediation.action import ANY_KIND, Action, Context, Plan, Verdict


async def _plan(context: Context) -> Plan:
    return Plan(summary=(f"notify people about {context.target}",))


async def _verify(_context: Context) -> Verdict:
    """The event at the end of the run is the message; the outbox delivers it."""
    return Verdict(True, "the message is in the outbox")


ACTION = Action(
    name="notify",
    title="Notify people",
    risk="L0",
    kinds=ANY_KIND,
    message_only=True,
    plan=_plan,
    repairs=False,
    verify=_verify,
    within=0.0,
    undo="none",
)
