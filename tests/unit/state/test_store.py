import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from xenwatch.base.errors import StoreError
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.state.query import find_incident, list_incidents
from xenwatch.state.schema import FILE_NAME
from xenwatch.state.store import Damaged, SavedState, Store


def open_store(state_dir: Path) -> Store:
    return Store(state_dir, now=lambda: 1000.0)


def what_happened(state_dir: Path, incident: Incident) -> list[str]:
    return [change.what for change in find_incident(state_dir, incident.id)[1]]


def test_a_new_state_directory_holds_nothing(tmp_path: Path):
    store = open_store(tmp_path / "new" / "state")
    assert store.load() == SavedState()
    store.close()


def test_cursors_correlation_and_incidents_come_back_together(tmp_path: Path, incident: Incident):
    store = open_store(tmp_path)
    store.commit({"/var/log/xend.log": {"offset": 7}}, {"windows": [1, 2]}, [incident])
    store.close()
    again = open_store(tmp_path)
    assert again.load() == SavedState({"/var/log/xend.log": {"offset": 7}}, {"windows": [1, 2]}, (incident,))
    again.close()


def test_a_cursor_that_is_gone_is_deleted_and_the_others_stay(tmp_path: Path):
    store = open_store(tmp_path)
    store.commit({"a": 1, "b": 2}, {}, [])
    store.commit({"b": 3}, {}, [])
    assert store.load().cursors == {"b": 3}
    store.close()


def test_what_was_committed_before_a_failed_commit_stands(tmp_path: Path, incident: Incident):
    store = open_store(tmp_path)
    store.commit({"a": 1}, {}, [incident])
    fill(store)
    huge = replace(incident, diagnosis=replace(incident.diagnosis, cause="x" * 500_000))
    with pytest.raises(StoreError, match=r"cannot write .*full"):
        store.commit({"a": 2}, {}, [huge])
    assert store.load() == SavedState({"a": 1}, {}, (incident,))
    store._connection.execute("PRAGMA max_page_count = 100000")
    store.commit({"a": 2}, {}, [huge])
    assert store.load() == SavedState({"a": 2}, {}, (huge,))
    store.close()


def test_a_row_that_is_not_utf_8_costs_that_row_alone(tmp_path: Path, incident: Incident):
    store = open_store(tmp_path)
    store.commit({"a": 1, "b": 2}, {"windows": [1]}, [incident])
    store._connection.execute("UPDATE cursors SET cursor = CAST(x'ff' AS TEXT) WHERE log = 'a'")
    store.close()
    again = open_store(tmp_path)
    assert again.load() == SavedState({"a": None, "b": 2}, {"windows": [1]}, (incident,))
    again.commit({"a": 3, "b": 2}, {}, [])
    again.close()


@pytest.mark.parametrize("table", ["cursors", "correlation", "incidents", "incident_changes"])
def test_a_table_that_is_missing_starts_empty_and_the_others_stay(tmp_path: Path, incident: Incident, table: str):
    store = open_store(tmp_path)
    store.commit({"a": 1}, {"windows": [1]}, [incident])
    store._connection.execute(f"DROP TABLE {table}")
    store.close()
    again = open_store(tmp_path)
    read = again.load()
    kept = {"cursors": bool(read.cursors), "correlation": bool(read.correlation), "incidents": bool(read.incidents)}
    assert [name for name, there in kept.items() if not there] == ([table] if table in kept else [])
    again.commit({"a": 2}, {}, [incident])
    again.close()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_may_read_the_state(tmp_path: Path, umask: int):
    before = os.umask(umask)
    try:
        store = open_store(tmp_path / "new")
        store.commit({"a": 1}, {}, [])
        modes = {file.name: file.stat().st_mode & 0o007 for file in (tmp_path / "new").iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert set(modes.values()) == {0}
    assert "state.db-wal" in modes


def test_a_state_that_everybody_could_read_is_closed_to_others(tmp_path: Path):
    open_store(tmp_path).close()
    (tmp_path / FILE_NAME).chmod(0o644)
    open_store(tmp_path).close()
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o640


def fill(store: Store) -> None:
    """The database's own limit gives the same SQLITE_FULL as a full disk."""
    store._connection.execute("PRAGMA max_page_count = 1")


def test_a_file_that_is_no_database_is_moved_aside_and_a_new_one_started(tmp_path: Path, caplog):
    (tmp_path / FILE_NAME).write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    store = open_store(tmp_path)
    assert store.load() == SavedState()
    assert store.moved_aside == 1
    assert "moved aside to state.db.damaged-1000" in caplog.text
    assert (tmp_path / "state.db.damaged-1000").read_bytes().startswith(b"not a database")
    store.close()


def test_a_database_torn_in_the_middle_is_replaced_when_it_is_read(tmp_path: Path, incident: Incident):
    store = open_store(tmp_path)
    store.commit({}, {}, [replace(incident, id=f"i{n}") for n in range(200)])
    store.close()
    data = bytearray((tmp_path / FILE_NAME).read_bytes())
    data[4096 * 2 :] = b"\xee" * (len(data) - 4096 * 2)
    (tmp_path / FILE_NAME).write_bytes(data)
    again = open_store(tmp_path)
    assert again.load() == SavedState()
    assert again.moved_aside == 1
    again.commit({"a": 1}, {}, [incident])
    assert again.load().incidents == (incident,)
    again.close()


def test_damage_while_running_says_that_all_must_be_handed_in_again(tmp_path: Path, incident: Incident):
    store = open_store(tmp_path)
    store.commit({}, {}, [replace(incident, id=f"i{n}") for n in range(300)])
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / FILE_NAME).open("r+b") as file:
        file.write(b"\xee" * 200_000)
    store._connection.execute("PRAGMA shrink_memory")
    with pytest.raises(Damaged):
        store.commit({"a": 1}, {}, [incident])
    store.commit({"a": 1}, {}, [incident])
    assert store.load().incidents == (incident,)
    store.close()


