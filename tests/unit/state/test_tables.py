"""The tables of the state database: SQL in one place each, and the file of the version before is read."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

import xenwatch.state
from xenwatch.state.query import find_incident
from xenwatch.state.schema import FILE_NAME
from xenwatch.state.store import Store

FOLDER = Path(xenwatch.state.__file__).parent
TABLES = ("cursors", "correlation", "incidents", "incident_changes")

VERSION_1 = """
CREATE TABLE cursors (log TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE correlation (part TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE incidents (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, rule TEXT NOT NULL, class TEXT NOT NULL, severity TEXT NOT NULL,
    kind TEXT NOT NULL, name TEXT NOT NULL, opened REAL NOT NULL, last_seen REAL NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX incidents_by_time ON incidents (last_seen);
CREATE TABLE incident_changes (
    number INTEGER PRIMARY KEY, incident TEXT NOT NULL, at REAL NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX changes_by_incident ON incident_changes (incident, number);
PRAGMA user_version = 1;
"""
BODY = {
    "id": "i1", "state": "open", "opened": 10.0, "last_seen": 13.0, "times_seen": 2, "resolved": None,
    "explained_by": None, "acknowledged_by": "anna",
    "diagnosis": {
        "rule": "vif-bridge-missing", "class_": "vif-bridge-missing", "severity": "error", "title": "No bridge",
        "summary": "no bridge xenbr7", "cause": "it was never made", "at": 10.0,
        "subject": {"kind": "domain", "name": "web", "uuid": None, "domid": 5}, "fields": {"bridge": "xenbr7"},
        "evidence": [{"at": 10.0, "summary": "the script said so", "origin": None}],
    },
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_the_sql_of_a_table_is_in_one_module(table: str):
    sql = re.compile(rf"\b(?:FROM|INTO|UPDATE|TABLE|ON) {table}\b")
    assert [path.name for path in FOLDER.rglob("*.py") if sql.search(path.read_text())] == [f"{table}.py"]


def test_the_state_of_the_version_before_is_read(tmp_path: Path):
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.executescript(VERSION_1)
        database.execute("INSERT INTO cursors VALUES ('/var/log/xen/xl-web.log', '[1, 2]')")
        database.execute("INSERT INTO correlation VALUES ('engine', '{\"windows\": []}')")
        row = ("i1", "open", "vif-bridge-missing", "vif-bridge-missing", "error", "domain", "web", 10.0, 13.0)
        database.execute("INSERT INTO incidents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, json.dumps(BODY)))
        database.execute("INSERT INTO incident_changes VALUES (1, 'i1', 10.0, 'opened', 'no bridge xenbr7')")
    database.close()
    store = Store(tmp_path, now=lambda: 0.0)
    saved = store.load()
    store.close()
    assert (saved.cursors, saved.correlation) == ({"/var/log/xen/xl-web.log": [1, 2]}, {"engine": {"windows": []}})
    assert [(i.id, i.diagnosis.subject.name, i.acknowledged_by) for i in saved.incidents] == [("i1", "web", "anna")]
    assert [change.what for change in find_incident(tmp_path, "i1")[1]] == ["opened"]
