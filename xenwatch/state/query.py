"""Incidents and their history read from the state database by another process than the agent."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from xenwatch.base.errors import InputError, StoreError
from xenwatch.model.incident import Incident
from xenwatch.state.changes import Change
from xenwatch.state.codec import decode
from xenwatch.state.schema import FILE_NAME
from xenwatch.state.store import readable


def list_incidents(state_dir: Path) -> list[Incident]:
    """All incidents kept, the latest seen first. InputError: no database there; StoreError: not readable."""
    with _reading(state_dir) as database:
        return list(readable(database.execute("SELECT id, body FROM incidents ORDER BY last_seen DESC, id")))


def find_incident(state_dir: Path, wanted: str) -> tuple[Incident, list[Change]]:
    """One incident by its id, or by the start of it where that is unambiguous, and its history, oldest first."""
    with _reading(state_dir) as database:
        rows = database.execute(
            "SELECT id, body FROM incidents WHERE substr(id, 1, ?) = ?", (len(wanted), wanted)
        ).fetchall()
        exact = [row for row in rows if row[0] == wanted] or rows
        if len(exact) != 1:
            raise InputError(
                f"{len(exact)} incidents have an id that starts with {wanted!r}" if exact else f"no incident {wanted!r}"
            )
        changes = database.execute(
            "SELECT incident, at, what, detail FROM incident_changes WHERE incident = ? ORDER BY number", (exact[0][0],)
        )
        return decode(exact[0][1]), [Change(*row) for row in changes]


@contextmanager
def _reading(state_dir: Path) -> Iterator[sqlite3.Connection]:
    path = state_dir / FILE_NAME
    if not path.is_file():
        raise InputError(f"no state database at {path}: has the agent run with this state directory?")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)) as database:
            yield database
    except sqlite3.Error as error:
        raise StoreError(f"cannot read {path}: {error}") from error
