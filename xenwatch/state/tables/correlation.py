"""Table `correlation`: the state of each part of the correlation, as JSON."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from xenwatch.state.tables.rows import json_values

CREATE = "CREATE TABLE correlation (part TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;"


def read(database: sqlite3.Connection) -> dict[str, Any]:
    """The stored state of each part."""
    return json_values(database.execute("SELECT part, state FROM correlation"))


def write(database: sqlite3.Connection, parts: Mapping[str, Any]) -> None:
    """All parts; those that are not among them are gone."""
    database.execute("DELETE FROM correlation")
    rows = [(part, json.dumps(state)) for part, state in parts.items()]
    database.executemany("INSERT INTO correlation VALUES (?, ?)", rows)
