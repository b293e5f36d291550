"""What of a policy can never happen: a rule that reaches nobody, an action that cannot act on what its failures are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from xenwatch.remediation.action import Action
from xenwatch.remediation.policy.inventory import ManagedInventory
from xenwatch.remediation.policy.policy import PolicyRule, Rung

_GUEST_SELECTORS = ("tag", "name", "uuid")
_HOST = "host"


class Failure(NamedTuple):
    """A known failure: its id, its class, and the kind of thing that it is about."""

    id: str
    class_: str
    kind: str


def impossible(
    rule: PolicyRule, inventory: ManagedInventory, actions: Mapping[str, Action], failures: Sequence[Failure]
) -> Iterator[str]:
    """One sentence for each thing that cannot happen; nothing of an alert's target is known before it comes."""
    yield from _elsewhere(rule, inventory)
    for rung in rule.ladder:
        yield from _parameters(rung, actions[rung.action])
    meant = [failure for failure in failures if failure.class_ == rule.class_ or failure.id == rule.diagnosis]
    if not meant or rule.alert or not rule.selectors:
        return
    reached = {failure.kind for failure in meant if _reaches(rule, failure.kind)}
    if not reached:
        kinds = _listed(failure.kind for failure in meant)
        yield f"what it waits for is about {kinds}, which no selector of it selects{_advice(meant, inventory)}"
        return
    for rung in rule.ladder:
        if not any(_acts_on(rule, actions[rung.action], kind) for kind in reached):
            kinds, meant_kinds = _listed(actions[rung.action].kinds), _listed(reached)
            yield f"{rung.action} can never happen: it acts on {kinds}, and what is waited for is about {meant_kinds}"


def only_told(rule: PolicyRule, actions: Mapping[str, Action], failures: Sequence[Failure]) -> list[str]:
    """Ids of failures that the rule waits for and at which no rung of it can do more than send a message."""
    meant = [failure for failure in failures if failure.class_ == rule.class_ or failure.id == rule.diagnosis]
    acting = [actions[rung.action] for rung in rule.ladder if not actions[rung.action].message_only]
    return sorted(
        failure.id
        for failure in meant
        if acting
        and not (_reaches(rule, failure.kind) and any(_acts_on(rule, action, failure.kind) for action in acting))
    )


def _elsewhere(rule: PolicyRule, inventory: ManagedInventory) -> Iterator[str]:
    """A policy is of one host: it acts for no other."""
    for selector in rule.selectors:
        kind, _, pattern = selector.partition(":")
        if kind == _HOST and pattern != inventory.here and not set("*?[/") & set(pattern):
            yield f"{selector} selects nothing: this host is called {inventory.here}"


def _parameters(rung: Rung, action: Action) -> Iterator[str]:
    for name in action.required:
        if not rung.params.get(name):
            yield f"{rung.action} can never happen: it needs the parameter {name}"
    for name in sorted(set(rung.params) - set(action.params)):
        yield f"{rung.action} can never happen: it has no parameter {name}"


def _reaches(rule: PolicyRule, kind: str) -> bool:
    """Whether a thing of this kind can be selected; what is a part of the host is also selected with the host."""
    selected = {selector.partition(":")[0] for selector in rule.selectors}
    if kind == "domain":
        return bool(selected & {*_GUEST_SELECTORS, "domain"})
    return bool(selected & {kind, _HOST})


def _acts_on(rule: PolicyRule, action: Action, kind: str) -> bool:
    of_host = kind != "domain" and any(selector.startswith("host:") for selector in rule.selectors)
    return action.accepts(kind) or (of_host and action.accepts(_HOST))


def _advice(meant: Iterable[Failure], inventory: ManagedInventory) -> str:
    if all(failure.kind == "domain" for failure in meant):
        return "; write tag:…, name:… or uuid:…"
    return f"; write host:{inventory.here}"


def _listed(kinds: Iterable[str]) -> str:
    return " or ".join(sorted({f"a {kind}" for kind in kinds}))
