"""What a run needs of the fleet before it starts: a lease where another host is concerned, a slot for any change."""

from xenwatch.base.errors import XenwatchError
from xenwatch.model.action import ActionRun
from xenwatch.model.coordination import Claim, Grant
from xenwatch.remediation.action import Action, Context
from xenwatch.remediation.machine.port import Machine
from xenwatch.remediation.policy.inventory import HERE, Guest
from xenwatch.remediation.policy.policy import Policy

FENCED_TOOLSTACK = "xl"
"""Only its orders for another host pass through the check of their token there: virsh and xm make their own way."""


def needs_fleet(action: Action) -> bool:
    """Messages and what only reads need nobody's leave."""
    return action.changes_something and not action.message_only


def acts_by_lease(action: Action, guest: Guest | None) -> bool:
    """Whether a lease of the fleet is enough for it to reach another host without a person."""
    return not action.cross_host or (guest is not None and guest.toolstack == FENCED_TOOLSTACK)


def claim_of(run: ActionRun, action: Action, policy: Policy, *, is_approved: bool) -> Claim:
    """What is asked of the fleet for a run."""
    proposal, inventory = run.proposal, policy.inventory
    guest = inventory.guest(proposal.target) if proposal.target.kind == "domain" else None
    elsewhere = guest is not None and len(inventory.places(guest)) > 1
    return Claim(
        run=run.id,
        host=inventory.here,
        target=proposal.target.key,
        action=action.name,
        needs_lease=action.cross_host or elsewhere or action.of_pool,
        is_approved=is_approved,
        to=proposal.params.get("to", "") if action.cross_host else "",
        most_at_once=policy.fleet.max_concurrent,
        most_in_window=policy.fleet.max_actions,
        window=policy.fleet.window,
    )


async def announce(machine: Machine, context: Context, action: Action, grant: Grant) -> None:
    """Every host where the target may be takes the token before anything is checked. XenwatchError: one does not.

    What an older holder did is then there to be seen, and what it still tries is refused. A host that is to lose its
    power because it does not answer takes none: what it still does ends with its power.
    """
    if not grant.token or context.target.host:  # xapi keeps no tokens; its master does one thing to a guest at a time
        return
    places = context.inventory.places(context.guest) if context.guest else (HERE,)
    fenced = context.params.get(action.fences) if action.fences else None
    for host in dict.fromkeys((*places, *filter(None, (context.params.get("to"),)))):
        if host and host == fenced:
            continue
        answer = await machine.announce(grant.target, grant.token, host)
        if not answer.ok:
            raise XenwatchError(f"{host or 'this host'} does not take the lease's token: {answer.summary}")
