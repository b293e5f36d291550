"""Everything that may stop a run from starting, asked in order, in the transaction that lets it start."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from xenwatch.model.action import RISKS, ActionRun, Trigger
from xenwatch.remediation.guards import approvals, breaker, budget, storm
from xenwatch.remediation.guards import kill_switch as switch
from xenwatch.remediation.policy.policy import Policy, PolicyRule
from xenwatch.remediation.store import triggers as trouble
from xenwatch.remediation.store.transaction import Transaction

UNLIMITED = frozenset({"notify"})
"""Actions that touch nothing: telling a person is never held back by a budget or a breaker."""
HEALING = frozenset({"recover_interrupted_migration"})
"""What puts an unknown outcome in order may start while one is held."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Which guard said no, and why."""

    guard: str
    reason: str


def admission(tx: Transaction, run: ActionRun, policy: Policy, *, cross_host: bool) -> Refusal | None:
    """None where the run may start: its budget is then reserved in `tx`. Otherwise the first guard that says no."""
    consent = approvals.consent(tx, run)
    stop = _always(tx, run, policy, cross_host, consent)
    if stop is None and consent is None:
        stop = _unattended(tx, run, policy)
    if stop is None:
        stop = _spend(tx, run, policy)
    if stop is None:
        approvals.use(tx, run)
    return stop


def standing(tx: Transaction, run: ActionRun, policy: Policy) -> Refusal | None:
    """Asked again in the transaction that moves to `executing`: what was promised must still hold."""
    if (off := switch.reason_off(tx)) is not None:
        return Refusal("switch", off)
    if run.proposal.policy_hash != policy.hash:
        return Refusal("superseded", "the policy was changed since this was planned")
    if tx.at >= run.proposal.expires:
        return Refusal("expired", "the time to act on this plan is over")
    if run.proposal.needs_approval and approvals.consent(tx, run) is None:
        return Refusal("approval", "waits for a person's approval that stands")
    return None


def _always(tx: Transaction, run: ActionRun, policy: Policy, cross_host: bool, consent: str | None) -> Refusal | None:
    proposal = run.proposal
    if not policy.enabled:
        return Refusal("switch", "remediation is disabled in the policy")
    if (early := standing(tx, run, policy)) is not None:
        return early
    if cross_host and consent is None:
        return Refusal("coordination", "no lease over several hosts: acts on another host only when a person approved")
    if (held := _held(tx, run)) is not None and proposal.action not in UNLIMITED | HEALING:
        return Refusal("unknown", f"run {held} on it ended unknown; a person must settle it first")
    broken = breaker.reason_open(tx)
    if broken is not None and proposal.action not in UNLIMITED | HEALING and proposal.risk != "L0":
        return Refusal("breaker", broken)
    return None


def _held(tx: Transaction, run: ActionRun) -> str | None:
    target = run.proposal.target.key
    found = tx.one("SELECT id FROM run WHERE target=? AND state='unknown' AND id<>? LIMIT 1", target, run.id)
    return None if found is None else str(found)


def _unattended(tx: Transaction, run: ActionRun, policy: Policy) -> Refusal | None:
    """What holds back only an action nobody approved."""
    proposal = run.proposal
    if proposal.mode != "auto" or proposal.risk == RISKS[-1]:
        return Refusal("mode", f"mode is {proposal.mode}, risk {proposal.risk}")
    if (why := switch.maintained(tx, f"host/{proposal.host}", proposal.target.key)) is not None:
        return Refusal("maintenance", why)
    if storm.is_on(tx) and proposal.action not in UNLIMITED:
        return Refusal("storm", "too much fails at once")
    rule = next((rule for rule in policy.rules if rule.name == proposal.rule), None)
    return None if rule is None else _blocking(tx, rule)


def _blocking(tx: Transaction, rule: PolicyRule) -> Refusal | None:
    """Other troubles in whose presence a rule stands back; `*` stands for anything."""
    active = [trouble.read(row[0]) for row in tx.db.execute("SELECT trigger FROM trouble WHERE firing=1")]
    for blocker in rule.blocked_by:
        kind, _, pattern = blocker.partition(":")
        if any(fnmatchcase(name, pattern) for one in active for name in _names(one, kind)):
            return Refusal("blocked_by", f"{blocker} is there too")
    return None


def _names(one: Trigger, kind: str) -> tuple[str, ...]:
    """What a trouble is called as a `kind` (one of BLOCKERS); empty where it is none of that kind."""
    if kind == "class":
        return (one.class_,) if one.class_ else ()
    return (one.name, *one.aliases) if one.source == {"alert": "alert", "diagnosis": "incident"}[kind] else ()


def _spend(tx: Transaction, run: ActionRun, policy: Policy) -> Refusal | None:
    proposal = run.proposal
    harmless = proposal.risk == "L0"
    if not harmless and (wait := budget.cooling(tx, proposal.target.key, policy.pace)) is not None:
        return Refusal("cooldown", wait)
    limits = {} if proposal.action in UNLIMITED else policy.limits
    if harmless:
        limits = {key: limit for key, limit in limits.items() if key.startswith(("class.", "action."))}
    used = budget.reserve(tx, run.id, proposal, limits)
    return None if used is None else Refusal("budget", used)
