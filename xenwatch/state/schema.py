"""The tables of the state database and how an older file is brought up to date."""

import sqlite3

from xenwatch.base.errors import StoreError
from xenwatch.state.tables import correlation, cursors, incident_changes, incidents

VERSION = 1
"""Kept in the file's `user_version`."""

FILE_NAME = "state.db"

_TABLES = (cursors, correlation, incidents, incident_changes)


def prepare(connection: sqlite3.Connection) -> None:
    """Create the tables in an empty file; refuse a file of a newer xenwatch with StoreError."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreError(
            f"the state database has format {version}, and this xenwatch reads only up to {VERSION}; upgrade it"
        )
    if version == 0:
        tables = "".join(table.CREATE for table in _TABLES)
        connection.executescript(f"BEGIN; {tables} PRAGMA user_version = {VERSION}; COMMIT;")
