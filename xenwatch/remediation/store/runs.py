"""Runs: a proposal each, with the state it has reached. All SQL of the table `run` is here."""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.model.action import (
    ACTIVE,
    BEFORE_EFFECT,
    HOLDING,
    PENDING,
    UNUSED,
    WITHOUT_EFFECT,
    ActionRun,
    Proposal,
    RunState,
    Trigger,
)
from xenwatch.model.serialize import subject_from_json
from xenwatch.remediation.store import budget, entries
from xenwatch.remediation.store.schema import sql_list
from xenwatch.remediation.store.transaction import Transaction, View

_COLUMNS = "id, proposal, state, created, wall, reason, token"
_FIXED = (
    "id", "dedupe_key", "action", "target", "host", "rule", "trouble", "mode", "risk", "policy_hash", "plan_hash",
    "proposal", "requester", "expires", "needs_approval",
)  # fmt: skip
"""Columns that say what a run is; they never change."""
_SUCCEEDED: RunState = "succeeded"
_CANCELLED: RunState = "cancelled"
_UNKNOWN: RunState = "unknown"


def add(transaction: Transaction, proposal: Proposal, findings: Sequence[Sequence[str]] = ()) -> str | None:
    """Add a run in state `proposed`; None where the same trigger already has its run.

    `findings`: what was checked before it was proposed, each as check, outcome, detail.
    """
    run = f"{int(transaction.wall * 1000):012x}-{secrets.token_hex(4)}"
    row = {
        "id": run, "dedupe_key": proposal.dedupe_key, "action": proposal.action, "target": proposal.target.key,
        "host": proposal.host, "rule": proposal.rule, "trouble": proposal.trigger.key, "mode": proposal.mode,
        "risk": proposal.risk, "policy_hash": proposal.policy_hash, "plan_hash": proposal.plan_hash,
        "proposal": json.dumps(asdict(proposal), sort_keys=True), "requester": proposal.requester,
        "expires": proposal.expires, "needs_approval": proposal.needs_approval, "created": transaction.at,
        "wall": transaction.wall, "boot": transaction.boot,
    }  # fmt: skip
    try:
        transaction.db.execute(
            f"INSERT INTO run({','.join(row)}) VALUES({','.join('?' * len(row))})", tuple(row.values())
        )
    except sqlite3.IntegrityError as error:
        if "dedupe_key" in str(error):
            return None
        raise
    reason = proposal.rule or "requested by a person"
    facts: dict[str, Any] = {"findings": [list(finding) for finding in findings]} if findings else {}
    facts |= {"plan": list(proposal.plan), "run": _digest(tuple(row[column] for column in _FIXED))}
    move(transaction, run, "proposed", proposal.requester, reason, facts)
    return run


