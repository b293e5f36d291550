"""I8 to I13: the journal is ahead of the world, is not changed, and is not believed when it was."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from story import Story

from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import StoreError
from xenwatch.model.action import RUN_MOVES, ActionRun, Proposal, Trigger
from xenwatch.model.subject import Subject
from xenwatch.remediation.store import entries, runs
from xenwatch.remediation.store.run_store import RunStore

TARGET = Subject("domain", "web", "u1")


def proposal(key: str = "k", **more) -> Proposal:
    said = {
        "action": "domain_start", "target": TARGET, "params": {}, "rule": "r", "mode": "auto", "risk": "L2",
        "trigger": Trigger("incident", "x", TARGET, key, "1"), "host": "xen1", "dedupe_key": key, "policy_hash": "p",
        "plan_hash": "h", "plan": ("xl create",), "needs_approval": False, "expires": 1e9,
    }  # fmt: skip
    return Proposal(**(said | more))


@pytest.fixture
def store(tmp_path):
    opened = RunStore(tmp_path / "store.db", ManualClock(), "boot-1")
    yield opened
    opened.close()


def add(store: RunStore, key: str = "k", **more) -> ActionRun:
    with store.transaction() as transaction:
        run = runs.add(transaction, proposal(key, **more))
    assert run is not None
    return store.run(run)


CHILD = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = [{scenarios!r}]
from story import Story
from xenwatch.remediation.machine.local import LocalMachine
from xenwatch.remediation.service import RemediationService
import xenwatch.remediation.actions.host_cordon as cordon
cordon.CORDON_FLAG = {folder!r} + "/cordoned"
async def main():
    story = Story(Path({folder!r}), {{"rule": {{"max_risk": "L1", "scope": {{"selector": "host:xen1"}},
        "ladder": [{{"action": "host_cordon"}}]}}}})
    real = LocalMachine(story.service.policy.inventory, systemd=False)
    story.service._executor._machine = real
    await story.play([{{"incident": {{"rule": "guest-down", "of": "host/xen1"}}}}, {{"tick": 1}}])
    print([run.state for run in await story.service.runs()])
    story.service.close()
asyncio.run(main())
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace shows the order of system calls")
def test_i08_the_intent_is_synced_to_disk_before_the_program_starts(tmp_path):
    scenarios = str(Path(__file__).parents[2] / "scenarios")
    trace = tmp_path / "trace"
    code = CHILD.format(scenarios=scenarios, folder=str(tmp_path))
    argv = ["strace", "-f", "-o", str(trace), "-y", "-e", "trace=fdatasync,fsync,execve", sys.executable, "-c", code]
    subprocess.run(argv, check=True, capture_output=True, timeout=100)
    lines = trace.read_text().splitlines()
    effect = next(n for n, line in enumerate(lines) if "execve" in line and '"install"' in line)
    synced = [n for n, line in enumerate(lines) if "store.db-wal" in line and "sync(" in line and n < effect]
    assert synced
    with sqlite3.connect(tmp_path / "store.db") as db:
        kinds = [row[0] for row in db.execute("SELECT coalesce(new, kind) FROM entry ORDER BY seq")]
    db.close()
    assert kinds.index("executing") < kinds.index("intent") < kinds.index("outcome")


def test_i08_every_commit_is_synced(store):
    assert store.read(lambda view: view.rows("PRAGMA synchronous")) == [(2,)]
    assert store.read(lambda view: view.rows("PRAGMA journal_mode")) == [("wal",)]


def test_i08_an_intent_without_an_executing_run_is_an_error_of_the_database(store):
    run = add(store)
    with pytest.raises(StoreError, match="executing"), store.transaction() as transaction:
        entries.append(transaction, "intent", run.id, "xenwatch")


@pytest.mark.parametrize("new", [state for state in RUN_MOVES if state != "new"])
def test_i09_a_move_that_the_table_does_not_have_is_an_error_of_the_database(store, new):
    run = add(store)
    if new in RUN_MOVES["proposed"] and new != "admitted":
        with store.transaction() as transaction:
            runs.move(transaction, run.id, new, "xenwatch")
        assert store.run(run.id).state == new
    else:
        with pytest.raises(StoreError), store.transaction() as transaction:
            runs.move(transaction, run.id, new, "xenwatch")
        assert store.run(run.id).state == "proposed"


def test_i09_a_state_cannot_be_written_without_an_entry(store):
    run = add(store)
    with pytest.raises(StoreError), store.transaction() as transaction:
        transaction.db.execute("UPDATE run SET state='succeeded' WHERE id=?", (run.id,))


async def test_i10_an_unknown_outcome_is_never_tried_again(tmp_path):
    world = {
        "hosts": {"faults": {"xl create": {"how": "lost"}}},
        "rule": {"ladder": [{"action": "domain_start", "max": 9}]},
    }
    story = Story(tmp_path, world)
    await story.play([{"incident": "guest-down"}, {"tick": 1}, {"advance": 90000}, {"tick": 5}, {"restart": "boot-2"}])
    await story.play([{"advance": 90000}, {"incident": {"rule": "guest-down", "opened": 1800000000.0}}, {"tick": 5}])
    assert story.world.effects == ["xl create /etc/xen/web.cfg"]
    assert (await story.service.runs())[0].state == "unknown"
    story.service.close()


def test_i10_only_a_person_or_a_recovery_leaves_unknown(store):
    run = add(store)
    with store.transaction() as transaction:
        transaction.db.execute("INSERT INTO budget VALUES(?,0,'','','','')", (run.id,))
        transaction.db.execute("UPDATE run SET token=1 WHERE id=?", (run.id,))
        for state in ("admitted", "leased", "prechecked", "executing", "unknown"):
            runs.move(transaction, run.id, state, "xenwatch")
    with pytest.raises(StoreError, match="only a person"), store.transaction() as transaction:
        runs.move(transaction, run.id, "failed", "xenwatch")
    with store.transaction() as transaction:
        runs.move(transaction, run.id, "failed", "human:ann")


async def test_i11_deliveries_again_and_at_once_and_over_restarts_make_one_run(tmp_path):
    story = Story(tmp_path, {"rule": {"when": {"alert": "GuestDown"}}})
    for boot in ("boot-1", "boot-1", "boot-2"):
        await asyncio.gather(*[story.do_alert({}) for _ in range(5)], story.do_tick(1), story.do_tick(1))
        await story.do_restart(boot)
    await story.play([{"alert": {"firing": False}}, {"advance": 200000}, {"tick": 1}, {"alert": {}}, {"tick": 1}])
    assert len(await story.service.runs()) == 1
    assert len(story.world.effects) == 1
    story.service.close()


@pytest.mark.parametrize("damage", [b"", b"not a database" * 1000])
def test_i12_a_damaged_run_store_is_not_opened(tmp_path, damage):
    path = tmp_path / "store.db"
    store = RunStore(path, ManualClock(), "boot-1")
    run = add(store)
    with store.transaction() as transaction:
        runs.move(transaction, run.id, "rejected", "human:ann")
    store.close()
    data = path.read_bytes()
    path.write_bytes(data[:3000] + damage + data[3000 + len(damage) : -4096])
    with pytest.raises(StoreError):
        RunStore(path, ManualClock(), "boot-1")


def test_i12_a_run_store_of_another_version_is_not_opened(tmp_path):
    with sqlite3.connect(tmp_path / "store.db") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StoreError, match=r"a newer xenwatch .* version is 99"):
        RunStore(tmp_path / "store.db", ManualClock(), "boot-1")


def test_i13_entries_can_neither_be_changed_nor_removed(store):
    add(store)
    for sql in ("UPDATE entry SET reason='x'", "DELETE FROM entry", "DELETE FROM run", "UPDATE run SET action='x'"):
        with pytest.raises(StoreError), store.transaction() as transaction:
            transaction.db.execute(sql)


TAMPERING = {
    "edited": "UPDATE entry SET reason='nothing happened' WHERE seq=2",
    "removed": "DELETE FROM entry WHERE seq=2",
    "cut off": "DELETE FROM entry WHERE seq=(SELECT max(seq) FROM entry)",
}


@pytest.mark.parametrize("how", TAMPERING)
def test_i13_a_change_around_the_triggers_is_found_by_the_chain(tmp_path, how):
    path = tmp_path / "store.db"
    store = RunStore(path, ManualClock(), "boot-1")
    for key in "abc":
        add(store, key)
    assert store.verify() == []
    store.close()
    with sqlite3.connect(path) as db:
        db.executescript(f"DROP TRIGGER entry_is_kept; DROP TRIGGER entry_stays; {TAMPERING[how]};")
    db.close()
    with pytest.raises(StoreError, match="damaged"):
        RunStore(path, ManualClock(), "boot-1")


def test_i13_a_run_store_that_another_process_writes_is_not_taken_for_damaged(tmp_path):
    writer, reader = (RunStore(tmp_path / "store.db", ManualClock(), "boot-1") for _ in range(2))
    add(writer, "before")
    reader._db.set_trace_callback(
        lambda sql: add(writer, f"{sql}{time.monotonic_ns()}") if "FROM head" in sql else None
    )
    assert reader.verify() == []
    assert len(reader.entries()) > 1
    reader.close()
    writer.close()


@pytest.mark.parametrize("before", [None, 0o644])
def test_nobody_else_may_read_what_is_done_to_guests(tmp_path, before):
    path, umask = tmp_path / "store.db", os.umask(0)
    try:
        if before is not None:
            path.touch()
            path.chmod(before)
        store = RunStore(path, ManualClock(), "boot-1")
        modes = {file.name: file.stat().st_mode & 0o007 for file in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(umask)
    assert set(modes.values()) == {0}
