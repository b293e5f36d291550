"""Budgets over sliding windows: how often a guest, a host, an action or a class of risk may be acted on."""

from collections.abc import Mapping
from dataclasses import dataclass

from xenwatch.base.durations import format_duration
from xenwatch.model.action import Proposal
from xenwatch.remediation.policy.policy import Limit
from xenwatch.remediation.store import budget, runs
from xenwatch.remediation.store.transaction import Transaction, View


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a limit counts, as a condition over the table of budgets and over the table of runs."""

    key: str
    budget_condition: str
    run_condition: str
    values: tuple[str, ...] = ()


def _scope(kind: str, name: str = "", value: str = "") -> _Scope:
    """Actions that only read (L0) use up the budget of their class and of their action alone."""
    key = f"{kind}.{name}" if name else kind
    if kind == "global":
        return _Scope(key, "class <> 'L0'", "risk <> 'L0'")
    if kind == "host":
        return _Scope(key, "host = ? AND class <> 'L0'", "host = ? AND risk <> 'L0'", (value,))
    if kind == "guest":
        return _Scope(key, "guest = ? AND class <> 'L0'", "target = ? AND risk <> 'L0'", (value,))
    if kind == "class":
        return _Scope(key, "class = ?", "risk = ?", (name,))
    return _Scope(key, "action = ?", "action = ?", (name,))


def _scopes(proposal: Proposal) -> tuple[_Scope, ...]:
    return (
        _scope("global"),
        _scope("host", value=proposal.host),
        _scope("guest", value=proposal.target.key),
        _scope("class", proposal.risk),
        _scope("action", proposal.action),
    )


def reserve(transaction: Transaction, run: str, proposal: Proposal, limits: Mapping[str, Limit]) -> str | None:
    """Take one action from every budget of a run. Where one is used up: which, in words, and nothing is taken."""
    for scope in _scopes(proposal):
        limit = limits.get(scope.key)
        if limit is not None and (reason := _exhausted(transaction, scope, limit)):
            return reason
    budget.reserve(transaction, run, proposal)
    return None


def remaining(view: View, limits: Mapping[str, Limit], host: str) -> dict[str, int]:
    """What is left of the budgets that have one holder: global, this host, each class and action."""
    left = {}
    for key, limit in limits.items():
        kind, _, name = key.partition(".")
        if kind != "guest":
            used = _used(view, _scope(kind, name, value=host), view.at - limit.window)
            left[key] = max(0, limit.max_actions - used)
    return left


def _exhausted(view: View, scope: _Scope, limit: Limit) -> str | None:
    used = _used(view, scope, view.at - limit.window)
    if used >= limit.max_actions:
        return f"{scope.key}: {used} of {limit.max_actions} actions in {format_duration(limit.window)} are used"
    active = runs.active_count(view, scope.run_condition, *scope.values) if limit.max_concurrent else 0
    if limit.max_concurrent and active >= limit.max_concurrent:
        return f"{scope.key}: {active} of {limit.max_concurrent} concurrent run(s) are active"
    return None


def _used(view: View, scope: _Scope, since: float) -> int:
    return budget.used_since(view, since, scope.budget_condition, *scope.values)
