"""The tables of the state database and how an older file is brought up to date."""

import logging
import sqlite3

from xenwatch.base.errors import StoreError
from xenwatch.state.tables import correlation, cursors, incident_changes, incidents

log = logging.getLogger(__name__)

VERSION = 1
"""Kept in the file's `user_version`."""

FILE_NAME = "state.db"

_TABLES = (cursors, correlation, incidents, incident_changes)


def prepare(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Create the tables in an empty file; refuse a file of a newer xenwatch with StoreError.

    Returns the names of tables that were lost and start empty.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreError(
            f"the state database has format {version}, and this xenwatch reads only up to {VERSION}; upgrade it"
        )
    if version == 0:
        tables = "".join(table.CREATE for table in _TABLES)
        connection.executescript(f"BEGIN; {tables} PRAGMA user_version = {VERSION}; COMMIT;")
        return ()
    lost = []
    present = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in _TABLES:
        name = table.__name__.rpartition(".")[2]
        if name not in present:
            lost.append(name)
            log.error("the state database has lost its table %s; it starts empty", name)
            connection.executescript(f"BEGIN; {table.CREATE} COMMIT;")
    return tuple(lost)
