"""Table `incident_changes`: the history of each incident."""

import sqlite3
from collections.abc import Iterable

from xenwatch.state.changes import Change
from xenwatch.state.tables.rows import storable

CREATE = """
CREATE TABLE incident_changes (
    number INTEGER PRIMARY KEY, incident TEXT NOT NULL, at REAL NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX changes_by_incident ON incident_changes (incident, number);
"""


def read(database: sqlite3.Connection, incident: str) -> list[Change]:
    """The history of one incident, oldest first."""
    rows = database.execute(
        "SELECT incident, at, what, detail FROM incident_changes WHERE incident = ? ORDER BY number", (incident,)
    )
    return [Change(*row) for row in rows]


def write(database: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Append to the histories."""
    database.executemany(
        "INSERT INTO incident_changes (incident, at, what, detail) VALUES (?, ?, ?, ?)",
        [(change.incident, change.at, change.what, storable(change.detail)) for change in changes],
    )


def delete(database: sqlite3.Connection, incidents: Iterable[str]) -> None:
    """Delete the histories of these incidents."""
    database.executemany("DELETE FROM incident_changes WHERE incident = ?", [(incident,) for incident in incidents])
