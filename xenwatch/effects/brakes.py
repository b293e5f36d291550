"""What holds repairs back as a whole: switched off, a circuit breaker that is open, many guests repaired at once.

The agent has these brakes too, in its own store. Here they rest on what this process itself was asked for and did, so
that a taken agent cannot release them.
"""

from collections.abc import Container

from xenwatch.base.durations import format_duration
from xenwatch.base.errors import InputError
from xenwatch.effects.ledger import Ledger
from xenwatch.effects.record import RunRecord
from xenwatch.remediation.action import Action
from xenwatch.remediation.policy.policy import Policy

_GUEST = "domain/"


def require_on(ledger: Ledger) -> None:
    """InputError where a person switched remediation off."""
    if ledger.off_by:
        raise InputError(f"remediation was switched off by {ledger.off_by}")


def require_closed(action: Action, policy: Policy, ledger: Ledger, active: Container[str]) -> None:
    """InputError where so many runs in a row were carried out without success. `active`: what acts just now."""
    if not action.changes_something or action.recovery:
        return
    failed = ledger.failures(active)
    if failed >= policy.breaker_after:
        raise InputError(
            f"{failed} runs in a row failed or ended unknown: a person must look, and close the circuit breaker"
        )


def require_calm(record: RunRecord, policy: Policy, ledger: Ledger, repairs: Container[str]) -> None:
    """InputError where this would be one more of many guests that are repaired at once: they have one cause.

    It is over when nothing of that kind was asked for during the cooldown of a storm.
    """
    limit, guests = policy.storm, policy.inventory.guests
    recent = {s.target for s in ledger.starts if s.at > ledger.now - limit.within and s.action in repairs}
    if record.action in repairs:
        recent.add(record.target.key)
    repaired = sum(target.startswith(_GUEST) for target in recent)
    if repaired >= limit.min_count and repaired > limit.max_unhealthy * max(len(guests), 1):
        ledger.storm()
        window = format_duration(limit.within)
        raise InputError(f"a storm: this would be guest {repaired} of {len(guests)} that is repaired within {window}")
    if ledger.now - ledger.storm_at < limit.cooldown:
        raise InputError(f"there was a storm less than {format_duration(limit.cooldown)} ago")
