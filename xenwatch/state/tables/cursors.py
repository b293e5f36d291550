"""Table `cursors`: how far each log was read, a JSON value for each log."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from xenwatch.state.tables.rows import json_values

CREATE = "CREATE TABLE cursors (log TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID;"


def read(database: sqlite3.Connection) -> dict[str, Any]:
    """The stored value of each log; None where it cannot be read: the log was read, but nobody knows how far."""
    return json_values(database.execute("SELECT log, cursor FROM cursors"), unreadable=True)


def write(database: sqlite3.Connection, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Only the difference, both as JSON texts by log."""
    gone = [(log,) for log in before if log not in after]
    moved = [pair for pair in after.items() if before.get(pair[0]) != pair[1]]
    database.executemany("DELETE FROM cursors WHERE log = ?", gone)
    database.executemany("REPLACE INTO cursors VALUES (?, ?)", moved)