def test_a_row_that_cannot_be_read_costs_only_itself(tmp_path: Path, incident: Incident, caplog):
    store = open_store(tmp_path)
    store.commit({"a": 1, "b": 2}, {}, [incident, replace(incident, id="other")])
    store._connection.execute("UPDATE incidents SET body = '{' WHERE id = 'other'")
    store._connection.execute("UPDATE cursors SET cursor = '{' WHERE log = 'b'")
    assert store.load() == SavedState({"a": 1, "b": None}, {}, (incident,))
    assert "incident other in the state database cannot be read" in caplog.text
    store.close()


def test_a_second_agent_is_refused_the_same_directory(tmp_path: Path):
    store = open_store(tmp_path)
    with pytest.raises(StoreError, match="another xenwatch agent is using"):
        open_store(tmp_path)
    store.close()
    open_store(tmp_path).close()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path):
    open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StoreError, match="format 99"):
        open_store(tmp_path)
    assert not list(tmp_path.glob("*.damaged*"))


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file/state"):
        open_store(tmp_path / "file" / "state")


def test_the_history_tells_each_move_and_nothing_for_being_seen_again(tmp_path: Path, incident: Incident):
    store = open_store(tmp_path)
    story = [
        incident,
        replace(incident, times_seen=2),
        replace(incident, state="explained", explained_by="cause"),
        replace(incident, state="open"),
        replace(incident, acknowledged_by="anna"),
        replace(incident, acknowledged_by="anna", state="resolved", resolved=99.0),
        incident,
    ]
    for moment in story:
        store.commit({}, {}, [moment])
    assert what_happened(tmp_path, incident) == [
        "opened", "explained", "stands alone", "acknowledged", "resolved", "reopened",
    ]  # fmt: skip
    store.close()


def test_the_history_goes_on_where_it_was_after_a_restart(tmp_path: Path, incident: Incident, resolved: Incident):
    store = open_store(tmp_path)
    store.commit({}, {}, [incident])
    store.close()
    again = open_store(tmp_path)
    again.commit({}, {}, [resolved])
    assert what_happened(tmp_path, incident) == ["opened", "resolved"]
    again.close()


def test_old_resolved_incidents_are_forgotten_and_open_ones_are_not(
    tmp_path: Path, incident: Incident, resolved: Incident
):
    store = open_store(tmp_path)
    young = replace(resolved, id="young", last_seen=5000.0)
    still_open = replace(incident, id="open")
    store.commit({}, {}, [resolved, young, still_open])
    assert store.forget(resolved_before=1000.0) == [resolved.id]
    assert {i.id for i in list_incidents(tmp_path)} == {"young", "open"}
    store.close()


def test_a_hostile_domain_name_is_stored(tmp_path: Path, incident: Incident):
    odd = Subject("domain", "w\udcff'; DROP TABLE incidents; --\x00")
    hostile = replace(incident, diagnosis=replace(incident.diagnosis, subject=odd, summary="\udcff"))
    store = open_store(tmp_path)
    store.commit({}, {}, [hostile])
    assert store.load().incidents == (hostile,)
    store.close()


def test_a_second_agent_is_refused_also_where_the_lock_file_was_deleted(tmp_path: Path):
    store = open_store(tmp_path)
    (tmp_path / "agent.lock").unlink()
    with pytest.raises(StoreError, match="another xenwatch agent is using"):
        open_store(tmp_path)
    store.close()
    open_store(tmp_path).close()


def test_a_lost_table_of_positions_is_told_from_a_first_start(tmp_path: Path):
    store = open_store(tmp_path)
    assert not store.load().cursors_lost
    store._connection.execute("DROP TABLE cursors")
    store.close()
    again = open_store(tmp_path)
    assert again.load().cursors_lost
    again.close()
