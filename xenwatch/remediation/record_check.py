"""Compares runs, approvals and budgets with the record: whoever changes a row must forge the whole chain, too."""

from collections.abc import Iterator

from xenwatch.base.errors import InputError
from xenwatch.model.action import WITHOUT_EFFECT
from xenwatch.remediation.guards import approvals
from xenwatch.remediation.store import budget, entries, runs
from xenwatch.remediation.store.entries import RunLogEntry
from xenwatch.remediation.store.transaction import View


def record_problems(view: View) -> list[str]:
    """What does not agree with the record, in words; empty where all does."""
    lines = entries.entries_of(view, None)
    stored = runs.stored(view)
    return [*_runs(lines, stored), *_approvals(view, lines), *_budgets(view, lines, stored)]


def anchor_problem(view: View, anchor: str) -> str | None:
    """Why the record is not the one that had this head (`seq:hash`) once; None where it is. InputError: no head."""
    number, _, digest = anchor.strip().partition(":")
    if not number.isdigit() or not digest:
        raise InputError(f"{anchor}: a head is the number of an entry, a colon and its hash")
    seq = int(number)
    if seq < entries.pruned(view).seq:
        raise InputError(f"entry {seq} was old and has been deleted: give a younger head")
    found = entries.hash_at(view, seq)
    if found is None:
        return f"entries after {entries.head(view).seq} are missing: there was an entry {seq} once"
    return None if found == digest else f"entry {seq} had another hash: this is another record"


def _runs(lines: list[RunLogEntry], stored: dict[str, runs.StoredRun]) -> Iterator[str]:
    states = {line.run: line.new for line in lines if line.kind == "move"}
    for run in sorted({line.run for line in lines if line.run} - stored.keys()):
        yield f"run {run} is missing"
    for run, row in stored.items():
        if run not in states:
            yield f"run {run} is not in the record"
        elif row.state != states[run]:
            yield f"run {run} was changed: it is {row.state}, and the record says {states[run]}"
    for line in lines:
        said = line.facts.get("run") if line.new == "proposed" and line.kind == "move" else None
        if said and line.run in stored and said != stored[line.run].digest:
            yield f"run {line.run} was changed: it is not what was proposed"


def _approvals(view: View, lines: list[RunLogEntry]) -> Iterator[str]:
    rows = approvals.stored(view)
    given = {line.facts["nonce"]: line for line in lines if line.kind == "approval" and "nonce" in line.facts}
    revoked = {line.run for line in lines if line.kind == "approval" and "nonce" not in line.facts}
    for nonce, line in given.items():
        if nonce not in rows:
            yield f"an approval of run {line.run} is missing"
    for nonce, (run, actor, plan, is_revoked) in rows.items():
        line_ = given.get(nonce)
        if line_ is None:
            yield f"an approval of run {run} by {actor} is not in the record"
        elif (run, actor, plan) != (line_.run, line_.actor, line_.facts.get("plan_hash")):
            yield f"an approval of run {run} was changed"
        elif is_revoked and run not in revoked:
            yield f"an approval of run {run} was taken back, and the record does not say so"


def _budgets(view: View, lines: list[RunLogEntry], stored: dict[str, runs.StoredRun]) -> Iterator[str]:
    rows = budget.stored(view)
    admitted = {line.run: line.at for line in lines if line.kind == "move" and line.new == "admitted"}
    for owner, (at, taken) in rows.items():
        if admitted.get(owner) != at or owner not in stored or stored[owner].budget != taken:
            yield f"the budget of run {owner} is not what the record says"
    for run in admitted.keys() - rows.keys():
        if run in stored and stored[run].state not in WITHOUT_EFFECT:
            yield f"the budget of run {run} is missing"
