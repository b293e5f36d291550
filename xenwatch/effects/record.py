"""A run as the run store tells of it, each field of the type it must have: the store is the agent's, not ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.host.privileged.wire import field_of, only
from xenwatch.model.action import ActionRun
from xenwatch.model.subject import KINDS, Subject
from xenwatch.remediation.store.entries import RunLogEntry

_LONGEST = 300
"""Characters of a name or a parameter."""
_KEYS = (
    "run", "state", "token", "action", "kind", "name", "uuid", "params", "rule", "policy_hash", "plan_hash",
    "requester", "intents", "outcomes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What is asked of the store about a run, and nothing besides."""

    run: str
    state: str
    token: int
    action: str
    target: Subject
    params: Mapping[str, str]
    rule: str
    """Of the policy; empty: a person asked for it."""
    policy_hash: str
    plan_hash: str
    requester: str
    intents: tuple[str, ...]
    """What it was about to do, in order, as the plan describes each order."""
    outcomes: int
    """How many of them have come back."""


def told(run: ActionRun, entries: list[RunLogEntry]) -> dict[str, Any]:
    """The record as JSON."""
    proposal = run.proposal
    return {
        "run": run.id, "state": run.state, "token": run.token or 0, "action": proposal.action,
        "kind": proposal.target.kind, "name": proposal.target.name, "uuid": proposal.target.uuid or "",
        "params": dict(proposal.params), "rule": proposal.rule, "policy_hash": proposal.policy_hash,
        "plan_hash": proposal.plan_hash, "requester": proposal.requester,
        "intents": [entry.reason for entry in entries if entry.kind == "intent"],
        "outcomes": sum(entry.kind == "outcome" for entry in entries),
    }  # fmt: skip


def record_of(message: Mapping[str, Any]) -> RunRecord:
    """The record that `told` made. InputError where anything of it has another form."""
    only(message, *_KEYS)
    texts = {key: _text(message, key) for key in _KEYS if key not in ("token", "params", "intents", "outcomes")}
    if texts["kind"] not in KINDS or not texts["name"]:
        raise InputError(f"{texts['kind']}/{texts['name']} is nothing that an action is for")
    return RunRecord(
        run=texts["run"], state=texts["state"], token=field_of(message, "token", int), action=texts["action"],
        target=Subject(texts["kind"], texts["name"], texts["uuid"] or None), params=_params(message),
        rule=texts["rule"], policy_hash=texts["policy_hash"], plan_hash=texts["plan_hash"],
        requester=texts["requester"], intents=tuple(map(str, field_of(message, "intents", list))),
        outcomes=field_of(message, "outcomes", int),
    )  # fmt: skip


def _text(message: Mapping[str, Any], key: str) -> str:
    text = field_of(message, key, str)
    if len(text) > _LONGEST or not text.isprintable():
        raise InputError(f"{key} is too long, or has characters that nobody types")
    return text


def _params(message: Mapping[str, Any]) -> dict[str, str]:
    params = field_of(message, "params", dict)
    return {str(key): _text(params, key) for key in params}
