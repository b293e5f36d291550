"""The record finds forgeries of what stands beside it, is kept within bounds, and outlives an upgrade."""

import sqlite3
from pathlib import Path

import pytest

from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import StoreError
from xenwatch.model.action import Proposal, Trigger
from xenwatch.model.subject import Subject
from xenwatch.remediation.guards import approvals, breaker, kill_switch, storm
from xenwatch.remediation.policy.policy import StormLimit
from xenwatch.remediation.record_check import anchor_problem, record_problems
from xenwatch.remediation.store import budget, entries, retention, runs, triggers
from xenwatch.remediation.store.run_store import RunStore

DAY = 86400.0
TARGET = Subject("domain", "web", "u1")


def proposal(key: str) -> Proposal:
    return Proposal(
        action="domain_start", target=TARGET, params={}, rule="r", mode="auto", risk="L2",
        trigger=Trigger("incident", "x", TARGET, key, "1"), host="xen1", dedupe_key=key, policy_hash="p",
        plan_hash="h", plan=("xl create",), needs_approval=False, expires=1e9,
    )  # fmt: skip


def opened(path: Path, clock: ManualClock | None = None) -> RunStore:
    return RunStore(path, clock or ManualClock(), "boot-1")


def repaired(store: RunStore, key: str, *, ends: bool = True) -> str:
    """A run that was approved, admitted and, where `ends`, has succeeded."""
    with store.transaction() as transaction:
        run = runs.add(transaction, proposal(key))
        assert run is not None
        runs.move(transaction, run, "awaiting_approval", "agent")
        approvals.approve(transaction, runs.find(transaction, run), "human:ann", "h")
        budget.reserve(transaction, run, proposal(key))
        approvals.mark_used(transaction, runs.find(transaction, run))
        runs.move(transaction, run, "admitted", "agent")
        runs.set_token(transaction, run, 1)
        for state in ("leased", "prechecked", "executing", "verifying", "succeeded") if ends else ():
            runs.move(transaction, run, state, "agent")
    return run


