"""Tells people, and touches nothing."""

from xenwatch.remediation.action import Action, Context, Plan, Verdict


async def _plan(context: Context) -> Plan:
    return Plan(summary=(f"tell people about {context.target}",))


async def _verify(_context: Context) -> Verdict:
    """The event of the run's end is the message; the outbox delivers it."""
    return Verdict(True, "told")


ACTION = Action(
    name="notify",
    title="Tell people",
    risk="L0",
    kinds=(
        "host",
        "domain",
        "lv",
        "vg",
        "bridge",
        "mount",
        "array",
        "pv",
        "pool",
        "sr",
        "pci",
        "vif",
        "vbd",
        "bond",
        "interface",
        "thinpool",
        "service",
        "multipath",
        "device",
        "image",
        "cpu",
        "iscsi",
        "nfs",
        "network",
    ),
    plan=_plan,
    repairs=False,
    verify=_verify,
    within=0.0,
    undo="none",
)
