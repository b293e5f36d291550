"""The tables of the state database and how an older file is brought up to date."""

import sqlite3

from xenwatch.base.errors import StoreError

VERSION = 1
"""Kept in the file's `user_version`."""

FILE_NAME = "state.db"

_TABLES = """
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
"""


def prepare(connection: sqlite3.Connection) -> None:
    """Create the tables in an empty file; refuse a file of a newer xenwatch with StoreError."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        raise StoreError(
            f"the state database has format {found}, this xenwatch knows up to {VERSION}; upgrade xenwatch"
        )
    if found == 0:
        connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
