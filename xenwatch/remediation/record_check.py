"""Compares runs, approvals and budgets with the record: whoever changes a row must forge the whole chain, too."""

from collections.abc import Iterator

from xenwatch.base.errors import InputError
from xenwatch.model.action import WITHOUT_EFFECT
from xenwatch.remediation.guards import approvals, breaker, kill_switch, storm
from xenwatch.remediation.store import budget, entries, runs
from xenwatch.remediation.store.entries import RunLogEntry
from xenwatch.remediation.store.transaction import View


def record_problems(view: View) -> list[str]:
    """What does not agree with the record, in words; empty where all does."""
    lines = entries.entries_of(view, None)
    stored = runs.stored(view)
    return [
        *_runs(lines, stored), *_approvals(view, lines, stored), *_budgets(view, lines, stored), *_brakes(view, lines),
        *_maintenance(view, lines),
    ]  # fmt: skip


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


def _approvals(view: View, lines: list[RunLogEntry], stored: dict[str, runs.StoredRun]) -> Iterator[str]:
    rows = approvals.stored(view)
    given = {line.facts["nonce"]: line for line in lines if line.kind == "approval" and "nonce" in line.facts}
    revoked = {line.run for line in lines if line.kind == "approval" and "nonce" not in line.facts}
    for nonce, line in given.items():
        if nonce not in rows:
            yield f"an approval of run {line.run} is missing"
    started = {line.run: line.seq for line in lines if line.kind == "move" and line.new == "admitted"}
    for nonce, row in rows.items():
        line_, run = given.get(nonce), row.run
        if line_ is None:
            yield f"an approval of run {run} by {row.actor} is not in the record"
        elif (run, row.actor, row.plan_hash) != (line_.run, line_.actor, line_.facts.get("plan_hash")):
            yield f"an approval of run {run} was changed"
        elif row.revoked and run not in revoked:
            yield f"an approval of run {run} was taken back, and the record does not say so"
        elif _counts_longer(row, stored.get(run)) or (started.get(run, 0) > line_.seq and not row.used):
            yield f"an approval of run {run} was changed: it would count for longer than it was given for"


def _counts_longer(approval: approvals.StoredApproval, run: runs.StoredRun | None) -> bool:
    """Than the proposal, with which it ends."""
    return run is not None and approval.expires > run.expires


def _budgets(view: View, lines: list[RunLogEntry], stored: dict[str, runs.StoredRun]) -> Iterator[str]:
    rows = budget.stored(view)
    admitted = {line.run: line.at for line in lines if line.kind == "move" and line.new == "admitted"}
    for owner, (at, taken) in rows.items():
        if admitted.get(owner) != at or owner not in stored or stored[owner].budget != taken:
            yield f"the budget of run {owner} is not what the record says"
    for run in admitted.keys() - rows.keys():
        if run in stored and stored[run].state not in WITHOUT_EFFECT:
            yield f"the budget of run {run} is missing"


def _brakes(view: View, lines: list[RunLogEntry]) -> Iterator[str]:
    """Where the line that says it was old and is deleted, nobody can tell."""
    pruned = entries.pruned(view).seq > 0
    for kind, fact, name, is_on in (
        ("switch", "off", "the kill switch", kill_switch.off_reason(view) is not None),
        ("breaker", "open", "the circuit breaker", breaker.open_reason(view) is not None),
        ("storm", "on", "the brake of a storm", storm.is_active(view)),
    ):
        last = next((line for line in reversed(lines) if line.kind == kind and fact in line.facts), None)
        if is_on != bool(last and last.facts[fact]) and not (last is None and pruned):
            yield f"{name} was {'set' if is_on else 'released'}, and the record does not say so"


def _maintenance(view: View, lines: list[RunLogEntry]) -> Iterator[str]:
    """What is over does not matter any more."""
    said: dict[str, float] = {}
    for line in lines:
        if line.kind == "maintenance":
            said[str(line.facts["scope"])] = line.at + float(line.facts["seconds"])
    rows = kill_switch.ends(view)
    for scope in sorted(said.keys() | rows.keys()):
        end, recorded = rows.get(scope, 0.0), said.get(scope, 0.0)
        if max(end, recorded) > view.at and abs(end - recorded) > 1:
            yield f"the maintenance of {scope} was changed, and the record does not say so"