def move(
    transaction: Transaction,
    run: str,
    new: RunState,
    actor: str,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Move a run; StoreError where the table of moves does not have it. Where nothing was done its budget returns."""
    entries.append(transaction, "move", run, actor, reason, facts, old=state_of(transaction, run), new=new)
    if new in WITHOUT_EFFECT:
        budget.release(transaction, run)


def set_token(transaction: Transaction, run: str, token: int) -> None:
    """Note the fencing token that the run's orders carry."""
    transaction.db.execute("UPDATE run SET token=? WHERE id=?", (token, run))


def set_guard(transaction: Transaction, run: str, guard: str) -> bool:
    """Note which guard holds the run back; false where it is the same as before."""
    sql = "UPDATE run SET guard=? WHERE id=? AND guard<>?"
    return transaction.db.execute(sql, (guard, run, guard)).rowcount > 0


def state_of(view: View, run: str) -> RunState | None:
    """The state of the run with this whole id; None where there is no such run."""
    state: RunState | None = view.value("SELECT state FROM run WHERE id=?", run)
    return state


def find(view: View, prefix: str) -> ActionRun:
    """The run of this id, or of the one id that begins like this; InputError otherwise."""
    sql = f"SELECT {_COLUMNS} FROM run WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT 2"  # noqa: S608 - a constant
    rows = view.rows(sql, len(prefix), prefix)
    if len(rows) != 1:
        raise InputError(f"{prefix}: {'more than one run has' if rows else 'no run has'} an id that begins like this")
    return _run(rows[0])


def select(view: View, *states: RunState, target: str | None = None, limit: int = 1000) -> list[ActionRun]:
    """Runs in these states (in any state, where none is named), oldest first."""
    conditions = [f"state IN ({sql_list(states)})"] if states else []
    conditions += ["target=?"] if target is not None else []
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"SELECT {_COLUMNS} FROM run {where} ORDER BY created, id LIMIT ?"  # noqa: S608 - constants
    return [_run(row) for row in view.rows(sql, *([target] if target is not None else []), limit)]


def latest(view: View, *states: RunState, limit: int) -> list[ActionRun]:
    """Runs in these states, the youngest first."""
    sql = f"SELECT {_COLUMNS} FROM run WHERE state IN ({sql_list(states)}) ORDER BY created DESC, id DESC LIMIT ?"  # noqa: S608 - constants
    return [_run(row) for row in view.rows(sql, limit)]


def before_effect(view: View) -> list[tuple[str, str]]:
    """Id and trigger key of each run that was admitted and has done nothing yet."""
    return view.rows(f"SELECT id, trouble FROM run WHERE state IN ({sql_list(BEFORE_EFFECT)})")  # noqa: S608 - constants


def expired(view: View) -> list[tuple[str, str]]:
    """Id and trigger key of each pending run that nobody approved in time."""
    sql = f"SELECT id, trouble FROM run WHERE state IN ({sql_list(PENDING)}) AND expires <= ?"  # noqa: S608 - constants
    return view.rows(sql, view.at)


def pending_for(view: View, trigger_key: str) -> list[str]:
    """Runs for a trigger that have not started."""
    sql = f"SELECT id FROM run WHERE trouble=? AND state IN ({sql_list(PENDING)})"  # noqa: S608 - constants
    return [run for (run,) in view.rows(sql, trigger_key)]


def unknown_on(view: View, target: str, other_than: str) -> list[str]:
    """Runs on a target with an unknown outcome, without the run that asks."""
    sql = f"SELECT id FROM run WHERE target=? AND state='{_UNKNOWN}' AND id<>?"  # noqa: S608 - a constant
    return [run for (run,) in view.rows(sql, target, other_than)]


def active_count(view: View, condition: str, *values: object) -> int:
    """How many admitted runs have not ended; `condition` is SQL of our own, over the columns of the table."""
    sql = f"SELECT count(*) FROM run WHERE state IN ({sql_list(ACTIVE)}) AND {condition}"  # noqa: S608 - constants
    return int(view.value(sql, *values))


def other_targets(view: View, rule: str, target: str) -> int:
    """On how many targets beside this one a policy rule has runs that are pending or active."""
    states = sql_list((*PENDING, *ACTIVE))
    sql = f"SELECT count(DISTINCT target) FROM run WHERE rule=? AND target<>? AND state IN ({states})"  # noqa: S608 - constants
    return int(view.value(sql, rule, target))


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often an action was tried for a trigger by a rule."""

    used: int
    last: float | None
    """Store time at which the latest run was proposed."""
    succeeded: int


def attempts(view: View, trigger_key: str, rule: str, action: str) -> Attempts:
    """What a rung of the ladder has used up; a cancelled run does not count at all."""
    sql = (
        f"SELECT count(*) FILTER (WHERE state NOT IN ({sql_list(UNUSED)})), max(created),"  # noqa: S608 - constants
        f" count(*) FILTER (WHERE state='{_SUCCEEDED}') FROM run"
        f" WHERE trouble=? AND rule=? AND action=? AND state<>'{_CANCELLED}'"
    )
    return Attempts(*view.rows(sql, trigger_key, rule, action)[0])


def outcomes(view: View, trigger_key: str, rule: str) -> list[tuple[str, RunState]]:
    """Action and state of every run of a rule for a trigger."""
    return view.rows("SELECT action, state FROM run WHERE trouble=? AND rule=?", trigger_key, rule)


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run's row as it stands, for the comparison with the record."""

    id: str
    state: RunState
    digest: str
    """Of what the run is, as the record has it from the start."""
    plan_hash: str
    budget: tuple[str, str, str, str]
    """Target, host, risk and action."""
    expires: float


def stored(view: View) -> dict[str, StoredRun]:
    """The rows of all runs, by id."""
    columns = ",".join(("state", *_FIXED))
    found = {}
    for state, *fixed in view.rows(f"SELECT {columns} FROM run"):  # noqa: S608 - constants
        row = dict(zip(_FIXED, fixed, strict=True))
        taken = (row["target"], row["host"], row["risk"], row["action"])
        found[row["id"]] = StoredRun(row["id"], state, _digest(tuple(fixed)), row["plan_hash"], taken, row["expires"])
    return found


def without_record(transaction: Transaction, recorded: Collection[str]) -> list[str]:
    """Ids of runs that no line of the record speaks of any more."""
    return [run for (run,) in transaction.rows("SELECT id FROM run") if run not in recorded]


def not_over(view: View) -> set[str]:
    """Ids of runs that are pending or active, or that a person must settle."""
    states = sql_list((*PENDING, *ACTIVE, _UNKNOWN))
    return {run for (run,) in view.rows(f"SELECT id FROM run WHERE state IN ({states})")}  # noqa: S608 - constants


def holding_slots(view: View) -> frozenset[str]:
    """Ids of runs that keep a slot of the fleet's budget, if they have one."""
    return frozenset(run for (run,) in view.rows(f"SELECT id FROM run WHERE state IN ({sql_list(HOLDING)})"))  # noqa: S608 - constants


def forget(transaction: Transaction, ids: Collection[str]) -> None:
    """Delete runs; the database refuses it for one that the record still speaks of."""
    transaction.db.executemany("DELETE FROM run WHERE id=?", [(run,) for run in ids])


def troubles(view: View) -> dict[str, str]:
    """The key of each run's trigger, by the run's id."""
    return dict(view.rows("SELECT id, trouble FROM run"))


def state_counts(view: View) -> list[tuple[str, RunState, int]]:
    """How many runs each action has in each state."""
    return view.rows("SELECT action, state, count(*) FROM run GROUP BY action, state")


def repeated_successes(view: View, since: float, times: int) -> int:
    """Targets that were repaired so often after a moment; what only reads is no repair."""
    sql = (
        f"SELECT count(*) FROM (SELECT target FROM run WHERE state='{_SUCCEEDED}' AND risk<>'L0' AND created > ?"  # noqa: S608 - a constant
        " GROUP BY target HAVING count(*) >= ?)"
    )
    return int(view.value(sql, since, times))


def oldest_active(view: View) -> float | None:
    """Store time at which the oldest active run was proposed; None where there is none."""
    created: float | None = view.value(f"SELECT min(created) FROM run WHERE state IN ({sql_list(ACTIVE)})")  # noqa: S608 - constants
    return created


def trigger_from_json(stored: Mapping[str, Any]) -> Trigger:
    """A trigger as this store keeps it."""
    target, aliases = subject_from_json(stored["target"]), tuple(stored.get("aliases", ()))
    return Trigger(**{**stored, "target": target, "aliases": aliases})


def _digest(fixed: tuple[Any, ...]) -> str:
    return hashlib.sha256(json.dumps([int(v) if isinstance(v, bool) else v for v in fixed]).encode()).hexdigest()


def _run(row: tuple[Any, ...]) -> ActionRun:
    stored = json.loads(row[1])
    trigger, target = trigger_from_json(stored["trigger"]), subject_from_json(stored["target"])
    stored |= {"target": target, "trigger": trigger, "plan": tuple(stored["plan"])}
    return ActionRun(row[0], Proposal(**stored), *row[2:])