DROP = "".join(
    f"DROP TRIGGER {name};"
    for name in (
        "entry_is_kept", "entry_stays", "run_stays", "run_is_fixed", "state_follows_entry", "budget_is_kept",
        "pruned_rises",
    )
)  # fmt: skip
FORGERIES = {
    "a run that failed succeeded": "UPDATE run SET state='failed'",
    "another target": "UPDATE run SET target='domain/other'",
    "another plan": "UPDATE run SET proposal=replace(proposal, 'xl create', 'xl destroy')",
    "another person's request": "UPDATE run SET requester='human:eve'",
    "a consent that nobody gave": "INSERT INTO approval SELECT 'n', run, 'human:bob', plan_hash, expires, 0, 0"
    " FROM approval LIMIT 1",
    "another person's consent": "UPDATE approval SET actor='human:bob'",
    "a consent taken away": "DELETE FROM approval",
    "a budget given back": "DELETE FROM budget",
    "a budget used long ago": "UPDATE budget SET at=at-100000",
    "a budget of another guest": "UPDATE budget SET guest='domain/other'",
    "a consent that was used counts once more": "UPDATE approval SET used=0",
    "a consent that never ends": "UPDATE approval SET expires=1e12",
    "a run deleted": "PRAGMA foreign_keys=OFF; DELETE FROM approval; DELETE FROM budget; DELETE FROM run",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_row_changed_beside_the_record_is_found(tmp_path, forgery):
    path = tmp_path / "store.db"
    store = opened(path)
    store_run = repaired(store, "a")
    assert store.read(record_problems) == []
    store.close()
    with sqlite3.connect(path) as db:
        db.executescript(f"{DROP}{FORGERIES[forgery]};")
    db.close()
    again = opened(path)
    assert any(store_run in problem for problem in again.read(record_problems))
    again.close()


RELEASES = {
    "UPDATE switch SET off=0": "kill switch was released",
    "UPDATE breaker SET open=0": "circuit breaker was released",
    "DELETE FROM breaker": "circuit breaker was released",
    "UPDATE storm SET active=0": "storm was released",
    "DELETE FROM maintenance": "maintenance of host/xen1 was changed",
    "UPDATE maintenance SET expires=1": "maintenance of host/xen1 was changed",
    "UPDATE maintenance SET expires=expires+900000": "maintenance of host/xen1 was changed",
}


def braked(path: Path) -> RunStore:
    """Switched off, with an open breaker, in a storm, in maintenance."""
    store = opened(path)
    with store.transaction() as transaction:
        kill_switch.turn(transaction, True, "human:ann", "look")
        breaker.record_end(transaction, "failed", 1)
        storm.record_failing(transaction, ["a", "b", "c"], 3, StormLimit())
        kill_switch.maintain(transaction, kill_switch.Maintenance("host/xen1", "ann", "new disks", 3600, 1e6))
    return store


@pytest.mark.parametrize("release", RELEASES)
def test_a_brake_released_beside_the_record_is_found(tmp_path, release):
    store = braked(tmp_path / "store.db")
    assert store.read(record_problems) == []
    store.close()
    with sqlite3.connect(tmp_path / "store.db") as db:
        db.execute(release)
    db.close()
    again = opened(tmp_path / "store.db")
    assert [RELEASES[release] in problem for problem in again.read(record_problems)] == [True]
    again.close()


def test_brakes_released_as_they_should_be_are_no_forgery(tmp_path):
    store = braked(tmp_path / "store.db")
    with store.transaction() as transaction:
        kill_switch.turn(transaction, False, "human:ann", "done")
        breaker.close(transaction, "human:ann", "done")
        kill_switch.maintain(transaction, kill_switch.Maintenance("host/xen1", "ann", "", 0, 1e6))
    assert store.read(record_problems) == []


REWRITINGS = {
    "the tail cut, with its head": "DELETE FROM entry WHERE seq > 2;"
    "UPDATE head SET seq=2, hash=(SELECT hash FROM entry WHERE seq=2)",
    "all deleted": "DELETE FROM approval; DELETE FROM budget; DELETE FROM entry; DELETE FROM run;"
    "UPDATE head SET seq=0, hash=''",
}


@pytest.mark.parametrize("rewriting", REWRITINGS)
def test_a_record_that_agrees_with_itself_is_found_by_a_head_noted_elsewhere(tmp_path, rewriting):
    path = tmp_path / "store.db"
    store = opened(path)
    repaired(store, "a")
    anchor = str(store.read(entries.head))
    assert anchor_problem_of(store, anchor) is None
    store.close()
    with sqlite3.connect(path) as db:
        db.executescript(f"{DROP}{REWRITINGS[rewriting]};")
    db.close()
    again = opened(path)
    assert "are missing: there was an entry" in str(anchor_problem_of(again, anchor))
    again.close()


def test_a_chain_written_again_is_found_by_a_head_noted_elsewhere(tmp_path):
    store = opened(tmp_path / "store.db")
    repaired(store, "a")
    anchor = str(store.read(entries.head))
    store.close()
    forged = opened(tmp_path / "forged.db")
    repaired(forged, "b")
    repaired(forged, "c")
    assert forged.verify() == [] == forged.read(record_problems)  # nothing here can tell
    assert "this is another record" in str(anchor_problem_of(forged, anchor))
    forged.close()


def anchor_problem_of(store: RunStore, anchor: str) -> str | None:
    return store.read(lambda view: anchor_problem(view, anchor))


def test_old_runs_leave_the_record_and_it_stays_whole(tmp_path):
    clock = ManualClock()
    store = opened(tmp_path / "store.db", clock)
    for key in "abc":
        repaired(store, key)
        clock.advance(DAY)
    clock.advance(89 * DAY)
    with store.transaction() as transaction:
        dropped = retention.drop_old(transaction)
    assert dropped == 18
    assert [run.proposal.dedupe_key for run in store.runs()] == ["c"]
    assert store.verify() == [] == store.read(record_problems)
    clock.advance(2 * DAY)
    repaired(store, "d")
    with store.transaction() as transaction:
        retention.drop_old(transaction)
    assert [run.proposal.dedupe_key for run in store.runs()] == ["d"]
    assert store.verify() == [] == store.read(record_problems)
    store.close()


def test_what_is_not_over_stays_however_old(tmp_path):
    clock = ManualClock()
    store = opened(tmp_path / "store.db", clock)
    repaired(store, "before")
    waiting = repaired(store, "a", ends=False)
    repaired(store, "behind")
    with store.transaction() as transaction:
        triggers.record(transaction, Trigger("incident", "x", TARGET, "before", "1"))
    clock.advance(200 * DAY)
    with store.transaction() as transaction:
        assert retention.drop_old(transaction) == 0  # its trigger fires still
        triggers.resolve(transaction, Trigger("incident", "x", TARGET, "before", "1"))
        assert retention.drop_old(transaction) == 9
    assert waiting in {run.id for run in store.runs()}
    assert len(store.runs()) == 2
    assert store.verify() == [] == store.read(record_problems)
    store.close()


def test_young_lines_cannot_be_deleted(tmp_path):
    store = opened(tmp_path / "store.db")
    run = repaired(store, "a")
    for statement in ("DELETE FROM entry", "DELETE FROM run", "UPDATE pruned SET seq=3", "UPDATE pruned SET hash='x'"):
        with pytest.raises(StoreError), store.transaction() as transaction:
            transaction.db.execute(statement)
    assert store.run(run).state == "succeeded"
    store.close()


def test_a_deleted_beginning_that_no_line_speaks_of_is_found(tmp_path):
    path = tmp_path / "store.db"
    store = opened(path)
    repaired(store, "a")
    repaired(store, "b")
    store.close()
    with sqlite3.connect(path) as db:
        db.executescript(
            f"{DROP}UPDATE pruned SET seq=9, hash=(SELECT hash FROM entry WHERE seq=9);DELETE FROM entry WHERE seq <= 9"
        )
    db.close()
    with pytest.raises(StoreError, match="entries up to 9 are missing"):
        opened(path)


def test_a_run_store_of_version_1_is_read_and_brought_up_to_date(tmp_path):
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as db:
        db.executescript((Path(__file__).parent / "run-store-1.sql").read_text())
    db.close()
    store = opened(path)
    assert [run.state for run in store.runs()] == ["admitted", "awaiting_approval"]
    assert store.verify() == [] == store.read(record_problems)
    with store.transaction() as transaction:
        assert triggers.record(transaction, Trigger("incident", "x", TARGET, "new", "1"))
    repaired(store, "new")
    store.close()
    again = opened(path)
    assert len(again.runs()) == 3
    again.close()
